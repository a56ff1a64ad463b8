"""Checkpoints of models that nobody trained, as a training leaves them, in a moment."""

from pathlib import Path
from typing import Any

import torch

from cefl_bench.config import classes_of, load_config, select_by_val
from cefl_bench.config_options import parse_options
from cefl_bench.plain import plain
from cefl_bench.registry import MODELS
from cefl_bench.runs import checkpoints
from helpers.run import SYNTHETIC, TINY


def untrained(
    path: Path, config: str = SYNTHETIC, options: tuple[str, ...] = TINY, dataset=None, select=False, **meta: Any
) -> Path:
    """Save a checkpoint with random weights; `meta` is what it says beside its config.

    Args:
        select: of a run that held a part of its training fold out.
    """
    built = load_config(config, parse_options(options), dataset=dataset)
    if select:
        select_by_val(built)
    torch.manual_seed(1)
    model = MODELS.build(built.model | {"data_preprocessor": built.data_preprocessor})
    model.init_weights()
    for name, tensor in model.state_dict().items():
        if name.startswith("head.") and tensor.ndim == 2:
            tensor.mul_(8)  # scores that differ from video to video
    known = {"epoch": 3, "iter": 9, "seed": 0, "config": plain(built.to_dict()) | {"num_processes": 1}}
    corpus = built.train_dataloader.dataset
    known |= {"classes": list(classes_of(corpus)), "dataset": corpus.type.METAINFO["name"]}
    checkpoints.save(path, {"meta": known | meta, "state_dict": model.state_dict(), "optimizer": {"state": {}}})
    return path
