"""Five registries, each filled from the folder of its name: a new file there is known without editing a list."""

from pathlib import Path

from mmengine import registry as mmengine


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
