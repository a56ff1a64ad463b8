"""A config as plain values, as result.json and checkpoints hold it, and back."""

import importlib
import inspect
import math
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.config.lazy import LazyObject

from cefl_bench.errors import UserError

OURS = "cefl_bench."
OTHERS = ("mmengine.dataset.", "mmengine.optim.", "torch.optim.")
HOOKS = ("RuntimeInfoHook", "IterTimerHook", "ParamSchedulerHook", "DistSamplerSeedHook", "SyncBuffersHook", "EMAHook")
FUNCTIONS = ("mmengine.dataset.default_collate", "mmengine.dataset.pseudo_collate")


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


def from_plain(values: Mapping[str, Any], source: str, from_file: bool = False) -> Config:
    """The config that `plain` was made of.

    The values may come from a checkpoint of a stranger. So they can name the classes of this package, the optimisers
    and schedulers of torch and mmengine, and a few hooks: never a function of any module, and no class that writes.

    Args:
        source: where the values come from, for messages.
        from_file: they are those of a config file that the user gave, which is code and may name any class.

    Raises:
        UserError: when they name another type.
    """
    return Config(_with_types(values, source, from_file))


def _with_types(value: Any, source: str, from_file: bool) -> Any:
    if isinstance(value, Mapping):
        named = {key: _with_types(item, source, from_file) for key, item in value.items()}
        for key in ("type", "classes_as", "constructor"):
            if isinstance(named.get(key), str):
                named[key] = _type_named(named[key], source, from_file)
        return named
    if isinstance(value, list | tuple):
        return type(value)(_with_types(item, source, from_file) for item in value)
    return value


def _type_named(name: str, source: str, from_file: bool) -> LazyObject:
    module, _, attribute = name.rpartition(".")
    known = name.startswith((OURS, *OTHERS)) or (module.startswith("mmengine.hooks") and attribute in HOOKS)
    if not (known or from_file):
        raise UserError(
            f"{source}: type {name!r} is not one that this toolkit looks up by name: give the config file, which may "
            "use classes of any package"
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"{source}: type {name!r} is not there ({error}): put its package on PYTHONPATH, or give the config "
            "file of this version"
        ) from None
    if not inspect.isclass(found) and name not in FUNCTIONS:
        raise UserError(f"{source}: type {name!r} is not a class: expected a part that a config can build")
    return LazyObject(module, attribute)  # keeps the name it was found by, so that the config compares equal
