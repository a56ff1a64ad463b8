"""Small corpora in the layout of each dataset, with real encoded video or images in them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from helpers.media import moving_square, place_video, write_csv, write_images, write_video
from helpers.trees_lab import bu3dfe_tree, cremad_tree, mmi_tree, ravdess_tree
from helpers.trees_wild import afew_tree, dfew_tree, ferv39k_tree, mafw_tree

CLASSES = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")


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


def own_tree(root: Path) -> Path:
    """Two folds of videos and folders of images, with blanks, commas and letters that are not ASCII in their paths."""
    rows = []
    for fold, subject in ((1, "Zoë"), (2, "Łukasz")):
        for label, word in enumerate(("happy", "sad")):
            video, folder = f"Aufnahmen {fold}/{subject} lächelt, {word}.mp4", f"表情/{subject} {word}"
            place_video(root / video, label)
            write_images(root / folder, moving_square(12, label))
            rows += [
                [f"{word} {fold}", video, word, subject, fold],
                [f"表情 {word} {fold}", folder, word, subject, fold],
            ]
    write_csv(root / "videos.csv", "name,path,label,subject,fold", rows)
    return root


TREES: dict[str, Callable[[Path], Path]] = {
    "AFEW": afew_tree,
    "BU3DFE": bu3dfe_tree,
    "CREMAD": cremad_tree,
    "CSVVideos": own_tree,
    "DFEW": dfew_tree,
    "FERV39k": ferv39k_tree,
    "MAFW": mafw_tree,
    "MMI": mmi_tree,
    "RAVDESS": ravdess_tree,
    "SyntheticFaces": synthetic_tree,
}
"""A builder for every registered dataset: the contract tests ask for one."""
