"""Initial weights: from a file, timm or torchvision, brought to our names, counted, refused when they do not fit."""

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

import timm
import torch
import torchvision
from mmengine.dist import is_main_process
from torch import Tensor, nn

from cefl_bench.errors import UserError
from cefl_bench.files import sha256_of
from cefl_bench.runs import checkpoints

ENOUGH = 0.9
"""Share of the trunk that weights must fill: the least that is not a mistake."""

FORMER_DFER = {
    "s_former.pos_embedding": "spatial_position",
    "s_former.spatial_transformer.layers.": "spatial.",
    "s_former.": "trunk.",
    "t_former.pos_embedding": "temporal_position",
    "t_former.cls_token": "class_token",
    "t_former.spatial_transformer.layers.": "temporal.",
    ".0.fn.norm.": ".attention_norm.",
    ".0.fn.fn.to_qkv.": ".qkv.",
    ".0.fn.fn.to_out.0.": ".project.",
    ".1.fn.norm.": ".mlp_norm.",
    ".1.fn.fn.net.0.": ".mlp.0.",
    ".1.fn.fn.net.3.": ".mlp.2.",
}
"""Parts of names in the checkpoint that the authors of Former-DFER released -> ours, replaced in this order."""


class Fit(NamedTuple):
    """What weights fill of a backbone: names of tensors, and the share of the trunk's numbers (0..1)."""

    loaded: list[str]
    missing: list[str]
    unexpected: list[str]
    share: float


def load_weights(
    backbone: nn.Module, checkpoint: str | None = None, timm: str | None = None, torchvision: str | None = None
) -> str:
    """Fill a backbone from one of three sources, and say what was filled.

    Args:
        checkpoint: a local file: ours, the authors' Former-DFER, or a network in torchvision's names, such as a
            face-pretrained ResNet with `module.` before every name and heads of its own.
        timm, torchvision: a network's name there; downloads its weights.

    Returns:
        The source, as result.json tells it.

    Raises:
        UserError: when not exactly one source is named, it cannot be read, or it fills less than 90 % of the trunk.
    """
    kind, name = check_source({"checkpoint": checkpoint, "timm": timm, "torchvision": torchvision})
    weights, source = READ[kind](name)
    weights = convert(weights)
    fit = fit_of(backbone, weights)
    report = f"weights of {source}: {_described(fit)}"
    if fit.share < ENOUGH:
        raise UserError(f"{report}; expected at least 90 % of the trunk: name weights of the same network, or another")
    backbone.load_state_dict({name: weights[name] for name in fit.loaded}, strict=False)
    if is_main_process():
        print(report, flush=True)
    return f"{source}, {fit.share:.1%} of the trunk"


def check_source(init_cfg: Mapping[str, str | None]) -> tuple[str, str]:
    """The one source that an `init_cfg` names: its kind and its name.

    Raises:
        UserError: when it is none, more than one, or something else.
    """
    if not isinstance(init_cfg, Mapping) or set(init_cfg) - set(READ):
        raise UserError(
            f"init_cfg is {init_cfg!r}: expected dict(checkpoint=FILE), dict(timm=NAME) or dict(torchvision=NAME), and "
            "None for scratch"
        )
    given = [(kind, name) for kind, name in init_cfg.items() if name]
    if len(given) != 1:
        raise UserError(
            f"init_cfg names {len(given)} sources ({dict(init_cfg)}): expected one; what a config names is taken back "
            "with --cfg-options model.backbone.init_cfg.timm=None"
        )
    return given[0]


def convert(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in any layout that `load_weights` reads -> a backbone's own names; what it does not know keeps its name.

    Our own checkpoints name the backbone, Former-DFER's the two transformers; all others are a trunk.
    """
    if any(name.startswith("backbone.") for name in weights):
        return {name.removeprefix("backbone."): tensor for name, tensor in weights.items()}
    if any(name.startswith("s_former.") for name in weights):
        return {_former_dfer(name): tensor for name, tensor in weights.items()}
    return {f"trunk.{name}": tensor for name, tensor in weights.items()}


def fit_of(backbone: nn.Module, weights: Mapping[str, Tensor]) -> Fit:
    """Compare names and shapes. The share counts parameters and batch statistics of `backbone.trunk`, else of all."""
    wanted = {name: tensor for name, tensor in backbone.state_dict().items() if tensor.is_floating_point()}
    loaded = [name for name, tensor in wanted.items() if name in weights and weights[name].shape == tensor.shape]
    trunk = [name for name in wanted if name.startswith("trunk.")] or list(wanted)
    filled = sum(wanted[name].numel() for name in set(loaded) & set(trunk))
    return Fit(
        loaded,
        missing=[name for name in wanted if name not in loaded],
        unexpected=[name for name in weights if name not in loaded and not name.endswith("num_batches_tracked")],
        share=filled / sum(wanted[name].numel() for name in trunk),
    )


def _former_dfer(name: str) -> str:
    for theirs, ours in FORMER_DFER.items():
        name = name.replace(theirs, ours)
    return name


def _described(fit: Fit) -> str:
    text = f"{len(fit.loaded)} tensors loaded, {fit.share:.1%} of the trunk"
    for title, names in (("missing", fit.missing), ("unexpected", fit.unexpected)):
        if names:
            rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
            text += f"; {title}: {', '.join(names[:3])}{rest}"
    return text


def _from_file(path: str) -> tuple[dict[str, Tensor], str]:
    weights = checkpoints.state_dict_of(checkpoints.load(path))
    return weights, f"{path} (sha256 {sha256_of(path)[:12]})"


def _from_timm(name: str) -> tuple[dict[str, Tensor], str]:
    if not timm.is_model(name.split(".")[0]):
        raise UserError(f"init_cfg: timm has no network {name!r}: expected one of timm.list_models()")
    network = _downloaded(f"timm's {name}", lambda: timm.create_model(name, pretrained=True, num_classes=0))
    return network.state_dict(), f"timm {network.pretrained_cfg['architecture']}.{network.pretrained_cfg['tag']}"


def _from_torchvision(name: str) -> tuple[dict[str, Tensor], str]:
    if name not in torchvision.models.list_models():
        raise UserError(f"init_cfg: torchvision has no network {name!r}: see torchvision.models.list_models()")
    which = torchvision.models.get_model_weights(name).DEFAULT
    network = _downloaded(f"torchvision's {name}", lambda: torchvision.models.get_model(name, weights=which))
    return network.state_dict(), f"torchvision {name} {which.name}"


def _downloaded(what: str, load: Callable[[], nn.Module]) -> nn.Module:
    try:
        logging.disable(logging.WARNING)  # a hub client without a network says it two dozen times
        with torch.random.fork_rng(devices=[]):  # building it draws random numbers, which must not move the others
            return load()
    except Exception as error:  # hub clients raise many kinds, all meaning: no weights
        raise UserError(
            f"{what} weights could not be loaded ({type(error).__name__}): connect to the network once, or train from "
            "scratch with --cfg-options model.backbone.init_cfg=None"
        ) from None
    finally:
        logging.disable(logging.NOTSET)


READ = {"checkpoint": _from_file, "timm": _from_timm, "torchvision": _from_torchvision}
