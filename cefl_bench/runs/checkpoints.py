"""Checkpoints: weights and plain numbers, loaded without running any code, written whole or not at all."""

import hashlib
import json
import pickle
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_safetensors
from typing_extensions import NotRequired

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.functional.escaping import one_line
from cefl_bench.runs.built_in import check_checkpoint, checkpoint_file
from cefl_bench.runs.folder import A_CHECKPOINT
from cefl_bench.runs.inert import STAND_INS

WEIGHTS_KEYS = ("state_dict", "model_state_dict", "model", "module")
"""Where a checkpoint may hold its weights, ours or of others; one without any of them is weights itself."""
SAFETENSORS = ".safetensors"
"""The suffix of published weights."""
META_KEY = "cefl_bench"
"""Where a .safetensors file holds its `Meta`, as JSON."""
STARTS = (b"PK", b"\x80")
"""How what torch saves begins: as a zip file, or a pickle in older ones."""
FULL_DISK_BYTES = 1 << 20
"""A disk with less free space than this counts as full."""


class Meta(TypedDict):
    """What a checkpoint of a training says of itself."""

    epoch: int
    iter: int
    seed: int
    config: dict[str, Any]
    """The resolved config, with `num_processes`."""
    protocol: NotRequired[dict[str, Any]]
    classes: NotRequired[list[str]]
    """In the order of the labels that the model was trained with."""
    dataset: NotRequired[str]
    data_fingerprint: NotRequired[dict[str, str]]
    trained_on: NotRequired[str]
    """The name of the corpus; `dataset` names another one beside it where the test is on that."""
    learned_from: NotRequired[list[str]]
    """Which videos of it the weights learnt from; see `commands/unseen.py`."""
    calibration: NotRequired[dict[str, Any]]
    """What scores are divided by, and how that was found; see `functional/calibration.py`."""


def save(path: str | Path, checkpoint: dict[str, Any]) -> None:
    """Save a dict of tensors, numbers, strings and containers of them, atomically.

    Raises:
        UserError: when the disk is full.
    """
    try:
        with atomic_path(path) as temporary:
            torch.save(checkpoint, temporary)
    except (OSError, RuntimeError) as error:  # torch says of a full disk that a file position is unexpected
        free = shutil.disk_usage(Path(path).parent).free
        if isinstance(error, RuntimeError) and free >= FULL_DISK_BYTES and "write" not in str(error):
            raise
        reason = error.strerror if isinstance(error, OSError) else f"{free / 1e6:.1f} MB are free on its disk"
        raise UserError(
            f"{path} could not be written: {reason}; what was there before is untouched: make room, then run the same "
            "command with --resume"
        ) from None


