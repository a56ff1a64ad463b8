"""fvcore, with its own handles where they are right and with those that it lacks. Its one door."""

import warnings
from math import prod
from typing import TypeAlias

import torch
from torch import nn

from cefl_bench.cost.tracing import RECORDED

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # fvcore scripts a loss on import, which torch deprecates
    from fvcore.nn import FlopCountAnalysis
    from fvcore.nn.jit_handles import addmm_flop_jit, bmm_flop_jit, conv_flop_count, einsum_flop_jit, get_shape


Analysis: TypeAlias = FlopCountAnalysis


def analysis_of(network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Analysis:
    """Fvcore's analysis of a network, in MACs, which fvcore calls flops; it traces when it is asked for a number."""
    analysis = FlopCountAnalysis(network, inputs).clear_op_handles().set_op_handle(**HANDLES)
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")


def _convolution_macs(inputs: list, outputs: list) -> int:
    image, weight, out = (get_shape(value) for value in (inputs[0], inputs[1], outputs[0]))
    return conv_flop_count(image, weight, out, transposed=inputs[6].toIValue())


def _product_macs(inputs: list, outputs: list) -> int:
    """Of a matrix product of any ranks, broadcast or not: an output sums over the last axis of the first factor."""
    return prod(get_shape(outputs[0])) * get_shape(inputs[0])[-1]


def _added_product_macs(inputs: list, outputs: list) -> int:
    return _product_macs(inputs[1:], outputs)


def _attention_macs(inputs: list, outputs: list) -> int:
    """Queries (.., L, E), keys (.., S, E), values (.., S, V): L S E for the weights and L S V for the sum over them."""
    query, key, value = map(get_shape, inputs[:3])
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _recurrent_macs(inputs: list, outputs: list) -> int:
    """Every weight matrix, of every layer, direction, gate and projection, is used once per step of every sequence."""
    lists = [value.node() for value in inputs if value.node().kind() == "prim::ListConstruct"]
    weights = max(lists, key=lambda node: node.inputsSize())
    shapes = [get_shape(weight) for weight in weights.inputs()]
    return prod(get_shape(inputs[0])[:-1]) * sum(prod(shape) for shape in shapes if len(shape) == 2)


# Norms and pools, which fvcore would count, are left out. The fused operators of attention and of transformer layers
# need no handle: they have no kernel on the meta device, so nothing is fused there.
HANDLES = {
    RECORDED: _convolution_macs,
    "aten::addmm": addmm_flop_jit,
    "aten::bmm": bmm_flop_jit,
    "aten::einsum": einsum_flop_jit,
    **dict.fromkeys(("aten::mm", "aten::mv", "aten::dot", "aten::matmul", "aten::linear"), _product_macs),
    **dict.fromkeys(("aten::baddbmm", "aten::addmv"), _added_product_macs),
    "aten::scaled_dot_product_attention": _attention_macs,
    **dict.fromkeys(("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu"), _recurrent_macs),
}
