"""Initial weights: from a file, timm or torchvision, brought to our names, counted, refused when they do not fit."""

import logging
from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

import torch
from mmengine.dist import is_main_process
from torch import Tensor, nn

from cefl_bench.errors import UserError
from cefl_bench.files import expanded
from cefl_bench.models.start import InitSource, check_source, init_source, timm_tag, torchvision_weights
from cefl_bench.runs import checkpoints

Weights = dict[str, Tensor]

MIN_TRUNK_SHARE = 0.9
"""Weights that fill a smaller share of the trunk's numbers are those of another network."""

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
    backbone: nn.Module, init_cfg: Mapping[str, str | None], resize_tables: Callable[[Weights], Weights] = dict
) -> InitSource:
    """Fill a backbone from the source that its `init_cfg` names, and print what was filled.

    A checkpoint may be ours, the authors' Former-DFER, or a network in the trunk's names, such as a face-pretrained
    ResNet with `module.` before every name and heads of its own, or a masked autoencoder with its decoder.

    Args:
        backbone: what is filled.
        init_cfg: names the source.
        resize_tables: brings learned tables of positions among the weights to the backbone's clip size.

    Raises:
        UserError: when not exactly one source is named, it cannot be read, or it fills less than `MIN_TRUNK_SHARE` of
            the trunk.
    """
    kind, name = check_source(init_cfg)
    read = READ[kind](name)
    weights = resize_tables(convert(read, backbone.state_dict()))
    found = init_source(init_cfg)._replace(weights_sha256=checkpoints.weights_sha256(read))
    fit = fit_of(backbone, weights)
    report = f"weights of {found.source}: {_described(fit)}"
    if fit.share < MIN_TRUNK_SHARE:
        raise UserError(
            f"{report}; expected at least {MIN_TRUNK_SHARE:.0%} of the trunk: name weights of the same network, or "
            "another"
        )
    backbone.load_state_dict({name: weights[name] for name in fit.loaded}, strict=False)
    if is_main_process():
        print(report, flush=True)
    return found._replace(source=f"{found.source}, {fit.share:.1%} of the trunk")


def convert(weights: Mapping[str, Tensor], own_names: Container[str] = ()) -> dict[str, Tensor]:
    """Weights in any layout that `load_weights` reads -> a backbone's own names; what it does not know keeps its name.

    Our own checkpoints name the backbone, Former-DFER's the two transformers; all others are a trunk, which may stand
    in a larger network as its `encoder`, as in a masked autoencoder, or its `backbone`.

    Args:
        own_names: those of the backbone, which tell our own checkpoints from others that name a backbone.
    """
    if any(name.startswith("s_former.") for name in weights):
        return {_former_dfer(name): tensor for name, tensor in weights.items()}
    trunk = {f"trunk.{name}": tensor for name, tensor in weights.items()}
    for part in ("backbone.", "encoder."):
        taken_out = {name.removeprefix(part): tensor for name, tensor in weights.items()}
        if taken_out.keys() == weights.keys() or any(name in own_names for name in trunk):
            continue
        if part == "backbone." and (not own_names or any(name in own_names for name in taken_out)):
            return taken_out
        return {f"trunk.{name}": tensor for name, tensor in taken_out.items()}
    return trunk


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


def _from_file(path: str) -> dict[str, Tensor]:
    return checkpoints.state_dict_of(checkpoints.load(expanded(path)))


def _from_timm(name: str) -> dict[str, Tensor]:
    import timm  # as in `models/start.py`

    architecture, tag = timm_tag(name)
    full_name = architecture if tag == "default" else f"{architecture}.{tag}"
    return _downloaded(f"timm's {name}", lambda: timm.create_model(full_name, pretrained=True, num_classes=0))


def _from_torchvision(name: str) -> dict[str, Tensor]:
    import torchvision

    weights = torchvision_weights(name)
    return _downloaded(f"torchvision's {name}", lambda: torchvision.models.get_model(name, weights=weights))


def _downloaded(what: str, load: Callable[[], nn.Module]) -> dict[str, Tensor]:
    try:
        logging.disable(logging.WARNING)  # a hub client without a network says it two dozen times
        with torch.random.fork_rng(devices=[]):  # building it draws random numbers, which must not move the others
            return load().state_dict()
    except Exception as error:  # hub clients raise many kinds, all meaning: no weights
        raise UserError(
            f"{what} weights could not be loaded ({type(error).__name__}): connect to the network once, or train from "
            "scratch with --cfg-options model.backbone.init_cfg=None"
        ) from None
    finally:
        logging.disable(logging.NOTSET)


READ = {"checkpoint": _from_file, "timm": _from_timm, "torchvision": _from_torchvision}