def load(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Load what `save` wrote, any file of weights, or the built-in ones by name. Refuses what would need to run code.

    Raises:
        UserError: when the file is missing, damaged, or holds more than weights and plain values.
    """
    check_checkpoint(path)
    path = checkpoint_file(path)
    if path.suffix == SAFETENSORS:
        return _load_published(path, map_location)
    try:
        with torch.serialization.safe_globals(STAND_INS):
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except MemoryError:
        raise UserError(f"checkpoint {str(path)!r} asks for more memory than there is: it is damaged") from None
    except Exception as error:  # a damaged file can end in any error of any step of reading it
        raise UserError(f"checkpoint {str(path)!r} {_refusal(path, error)}") from None
    if not isinstance(checkpoint, dict):
        raise UserError(f"checkpoint {str(path)!r} holds a {type(checkpoint).__name__}: expected a dict of weights")
    return checkpoint


def _refusal(path: Path, error: Exception) -> str:
    """Why a file does not load: never in the words of torch, which advises to load what runs code."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or _first_line(error)})"
    with open(path, "rb") as file:
        start = file.read(2)
    if start and not start.startswith(STARTS):
        return f"is not a checkpoint: expected {A_CHECKPOINT[1]}"
    if isinstance(error, pickle.UnpicklingError):
        named = re.search(r"GLOBAL (\S+)", str(error))
        name = f", such as {one_line(named[1])[:100]}" if named else ""
        return (
            f"was refused: it holds more than weights and plain values{name}, which could run code when loaded; "
            "save its state_dict alone"
        )
    return f"is damaged or not a checkpoint ({type(error).__name__}: {_first_line(error)}); copy or download it again"


def publish(path: str | Path, weights: Mapping[str, torch.Tensor], meta: Meta) -> None:
    """Write weights, and what they say of their training, as a .safetensors file, atomically; `load` reads it.

    Raises:
        UserError: when it cannot be written.
    """
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    told = {META_KEY: json.dumps(meta, allow_nan=False), "format": "pt"}
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(as_safetensors(ready, metadata=told))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{path} could not be written ({reason}): make room, or name another --out") from None


def _load_published(path: str | Path, map_location: Any) -> dict[str, Any]:
    try:
        with safe_open(path, framework="pt", device=str(map_location)) as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dict
            meta = (file.metadata() or {}).get(META_KEY)
        known = {} if meta is None else {"meta": json.loads(meta)}
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise UserError(
            f"checkpoint {str(path)!r} is damaged or not a .safetensors file ({_first_line(error)}); copy or download "
            "it again"
        ) from None
    return known | {"state_dict": weights}


def meta_of(checkpoint: dict[str, Any], path: str | Path) -> Meta | None:
    """What a checkpoint says of its training; None for weights alone.

    Raises:
        UserError: naming the field that is not what a training leaves.
    """
    meta = checkpoint.get("meta")
    if meta is None or (isinstance(meta, dict) and "config" not in meta):
        return None
    try:
        known = msgspec.convert(meta, Meta)
        dataset = known["config"]["train_dataloader"]["dataset"]
        if not isinstance(dataset["fold"], int):
            raise TypeError("the fold is not a number")
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise UserError(
            f"checkpoint {str(path)!r} says of its training what no training says ({_first_line(error)}): it is "
            "damaged, or of another toolkit; save its state_dict alone and give the config"
        ) from None
    return known


def weights_sha256(weights: Mapping[str, torch.Tensor]) -> str:
    """A hash of the names and the numbers of weights, in whatever order and whichever file they lie."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def state_dict_of(checkpoint: dict[str, Any], path: str | Path = "") -> dict[str, torch.Tensor]:
    """The weights in a checkpoint; `module.`, which wrapping adds to names, is taken off.

    Raises:
        UserError: when there are none.
    """
    inner = [checkpoint[key] for key in WEIGHTS_KEYS if isinstance(checkpoint.get(key), dict)]
    weights = inner[0] if inner else checkpoint
    tensors = {
        name.removeprefix("module."): tensor
        for name, tensor in weights.items()
        if isinstance(name, str) and torch.is_tensor(tensor)
    }
    if not tensors:
        raise UserError(f"checkpoint {str(path)!r} holds no weights: expected tensors by name, alone or in state_dict")
    return tensors


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
    weights = state_dict_of(checkpoint, path)
    try:
        model.load_state_dict(weights, strict=True)
    except (RuntimeError, AttributeError, TypeError, NotImplementedError) as error:
        raise UserError(
            f"checkpoint {str(path)!r} does not fit the model of the config ({' '.join(str(error).split())[:400]}); "
            "use the config it was trained with"
        ) from None


def _first_line(error: Exception) -> str:
    return one_line(str(error).strip().partition("\n")[0])[:200]


def _refuse(filename: str, map_location: Any = None) -> None:
    raise UserError(f"weights {filename!r} were refused: only local files are loaded; download the file first")


def make_mmengine_strict() -> None:
    """Route mmengine's own checkpoint loading (`init_cfg`, `load_from`) through `load`.

    mmengine falls back to full unpickling when the safe way fails, and some of its prefixes download.
    """
    for prefix in tuple(CheckpointLoader._schemes):
        CheckpointLoader.register_scheme(prefix, load if prefix == "" else _refuse, force=True)


make_mmengine_strict()
