"""Five registries, each filled from the folder of its name: a new file there is known without editing a list."""

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

from mmengine import registry as mmengine
from typing_extensions import Unpack


def _modules(folder: str) -> list[str]:
    """Dotted names of all modules below `cefl_bench/<folder>`, in a fixed order."""
    package = Path(__file__).parent
    files = sorted((package / folder).rglob("*.py"))
    return [".".join(("cefl_bench", *file.relative_to(package).with_suffix("").parts)) for file in files]


def _registry(name: str, parent: mmengine.Registry) -> mmengine.Registry:
    return mmengine.Registry(parent.name, parent=parent, scope="cefl_bench", locations=_modules(name))


DATASETS = _registry("datasets", mmengine.DATASETS)
TRANSFORMS = _registry("transforms", mmengine.TRANSFORMS)
MODELS = _registry("models", mmengine.MODELS)
METRICS = _registry("metrics", mmengine.METRICS)
HOOKS = _registry("hooks", mmengine.HOOKS)


def registered(registry: mmengine.Registry, contract: type = object) -> dict[str, type]:
    """Every class of a registry that fulfils a contract, by name: `registered(MODELS, Backbone)`."""
    registry.import_from_location()
    return {name: cls for name, cls in sorted(registry.module_dict.items()) if issubclass(cls, contract)}


class Arguments(NamedTuple):
    """What a config may give a class."""

    kinds: dict[str, Any]
    """Name -> annotation, None without one."""
    any_other: bool
    """Whether it takes names that its signature does not tell."""


def arguments_of(kind: Callable[..., Any]) -> Arguments:
    """The arguments of a class or a function; `**options: Unpack[Options]` are those that the typed dict names."""
    parameters = inspect.signature(kind).parameters
    try:
        hints = typing.get_type_hints(kind.__init__ if inspect.isclass(kind) else kind)
    except NameError:  # annotations that name what is not there
        hints = {}
    kinds: dict[str, Any] = {}
    any_other = False
    for name, parameter in parameters.items():
        hint = hints.get(name)
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            kinds[name] = hint
        elif get_origin(hint) is Unpack:
            kinds |= typing.get_type_hints(get_args(hint)[0])
        else:
            any_other = True
    return Arguments(kinds, any_other)
