"""The schedule of fine-tuning, iteration by iteration: each layer's rate rises, then falls along one cosine."""

import copy
import math
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from cefl_bench.models.backbones.video_mae import VideoMAE

SCHEDULE = Path(__file__).parents[2] / "configs" / "_base_" / "schedules" / "finetune.py"
BATCHES = 4


def test_every_layer_warms_up_and_falls_by_its_own_rate():
    schedule = Config.fromfile(SCHEDULE, lazy_import=True)
    model = nn.Module()
    model.backbone = VideoMAE(**VideoMAE.tiny)
    model.head = nn.Linear(24, 7)
    optimizer = build_optim_wrapper(model, copy.deepcopy(schedule.optim_wrapper)).optimizer
    base = [group["lr"] for group in optimizer.param_groups]
    torch.testing.assert_close(max(base), 1e-3 * 32 / 256)
    torch.testing.assert_close(min(base), max(base) * 0.75**3)
    schedulers = []
    for settings in schedule.param_scheduler:
        settings = {key: value for key, value in settings.items() if key != "convert_to_iter_based"}
        kind = settings.pop("type")
        schedulers.append(kind.build_iter_from_epoch(optimizer=optimizer, epoch_length=BATCHES, **settings))
    warm, last = 5 * BATCHES, 100 * BATCHES
    for step in range(last):
        if step < warm:
            share = 0.001 + 0.999 * min(step / (warm - 1), 1)
        else:
            share = 0.001 + 0.999 * (1 + math.cos(math.pi * (step - warm) / (last - warm))) / 2
        rates = [group["lr"] / rate for group, rate in zip(optimizer.param_groups, base, strict=True)]
        torch.testing.assert_close(rates, [share] * len(base), rtol=1e-6, atol=1e-9)
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
