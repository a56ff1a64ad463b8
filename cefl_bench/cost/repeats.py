"""Networks without values, run faster: what an operator gives for the same shapes is worked out once."""

from collections.abc import Hashable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode

ITSELF = "the tensor that it writes into"
BATCH_NORM = torch.ops.aten.native_batch_norm.default
"""Takes PyTorch longer than all others, and gives what it takes, with statistics that only a backward pass reads."""


class Shape(NamedTuple):
    """All there is to know of a tensor without values."""

    size: torch.Size
    stride: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device


class Repeats(TorchDispatchMode):
    """In the block an operator on tensors without values runs once for the same arguments, and is not run again.

    A tensor of the meta device, or of a `FakeTensorMode` around the block, is a shape and no more, so the same shapes
    give the same shapes. PyTorch works most of them out in Python, layer by layer, and a network has many layers of one
    kind. Views are left to PyTorch, which is quick.
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[Hashable, Any] = {}

    def __torch_dispatch__(self, operator: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if operator is BATCH_NORM and _shape_of(args[0]):
            return torch.empty_like(args[0]), *args[0].new_empty(2, args[0].shape[1])
        if not _may_be_repeated(operator):
            return operator(*args, **kwargs)
        try:
            call = (operator, *map(_known_of, args), *((name, _known_of(value)) for name, value in kwargs.items()))
            given = self._given.get(call)
        except TypeError:  # of an argument that tells not all of it, such as a tensor with values
            return operator(*args, **kwargs)
        if given is None:
            out = operator(*args, **kwargs)
            self._given[call] = _shapes_of(out, args)
            return out
        if given is ITSELF:
            return args[0]
        return _empty(given) if isinstance(given, Shape) else tuple(map(_empty, given))


def forget_values(network: nn.Module, device: torch.device) -> None:
    """Inside a `FakeTensorMode`: put tensors without values, on a device, in the place of all that a network has."""
    for module in network.modules():
        kinds: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
        for tensors in kinds:
            for name, tensor in tensors.items():
                if tensor is not None:
                    there = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=device)
                    if isinstance(tensor, nn.Parameter):
                        there = nn.Parameter(there, tensor.requires_grad)
                    tensors[name] = there


@cache
def _may_be_repeated(operator: Any) -> bool:
    is_aten = isinstance(operator, torch._ops.OpOverload)
    return is_aten and not operator.is_view and torch.Tag.inplace_view not in operator.tags


def _known_of(argument: Any) -> Hashable:
    if isinstance(argument, torch.Tensor):
        shape = _shape_of(argument)
        if shape is None:
            raise TypeError("has values")
        return shape
    if isinstance(argument, list | tuple):
        return tuple(map(_known_of, argument))
    return type(argument), argument  # 1 and 1.0 give other types of tensors


def _shapes_of(out: Any, args: tuple[Any, ...]) -> Any:
    """What to give the next time; None where the operator has to run again."""
    if args and out is args[0]:
        return ITSELF
    if isinstance(out, torch.Tensor):
        return _shape_of(out)
    if isinstance(out, tuple) and all(isinstance(one, torch.Tensor) for one in out):
        shapes = tuple(map(_shape_of, out))
        return None if None in shapes else shapes
    return None


def _shape_of(tensor: torch.Tensor) -> Shape | None:
    has_none = tensor.constant is None if isinstance(tensor, FakeTensor) else tensor.device.type == "meta"
    return Shape(tensor.shape, tensor.stride(), tensor.dtype, tensor.device) if has_none else None


def _empty(shape: Shape) -> torch.Tensor:
    return torch.empty_strided(shape.size, shape.stride, dtype=shape.dtype, device=shape.device)
