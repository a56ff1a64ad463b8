"""Small trees of corpora cut from films and the web, in their official layouts."""

from pathlib import Path

from helpers.media import moving_square, place_video, write_csv, write_images, write_lines

EMOTIONS = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")
MAFW_EMOTIONS = (
    *("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    *("contempt", "anxiety", "helplessness", "disappointment"),
)


def dfew_tree(root: Path) -> Path:
    """Frames of DFEW's `clip_224x224` and its official lists, which count the classes from 1.

    The shortest clip of DFEW has 11 frames, fewer than the fair track shows.
    """
    for fold in range(1, 6):
        for split in ("train", "test"):
            rows = []
            for label in range(1, 8):
                number = fold * 100 + label + (50 if split == "test" else 0)
                write_images(
                    root / "Clip" / "clip_224x224" / f"{number:05d}",
                    moving_square(11 if label == 6 else 12, label - 1),
                    name=f"{number:05d}_{{:05d}}.jpg",
                )
                rows.append([number, label])
            write_csv(
                root / "EmoLabel_DataSplit" / f"{split}(single-labeled)" / f"set_{fold}.csv", "video_name,label", rows
            )
    return root


def afew_tree(root: Path) -> Path:
    """AVI files in the folders of the emotions, and aligned faces of each."""
    for split, faces in (("Train", "AlignedFaces_LBPTOP_Points"), ("Val", "AlignedFaces_LBPTOP_Points_Val")):
        for label, emotion in enumerate(EMOTIONS):
            for take in range(2):
                name = f"{0 if split == 'Train' else 1}{label:02d}{take:02d}440"
                folder = root / f"{split}_AFEW"
                place_video(folder / emotion / f"{name}.avi", label, codec="mjpeg" if take else None)
                write_images(folder / faces / "Faces" / name, moving_square(8, label))
    return root


def ferv39k_tree(root: Path) -> Path:
    """Cropped faces by scene and emotion; the lists name the emotion in words, as the official ones do."""
    for split, first in (("train", 10), ("test", 20)):
        lines = []
        for label, emotion in enumerate(EMOTIONS):
            name = f"{'DailyLife' if label % 2 else 'Action'}/{emotion}/{first + label:04d}"
            write_images(root / "2_ClipsforFaceCrop" / name, moving_square(12, label))
            lines.append(f"{name} {emotion}")
        write_lines(root / "4_setups" / "All_scenes" / f"{split}_All.csv", lines)
    return root


def mafw_tree(root: Path) -> Path:
    """Eleven classes, five folds; every clip is a test clip once."""
    names = {(fold, label): f"{fold * 100 + label:05d}" for fold in range(1, 6) for label in range(len(MAFW_EMOTIONS))}
    for (_, label), name in names.items():
        place_video(root / "data" / "clips" / f"{name}.mp4", label)
    for fold in range(1, 6):
        for split in ("train", "test"):
            lines = [
                f"{name}.mp4 {MAFW_EMOTIONS[label]}"
                for (home, label), name in names.items()
                if (home == fold) == (split == "test")
            ]
            write_lines(root / "split" / "single" / "no_caption" / f"set_{fold}" / f"{split}.txt", lines)
    return root
