"""Small corpora in the layout of each dataset, with real encoded video or images in them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np

CLASSES = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")


def moving_square(num_frames: int, label: int, seed: int = 0, size: int = 48) -> np.ndarray:
    """(F, H, W, 3) a square whose colour tells the label; the frame number can be read off its position."""
    rng = np.random.default_rng(seed)
    frames = np.full((num_frames, size, size, 3), 40 + rng.integers(20), dtype=np.uint8)
    colour = [(label * 83 + 60 * channel) % 200 + 55 for channel in range(3)]
    for index, frame in enumerate(frames):
        x = int(index / max(num_frames - 1, 1) * (size - 16))
        frame[8:24, x : x + 16] = colour
    return frames


def write_video(path: Path, frames: np.ndarray, **options: str) -> None:
    """Encode (F, H, W, 3) as H.264."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def write_images(folder: Path, frames: np.ndarray) -> None:
    """Write (F, H, W, 3) as 00001.jpg, 00002.jpg, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, start=1):
        cv2.imwrite(str(folder / f"{number:05d}.jpg"), frame[..., ::-1])


def write_csv(path: Path, header: str, rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def synthetic_tree(root: Path, per_class: int = 2, num_frames: int = 20) -> Path:
    """The layout of tools/prepare/synthetic.py, all four folds, with squares for faces."""
    labels, intensities = [], []
    for fold in range(1, 5):
        for label, word in enumerate(CLASSES):
            for take in range(per_class):
                name = f"s{fold}_{word}_{take}"
                write_video(root / "videos" / f"{name}.mp4", moving_square(num_frames, label, seed=fold * 100 + take))
                apex = ("", "") if word == "neutral" else (8, 13)
                labels.append([name, f"videos/{name}.mp4", word, f"s{fold}", fold, *apex, num_frames])
                peak = (
                    np.zeros(num_frames)
                    if word == "neutral"
                    else np.clip(1 - np.abs(np.arange(num_frames) - 10) / 8, 0, 1)
                )
                intensities.append([name, " ".join(f"{value:.3f}" for value in peak)])
    write_csv(root / "labels.csv", "name,path,label,subject,fold,apex_start,apex_end,num_frames", labels)
    write_csv(root / "intensities.csv", "name,intensities", intensities)
    (root / "card.json").write_text(json.dumps({"preset": "squares"}))
    return root


def dfew_tree(root: Path) -> Path:
    """Frames of DFEW's `clip_224x224` and its official lists, which count the classes from 1."""
    for fold in range(1, 6):
        for split in ("train", "test"):
            rows = []
            for label in range(1, 8):
                number = fold * 100 + label + (50 if split == "test" else 0)
                write_images(root / "Clip" / "clip_224x224" / f"{number:05d}", moving_square(12, label - 1))
                rows.append([number, label])
            write_csv(
                root / "EmoLabel_DataSplit" / f"{split}(single-labeled)" / f"set_{fold}.csv", "video_name,label", rows
            )
    return root


TREES: dict[str, Callable[[Path], Path]] = {"SyntheticFaces": synthetic_tree, "DFEW": dfew_tree}
"""A builder for every registered dataset: the contract tests ask for one."""
