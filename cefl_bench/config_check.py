"""Is every value of a config of the right kind, before anything is built: what torch and mmengine would refuse late."""

import inspect
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from mmengine.config import Config

from cefl_bench.compute.switches import compute_of
from cefl_bench.errors import UserError
from cefl_bench.registry import arguments_of

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Rate = Annotated[float, msgspec.Meta(gt=0)]
Seed = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Loader(msgspec.Struct):
    """A DataLoader's arguments."""

    batch_size: Positive
    dataset: dict[str, Any]
    num_workers: NotNegative = 0
    persistent_workers: bool = False
    pin_memory: bool = False
    prefetch_factor: Positive | None = None
    drop_last: bool = False


class Optimizer(msgspec.Struct):
    """What optimisers of torch have in common."""

    lr: Rate = 1.0
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    momentum: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0


class ClipGrad(msgspec.Struct):
    """Arguments of torch's clip_grad_norm_ or clip_grad_value_."""

    max_norm: Rate | None = None
    clip_value: Rate | None = None


class OptimWrapper(msgspec.Struct):
    """mmengine's wrapper of an optimiser."""

    optimizer: Optimizer
    accumulative_counts: Positive = 1
    clip_grad: ClipGrad | None = None


class TrainCfg(msgspec.Struct):
    """mmengine's training loop."""

    max_epochs: Positive
    val_interval: Positive = 1
    val_begin: NotNegative = 1
    by_epoch: bool = True


class Randomness(msgspec.Struct):
    """How randomness is seeded."""

    seed: Seed
    deterministic: bool = False
    diff_rank_seed: bool = False


class Settings(msgspec.Struct):
    """The values of a config that do not belong to a class of this package."""

    test_dataloader: Loader
    model: dict[str, Any]
    data_preprocessor: dict[str, Any]
    train_dataloader: Loader | None = None
    val_dataloader: Loader | None = None
    train_cfg: TrainCfg | None = None
    optim_wrapper: OptimWrapper | None = None
    randomness: Randomness | None = None
    param_scheduler: list[dict[str, Any]] | dict[str, Any] | None = None
    custom_hooks: list[dict[str, Any]] | None = None
    data_on: str = "auto"


def check_values(config: Config) -> None:
    """Check a resolved config by `Settings`, and the arguments of every part by the annotations of its class.

    Raises:
        UserError: naming the path of the first value that does not fit, and what was expected.
    """
    values = config.to_dict()
    try:
        msgspec.convert(_builtin(values), Settings)
    except msgspec.ValidationError as error:
        raise UserError(_in_words(str(error), values)) from None
    if config.get("train_cfg", {}).get("by_epoch", True) is not True or "type" in config.get("train_cfg", {}):
        raise UserError("train_cfg: expected by_epoch=True and no type: a training is counted and resumed in epochs")
    _check_finite(values)
    compute_of(values)
    for path, part in _parts(config._cfg_dict):
        _check_arguments(path, part)


def _check_finite(value: Any, path: str = "") -> None:
    """Refuse numbers that no training can use, and that a result cannot keep, as JSON has none."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{path} is {value!r}: expected a finite number")
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    for key, item in items:
        _check_finite(item, f"{path}.{key}" if path else str(key))


def _check_arguments(path: str, part: Mapping[str, Any]) -> None:
    """The arguments of one part against the signature of its class."""
    kind = part["type"]
    try:
        kinds = arguments_of(kind).kinds
    except (TypeError, ValueError):  # a class without a signature
        return
    for name, value in part.items():
        if name == "type" or kinds.get(name) is None:
            continue
        if isinstance(value, Mapping) and "type" in value:  # it becomes an object, and is checked on its own
            continue
        try:
            msgspec.convert(_builtin(value), kinds[name])
        except msgspec.ValidationError as error:
            raise UserError(_in_words(str(error), {path: {name: value}}, f"{path}.{name}")) from None
        except TypeError:
            continue  # a kind of value that only the class itself can check


def _parts(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every dict of a config that names a class, with its path."""
    if isinstance(value, Mapping):
        if inspect.isclass(value.get("type")):
            yield path, value
        for key in value:
            yield from _parts(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _parts(item, f"{path}.{place}")


def _builtin(value: Any) -> Any:
    """Plain dicts and lists, which msgspec knows; anything else as it is."""
    if isinstance(value, Mapping):
        return {key: _builtin(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_builtin(item) for item in value]
    return value


WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "str": "a text",
    "array": "a list",
    "object": "a dict",
    "null": "None",
    "|": "or",
    ">=": "from",
    "<=": "up to",
    ">": "above",
    "<": "below",
    "0.0": "0",
    "1.0": "1",
}
"""msgspec's words -> ours."""


def _in_words(error: str, values: Mapping[str, Any], path: str = "") -> str:
    """Msgspec's `Expected X, got Y - at `$.a.b`` as a line of ours, with the value itself."""
    expected, _, place = error.partition(" - at `$")
    inner = place.rstrip("`").replace("[", ".").replace("]", "").strip(".")
    if not path:
        path, value = inner, _value_at(values, inner)
    else:
        value = next(iter(next(iter(values.values())).values()))
    wanted = expected.removeprefix("Expected ").partition(", got ")[0].replace("`", "")
    wanted = " ".join(WORDS.get(word, word) for word in wanted.split(" "))
    if expected.startswith("Object missing required field"):
        return f"{path or 'the config'} has no {expected.rpartition('field ')[2].strip('`')}: expected one"
    return f"{path} is {value!r}: expected {wanted}"


def _value_at(values: Any, path: str) -> Any:
    for part in path.split("."):
        try:
            values = values[int(part)] if isinstance(values, list | tuple) else values[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return values
