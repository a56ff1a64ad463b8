"""A small corpus whose videos are all different, in the layout of the synthetic one."""

import csv
import functools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from helpers.media import write_csv, write_video
from helpers.trees import CLASSES

LENGTH, SIDE = 20, 48


@functools.cache
def scene(seed: int, num_frames: int = LENGTH, size: int = SIDE) -> np.ndarray:
    """(F, H, W, 3) a ball that wanders before soft colours; another seed gives another ball, way and background."""
    rng = np.random.default_rng(seed)
    fields = rng.integers(0, 200, (6, 6, 3), dtype=np.uint8)
    background = cv2.resize(fields, (size, size), interpolation=cv2.INTER_CUBIC)
    way = size / 2 + np.cumsum(rng.normal(0, size / 12, (num_frames, 2)), axis=0)
    frames = np.repeat(background[None], num_frames, axis=0)
    for frame, (x, y) in zip(frames, way, strict=True):
        cv2.circle(frame, (int(x) % size, int(y) % size), size // 6, (255, 255, 255), -1)
    return frames


def scenes_tree(root: Path) -> Path:
    """Four folds of a person each, seven classes; two takes of fear."""
    rows = []
    for fold in range(1, 5):
        for label, word in enumerate(CLASSES):
            for take in range(2 if word == "fear" else 1):
                name = f"s{fold}_{word}_{take}"
                write_video(root / "videos" / f"{name}.mp4", scene(fold * 100 + label * 10 + take))
                rows.append([name, f"videos/{name}.mp4", word, f"s{fold}", fold, "", "", LENGTH])
    write_csv(root / "labels.csv", "name,path,label,subject,fold,apex_start,apex_end,num_frames", rows)
    intensities = [[row[0], " ".join(["0.5"] * LENGTH)] for row in rows]
    write_csv(root / "intensities.csv", "name,intensities", intensities)
    (root / "card.json").write_text("{}")
    return root


def write_corpus(path: Path, root: Path) -> Path:
    """A corpus for `--dataset`: the one at `root`, whose videos may be files or folders of images."""
    path.write_text(
        "from cefl_bench.datasets.synthetic_faces import SyntheticFaces\n"
        "from cefl_bench.metrics.recall import Recall\n\n"
        f"corpus = dict(type=SyntheticFaces, data_root={str(root)!r})\n"
        "val_evaluator = [dict(type=Recall)]\ntest_evaluator = val_evaluator\n"
    )
    return path


def edit_rows(path: Path, edit: Callable[[dict[str, str]], object]) -> None:
    """Change the rows of a CSV in place; those for which `edit` gives False go."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    header = list(rows[0])
    kept = [row for row in rows if edit(row) is not False]
    write_csv(path, ",".join(header), [[row[column] for column in header] for row in kept])
