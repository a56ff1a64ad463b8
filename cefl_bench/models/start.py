"""What initial weights were trained on: a short name for tables, told from an `init_cfg` without loading anything."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from cefl_bench.errors import UserError
from cefl_bench.files import expanded, sha256_of
from cefl_bench.runs.built_in import checkpoint_file

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

# timm and torchvision are imported where they are asked: they take seconds, which most tools need not wait for
SOURCES = ("checkpoint", "timm", "torchvision")
OTHER_DATA = re.compile(r"clip|laion|openai|datacomp|dfn|webli|ig1b|yfcc|jft|seer|swag|m30m|m38m|lvd|ssld|sam|dino")
"""Parts of timm's tags that say more than ImageNet was seen."""
TORCHVISION_DATA = {"IMAGENET1K": "ImageNet", "KINETICS400": "Kinetics-400"}


class InitSource(NamedTuple):
    """Where initial weights come from."""

    start: str = "scratch"
    """For a table: `scratch`, `ImageNet`, `ImageNet-21k`, `Kinetics-400`, `file`, or what `init_cfg.start` says."""
    source: str = "scratch"
    """Which weights exactly: the library's name of them, or a file's name and the start of its SHA-256."""
    weights_sha256: str = ""
    """Of all numbers that were read, whichever file they came in; empty before they are, and for scratch."""


def init_source(init_cfg: Mapping[str, str | None] | None) -> InitSource:
    """The start that an `init_cfg` names.

    Raises:
        UserError: when it does not name one source, or one that there is not.
    """
    if init_cfg is None:
        return InitSource()
    kind, name = check_source(init_cfg)
    found = NAMED[kind](name)
    return found._replace(start=init_cfg.get("start") or found.start)


def start_name(init_cfg: Mapping[str, str | None] | None) -> str:
    """What the weights that an `init_cfg` names were trained on, in a word; a file that says it need not be there."""
    return (init_cfg or {}).get("start") or init_source(init_cfg).start


def check_source(init_cfg: Mapping[str, str | None]) -> tuple[str, str]:
    """The one source that an `init_cfg` names: its kind, of `SOURCES`, and its name.

    Raises:
        UserError: when it is none, more than one, or something else.
    """
    if not isinstance(init_cfg, Mapping) or set(init_cfg) - {*SOURCES, "start"}:
        raise UserError(
            f"init_cfg is {init_cfg!r}: expected dict(checkpoint=FILE), dict(timm=NAME) or dict(torchvision=NAME), "
            "with start='faces' or the like for what a file was trained on, and None for scratch"
        )
    given = [(kind, name) for kind in SOURCES if (name := init_cfg.get(kind))]
    if len(given) != 1:
        raise UserError(
            f"init_cfg names {len(given)} sources ({dict(init_cfg)}): expected one; what a config names is taken back "
            "with --cfg-options model.backbone.init_cfg.timm=None"
        )
    return given[0]


def torchvision_weights(name: str) -> "WeightsEnum":
    """Torchvision's best weights of a network.

    Raises:
        UserError: when it has no such network.
    """
    import torchvision

    if name not in torchvision.models.list_models():
        raise UserError(f"init_cfg: torchvision has no network {name!r}: see torchvision.models.list_models()")
    return torchvision.models.get_model_weights(name).DEFAULT


def timm_tag(name: str) -> tuple[str, str]:
    """Timm's name of a network without its tag, and the tag of the weights that it loads.

    Raises:
        UserError: when timm has no such network.
    """
    import timm

    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise UserError(f"init_cfg: timm has no network {name!r}: expected one of timm.list_models()")
    default = timm.models.get_pretrained_cfg(name)
    return architecture, tag or (default.tag if default else "") or "default"


def _of_file(path: str) -> InitSource:
    file = checkpoint_file(expanded(path))
    if not file.is_file():
        raise UserError(f"init_cfg: checkpoint {path!r} does not exist: expected a local file of weights")
    return InitSource("file", f"{path} (sha256 {sha256_of(file)[:12]})")


def _of_timm(name: str) -> InitSource:
    architecture, tag = timm_tag(name)
    thousands = [int(number) for number in re.findall(r"in(\d+)k", tag)]
    start = tag
    if thousands and not OTHER_DATA.search(tag):
        start = "ImageNet" if max(thousands) == 1 else f"ImageNet-{max(thousands)}k"
    return InitSource(start, f"timm {architecture}.{tag}")


def _of_torchvision(name: str) -> InitSource:
    weights = torchvision_weights(name)
    data = weights.name.partition("_")[0]
    # the name of the file ends with the start of its SHA-256, which torchvision checks
    file = weights.url.rpartition("/")[2]
    return InitSource(TORCHVISION_DATA.get(data, weights.name), f"torchvision {name} {weights.name} ({file})")


NAMED = {"checkpoint": _of_file, "timm": _of_timm, "torchvision": _of_torchvision}
