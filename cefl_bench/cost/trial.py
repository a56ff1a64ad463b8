"""Whether a network takes its input at all: one video, for real; and where it does not, what to set."""

import inspect
import traceback
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cefl_bench.cost.ledger import one_line
from cefl_bench.errors import UserError
from cefl_bench.registry import MODELS

SIZES = (32, 48, 64, 96, 112, 128, 160, 192, 224, 240, 256, 288, 320, 384, 448, 512)
"""Heights and widths in pixels that networks are built for."""


def check_takes(model: Mapping[str, Any], video_shape: tuple[int, int, int, int, int]) -> None:
    """Send one black video through a model, on the CPU, in eval mode.

    Args:
        model: its config, with the `data_preprocessor` in it.
        video_shape: (N, C, T, H, W).

    Raises:
        UserError: naming the part, its network, the layer that fails, and a setting with which it runs.
    """
    try:
        network = MODELS.build(dict(model)).eval()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"the model cannot be built ({one_line(error)}): see `model` in the config") from None
    try:
        with torch.no_grad():
            network(torch.zeros(1, *video_shape))
    except UserError:
        raise
    except Exception as error:  # a network may fail in any way
        raise UserError(_reason(model, video_shape, failing_module(network, error) or "", error)) from None


def failing_module(network: nn.Module, error: Exception) -> str | None:
    """The dotted name of the innermost module that an exception came out of; None where it came out of none."""
    names = {id(module): name for name, module in network.named_modules() if name}
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        found = names.get(id(frame.f_locals.get("self")), found)
    return found


def _reason(model: Mapping[str, Any], video_shape: tuple[int, ...], module: str, error: Exception) -> str:
    part = module.partition(".")[0]
    shape = " x ".join(map(str, video_shape))
    return (
        f"{described(model.get(part) or model)} cannot take a video of {shape} (N x C x T x H x W): "
        f"{module or 'the model'} fails ({one_line(error)}); {_advice(model, video_shape)}"
    )


def _advice(model: Mapping[str, Any], video_shape: tuple[int, ...]) -> str:
    """The first of some settings with which the model runs: a network told the size first, then the nearest size."""
    size = video_shape[-1]
    backbone = model.get("backbone", {})
    kind = backbone.get("type")
    if inspect.isclass(kind) and "trunk_args" in inspect.signature(kind).parameters:
        told = dict(backbone.get("trunk_args") or {}) | {"img_size": size}
        if _takes({**model, "backbone": {**backbone, "trunk_args": told}}, video_shape):
            return f"set model.backbone.trunk_args.img_size={size}, with which it runs"
    for other in sorted(SIZES, key=lambda other: (abs(other - size), -other)):
        if other != size and _takes(model, (*video_shape[:3], other, other)):
            return f"set data_preprocessor.size={other}, with which it runs"
    return "change data_preprocessor.size or the frames that SampleClips takes"


def _takes(model: Mapping[str, Any], video_shape: tuple[int, ...]) -> bool:
    """Whether a model runs on such a video, looking at shapes alone."""
    try:
        with torch.device("meta"), torch.no_grad():
            MODELS.build(dict(model)).eval()(torch.empty(1, *video_shape))
    except Exception:  # a network may fail in any way
        return False
    return True


def described(part: Mapping[str, Any]) -> str:
    """The class of a part and the plain arguments in its config: `TimmFrames(name='resnet18')`."""
    arguments = [f"{key}={value!r}" for key, value in part.items() if isinstance(value, str | int | float)]
    return f"{part['type'].__name__}({', '.join(arguments)})"
