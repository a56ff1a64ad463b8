"""Configs: loaded from a file and the command line, and resolved to plain values."""

import ast
import inspect
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import crosses

RESERVED = {
    "work_dir": "give --work-dir",
    "resume": "give --resume",
    "launcher": "give --launcher",
    "load_from": "initial weights are an argument of the backbone, so that the result can name them",
}
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
HELD_OUT = "held_out_dataloader"
"""Of the part of the training fold that chooses the epoch; only there where one is held out."""


def load_config(path: str | Path, options: Mapping[str, Any] | None = None, fold: int | None = None) -> Config:
    """Read a config file and apply what the command line says.

    Args:
        options: dotted paths to values, as `--cfg-options` gives them.
        fold: put into every dataset of the corpus that is trained on; None keeps the config's.

    Raises:
        UserError: naming the file, or the option that fits nothing in it.
    """
    path = Path(path)
    if not path.is_file():
        others = sorted(file.stem for file in path.parent.glob("*.py")) if path.parent.is_dir() else []
        hint = f"; in {path.parent} there are: {', '.join(others)}" if others else ""
        raise UserError(f"config {str(path)!r} does not exist{hint}")
    try:
        config = Config.fromfile(path, lazy_import=True)
    except Exception as error:  # a config is Python: anything may go wrong in it
        reason = " ".join(str(error).split())
        raise UserError(f"config {str(path)!r} cannot be read ({type(error).__name__}: {reason})") from None
    missing = [name for name in ("model", "data_preprocessor", "test_dataloader") if name not in config]
    if missing:
        raise UserError(
            f"config {str(path)!r} has no {', '.join(missing)}: expected a leaf of configs/, not a base file"
        )
    if fold is not None:
        for name in LOADERS:
            if not crosses(config[name]):
                config[name].dataset.fold = fold
    for key in options or {}:
        _check_option(config, key)
    # lists are indexed by number: test_dataloader.dataset.pipeline.0.size=64
    config.merge_from_dict(dict(options or {}))
    return config


def plain(value: Any) -> Any:
    """A config as JSON can hold it: classes and functions as dotted names, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str | int | float | bool | None):
        return value
    return f"{value.__module__}.{value.__qualname__}"


def track_of(config_name: str) -> str:
    """`paper` for a leaf named `*_paper`, a method's own published recipe; else `fair`."""
    return "paper" if config_name.endswith("_paper") else "fair"


def _check_option(config: Config, key: str) -> None:
    """The parent of the option must be there: a misspelt path would otherwise set something that nobody reads."""
    if key.split(".")[0] in RESERVED:
        raise UserError(f"--cfg-options {key}: {RESERVED[key.split('.')[0]]}")
    here: Any = config
    for depth, part in enumerate(key.split(".")[:-1]):
        try:
            here = here[int(part)] if isinstance(here, list) else here[part]
        except (KeyError, ValueError, IndexError, TypeError, AttributeError):
            raise UserError(
                f"--cfg-options {key}: the config has no {'.'.join(key.split('.')[: depth + 1])!r}: expected a path in "
                "it, such as train_cfg.max_epochs=1"
            ) from None
    last = key.split(".")[-1]
    if isinstance(here, Mapping | Config) and last not in here and not _accepts(here, last, config):
        raise UserError(f"--cfg-options {key}: there is no {last!r}: expected one of {', '.join(sorted(here.keys()))}")


def _accepts(part: Mapping[str, Any] | Config, name: str, config: Config) -> bool:
    """Whether something may be added to a part of a config: an argument of its type, anything to a dict without one."""
    if part is config or part is config.train_cfg:
        return False
    kind = part.get("type")
    if not inspect.isclass(kind):
        return True
    parameters = inspect.signature(kind).parameters
    return name in parameters or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE` words of a command line -> values: Python literals where they are some, else text."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise UserError(f"--cfg-options {pair!r}: expected KEY=VALUE, such as train_cfg.max_epochs=1")
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            options[key] = value
    return options
