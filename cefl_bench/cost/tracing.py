"""What a trace on the meta device would not see."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

RECORDED = "cefl_bench::convolution"
"""An operator of our own, with the arguments of `torch.convolution`."""

torch.library.define(
    RECORDED,
    "(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, "
    "bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
)
torch.library.impl(RECORDED, "Meta", torch.convolution)


class RecordedConvolutions(TorchFunctionMode):
    """Lets a trace on the meta device see convolutions, as `RECORDED`.

    A trace leaves out `aten::convolution` itself: it records what the kernels of real devices call inside, and the meta
    kernel returns without that.
    """

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        name = getattr(function, "__name__", "")
        if name in {"conv1d", "conv2d", "conv3d"}:
            return _convolution(int(name[4]), *args, **(kwargs or {}))
        if name in {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}:
            return _transposed_convolution(int(name[14]), *args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _convolution(dims, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """As `torch.conv1d` to `torch.conv3d`, whose argument names these are."""
    stride, dilation = _each(stride, dims), _each(dilation, dims)
    if padding == "same":
        total = [step * (size - 1) for step, size in zip(dilation, weight.shape[2:], strict=True)]
        sides: list[int] = []
        for both in reversed(total):  # F.pad begins with the last dimension
            sides += [both // 2, both - both // 2]
        input = F.pad(input, sides)
    padding = _each(0 if isinstance(padding, str) else padding, dims)
    return _recorded(dims, input, weight, bias, stride, padding, dilation, False, [0] * dims, groups)


def _transposed_convolution(
    dims, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """As `torch.conv_transpose1d` to `torch.conv_transpose3d`, whose argument names these are."""
    sizes = [_each(value, dims) for value in (stride, padding, dilation)]
    return _recorded(dims, input, weight, bias, *sizes, True, _each(output_padding, dims), groups)


def _recorded(dims: int, image: torch.Tensor, *arguments: Any) -> torch.Tensor:
    if image.dim() == dims + 1:  # without a batch
        return _recorded(dims, image.unsqueeze(0), *arguments).squeeze(0)
    return torch.ops.cefl_bench.convolution(image, *arguments)


def _each(value: int | tuple[int, ...], dims: int) -> list[int]:
    return [value] * dims if isinstance(value, int) else list(value) * (dims // len(value))
