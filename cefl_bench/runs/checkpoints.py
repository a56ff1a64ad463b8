"""Checkpoints: weights and plain numbers, loaded without running any code, written whole or not at all."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path


def save(path: str | Path, checkpoint: dict[str, Any]) -> None:
    """Save a dict of tensors, numbers, strings and containers of them, atomically."""
    with atomic_path(path) as temporary:
        torch.save(checkpoint, temporary)


class Inert:
    """Takes the place of an object that a checkpoint holds beside its weights; keeps its data, does nothing."""


HARMLESS = [
    # the log object in checkpoints of Former-DFER's authors, and the NumPy arrays in it, by their old and new names
    (Inert, "__main__.RecorderMeter"),
    *((np._core.multiarray._reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    *(np.ndarray, np.dtype, type(np.dtype(np.float32)), type(np.dtype(np.float64))),
]
"""What a checkpoint may hold besides tensors and plain values. None of it runs code of the file."""


def load(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Load what `save` wrote, or any file of weights. Refuses everything that would need to run code.

    Raises:
        UserError: when the file is missing, damaged, or holds more than weights and plain values.
    """
    if not Path(path).is_file():
        raise UserError(f"checkpoint {str(path)!r} does not exist: expected a .pth file, as tools/train.py leaves it")
    try:
        with torch.serialization.safe_globals(HARMLESS):
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"checkpoint {str(path)!r} was refused: it holds more than weights and plain values, which could "
            f"run code when loaded ({_first_line(error)}); save its state_dict alone"
        ) from None
    except (RuntimeError, EOFError, KeyError, ValueError) as error:
        raise UserError(
            f"checkpoint {str(path)!r} is damaged or not a checkpoint ({_first_line(error)}); copy or download it again"
        ) from None
    if not isinstance(checkpoint, dict):
        raise UserError(f"checkpoint {str(path)!r} holds a {type(checkpoint).__name__}: expected a dict of weights")
    return checkpoint


def state_dict_of(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint: under `state_dict` where there is one, else the whole dict; `module.` taken off."""
    weights = checkpoint.get("state_dict", checkpoint)
    return {name.removeprefix("module."): tensor for name, tensor in weights.items()}


def load_into(model: torch.nn.Module, path: str | Path) -> dict[str, Any]:
    """Load a checkpoint's weights into a model, every key of both sides matched, and return the checkpoint.

    Raises:
        UserError: naming the first keys that do not fit.
    """
    checkpoint = load(path)
    fill(model, checkpoint, path)
    return checkpoint


def fill(model: torch.nn.Module, checkpoint: dict[str, Any], path: str | Path) -> None:
    """Fill a model with the weights of a checkpoint that was loaded from `path`.

    Raises:
        UserError: naming the first keys that do not fit.
    """
    try:
        model.load_state_dict(state_dict_of(checkpoint), strict=True)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise UserError(
            f"checkpoint {str(path)!r} does not fit the model of the config ({' '.join(str(error).split())[:400]}); "
            "use the config it was trained with"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]


def _refuse(filename: str, map_location: Any = None) -> None:
    raise UserError(f"weights {filename!r} were refused: only local files are loaded; download the file first")


def make_mmengine_strict() -> None:
    """Route mmengine's own checkpoint loading (`init_cfg`, `load_from`) through `load`.

    mmengine falls back to full unpickling when the safe way fails, and some of its prefixes download.
    """
    for prefix in tuple(CheckpointLoader._schemes):
        CheckpointLoader.register_scheme(prefix, load if prefix == "" else _refuse, force=True)


make_mmengine_strict()
