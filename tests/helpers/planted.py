"""A training whose scores are planted: what it gets right in which epoch is written here, and no arithmetic moves it.

Its one weight counts the batches it has seen, a whole number; its videos are grey, and how light they are says what
they show. From both follows what it answers. All else is real: videos, loader, optimiser, checkpoints, tests.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.base import Head
from helpers.media import write_csv, write_video
from helpers.run import ROOT
from helpers.trees import CLASSES

HELD_OUT_RIGHT = (2, 4, 4, 3)
"""Of the 7 held-out videos so many are right after each epoch: best after 2, the earliest of equal ones."""
TEST_RIGHT = (1, 2, 3, 1)
"""Of the 7 test videos, whose labels are one class on: best after 3, and the last epoch is neither."""
NUM_EPOCHS, SELECTED, BEST_TEST = 4, 2, 3
BATCHES_PER_EPOCH = 2
DARKEST, STEP, NUM_FRAMES = 20, 30, 16

CONFIG = '''"""A training with planted scores."""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.runtime import *

from mmengine.optim import OptimWrapper
from torch.optim import SGD

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.recognizer import Recognizer
from helpers.planted import Lightness, PlantedHead

model = dict(
    type=Recognizer, backbone=dict(type=Lightness), aggregator=dict(type=MeanClips), head=dict(type=PlantedHead)
)
data_preprocessor.update(size=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
train_dataloader.update(batch_size=7, num_workers=1)
val_dataloader.update(batch_size=7, num_workers=1)
test_dataloader = val_dataloader
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=1)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=1.0))
param_scheduler = []
'''


class Lightness(Backbone):
    """(B * N, C, T, H, W) -> (B * N, 1): how light a clip is, in 0..1."""

    feat_dim = 1

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        return clip_BCTHW.flatten(1).mean(dim=1, keepdim=True)


class PlantedHead(Head):
    """(B, 1) -> (B, K): 1 for the class that is answered, 0 for the others."""

    def __init__(self, in_dim: int, num_classes: int) -> None:
        super().__init__(in_dim, num_classes)
        self.batches_seen = nn.Parameter(torch.zeros(()))

    def forward(self, lightness_B1: torch.Tensor) -> torch.Tensor:
        epoch = min(max(round(self.batches_seen.item()) // BATCHES_PER_EPOCH, 1), NUM_EPOCHS)
        shown_B = ((lightness_B1[:, 0] * 255 - DARKEST) / STEP).round().long().clamp(0, self.num_classes - 1)
        answer_B = torch.tensor([answer(int(shown), epoch) for shown in shown_B])
        return 5 * nn.functional.one_hot(answer_B, self.num_classes).float()

    def loss(self, lightness_B1: torch.Tensor, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        """Its gradient is -1: a step of plain SGD with a learning rate of 1 adds 1."""
        return {"loss_planted": -self.batches_seen}


def answer(shown: int, epoch: int) -> int:
    """What a video that shows a class is taken for: right if held out, right if tested (one class on), or neither."""
    if shown < HELD_OUT_RIGHT[epoch - 1]:
        return shown
    if shown >= len(CLASSES) - TEST_RIGHT[epoch - 1]:
        return (shown + 1) % len(CLASSES)
    return (shown + 2) % len(CLASSES)


def test_confusion(epoch: int) -> list[list[int]]:
    """(K, K) the planted confusion matrix of the test videos: true class by answer."""
    matrix = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    for shown in range(len(CLASSES)):
        matrix[(shown + 1) % len(CLASSES), answer(shown, epoch)] += 1
    return matrix.tolist()


test_confusion.__test__ = False  # its name begins as those of tests do


def planted_tree(root: Path) -> Path:
    """The layout of the synthetic corpus: a person per fold, a video per class; labels of fold 1 are one class on."""
    rows = []
    for fold in range(1, 5):
        for shown in range(len(CLASSES)):
            name = f"s{fold}_{shown}"
            frames = np.full((NUM_FRAMES, 32, 32, 3), DARKEST + STEP * shown, dtype=np.uint8)
            write_video(root / "videos" / f"{name}.mp4", frames)
            label = CLASSES[(shown + (fold == 1)) % len(CLASSES)]
            rows.append([name, f"videos/{name}.mp4", label, f"s{fold}", fold, "", "", NUM_FRAMES])
    write_csv(root / "labels.csv", "name,path,label,subject,fold,apex_start,apex_end,num_frames", rows)
    intensities = [[row[0], " ".join(["0.5"] * NUM_FRAMES)] for row in rows]
    write_csv(root / "intensities.csv", "name,intensities", intensities)
    (root / "card.json").write_text("{}")
    return root


def planted_config(folder: Path) -> Path:
    """Write the config into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_base_").symlink_to(ROOT / "configs" / "_base_")
    (folder / "planted_synthetic.py").write_text(CONFIG)
    return folder / "planted_synthetic.py"
