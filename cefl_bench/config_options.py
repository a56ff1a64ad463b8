"""What `--cfg-options` says: values of a config by their dotted paths."""

import ast
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import is_other_corpus
from cefl_bench.registry import arguments_of

RESERVED = {
    "work_dir": "give --work-dir",
    "resume": "give --resume",
    "launcher": "give --launcher",
    "load_from": "initial weights are an argument of the backbone, so that the result can name them",
    "config_name": "give --work-dir to name a run's folder, or write a leaf",
}
ANY_OTHER = "*"
"""Among the names that a part takes: whatever else one writes."""


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


def apply_options(config: Config, options: Mapping[str, Any]) -> None:
    """Change values of a config, each by its dotted path.

    `corpus.KEY` and `test_corpus.KEY` also work in a resolved config, where each loader has its corpus.

    Raises:
        UserError: naming a path that is not in the config.
    """
    options = _of_each_loader(config, options)
    for key in options:
        _check_option(config, key)
    # lists are indexed by number: test_dataloader.dataset.pipeline.0.size=64
    config.merge_from_dict(dict(options))


def _of_each_loader(config: Config, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a corpus that is no part of its own any more -> those of the datasets that it was written into."""
    found: dict[str, Any] = {}
    for key, value in options.items():
        corpus, _, rest = key.partition(".")
        is_other = corpus == "test_corpus"
        paths = [key]
        if corpus in ("corpus", "test_corpus") and corpus not in config and rest:
            loaders = [name for name in config if name.endswith("_dataloader") and "dataset" in config[name]]
            of_corpus = [name for name in loaders if is_other_corpus(config[name].dataset) == is_other]
            paths = [f"{name}.dataset.{rest}" for name in of_corpus] or paths
        found |= dict.fromkeys(paths, value)
    return found


def _check_option(config: Config, key: str) -> None:
    """The parent of the option must be there: a misspelt path would otherwise set a value that is never read."""
    if key.split(".")[0] in RESERVED:
        raise UserError(f"--cfg-options {key}: {RESERVED[key.split('.')[0]]}")
    here: Any = config
    for depth, part in enumerate(key.split(".")[:-1]):
        try:
            here = here[int(part)] if isinstance(here, list) else here[part]
        except (KeyError, ValueError, IndexError, TypeError, AttributeError):
            if isinstance(here, Mapping) and part in _arguments(here, config):
                return  # an argument that the config leaves out, such as trunk_args: what is in it is not ours to know
            raise UserError(
                f"--cfg-options {key}: the config has no {'.'.join(key.split('.')[: depth + 1])!r}: expected a path in "
                "it, such as train_cfg.max_epochs=1"
            ) from None
    last = key.split(".")[-1]
    if not isinstance(here, Mapping | Config):
        return
    known = {*here.keys(), *_arguments(here, config)}
    if not {last, ANY_OTHER} & known:
        raise UserError(f"--cfg-options {key}: there is no {last!r}: expected one of {', '.join(sorted(known))}")


def _arguments(part: Mapping[str, Any] | Config, config: Config) -> set[str]:
    """What may be added to a part of a config: the arguments of its type, anything to a dict without one."""
    if part is config or part is config.train_cfg:
        return set()
    kind = part.get("type")
    if not inspect.isclass(kind):
        return {ANY_OTHER}
    arguments = arguments_of(kind)
    return {*arguments.kinds} | ({ANY_OTHER} if arguments.any_other else set())
