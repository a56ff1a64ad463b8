"""What every operator costs: which are counted, as what kind, and which are left out of the count."""

from collections.abc import Callable, Sequence
from math import prod

import torch

from cefl_bench.errors import UserError

KINDS = ("convolution", "linear", "attention", "recurrent")
"""`attention` is the products of queries, keys and values; the projections around them are `linear`, as is every matrix
product that stands in none of torch's attention or recurrent functions."""

RECURRENT = {"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"}
ATTENTION = {"scaled_dot_product_attention", "multi_head_attention_forward"}

Formula = Callable[..., int]

# Each is linear in the size of its input, so not counted: copies, sums, norms, pools. Torch's tags name the elementwise
# operators and the views; those that the tags forgot stand here too. Left out on purpose, so that they are reported:
# fft_*, linalg_*, cdist, sparse, quantized and custom operators.
NAMES = """
    empty empty_strided empty_like new_empty new_empty_strided zeros zeros_like new_zeros ones ones_like new_ones full
    full_like new_full fill zero arange linspace eye scalar_tensor rand randn randint randperm rand_like randn_like
    bernoulli native_dropout tril triu tril_indices triu_indices
    clone copy _to_copy lift_fresh contiguous resize cat stack repeat repeat_interleave roll flip rot90 unfold im2col
    col2im _unsafe_view _reshape_alias as_strided transpose t squeeze unsqueeze detach swapaxes unsafe_split
    unsafe_split_with_sizes constant_pad_nd pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle
    index index_select index_put _unsafe_index gather scatter scatter_add scatter_reduce masked_select masked_scatter
    nonzero embedding one_hot bucketize searchsorted
    sum mean prod amax amin aminmax max min argmax argmin any all var std var_mean std_mean norm linalg_vector_norm
    logsumexp cumsum cumprod cummax cummin logcumsumexp median mode sort topk kthvalue _unique2
    native_layer_norm native_group_norm native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
    _batch_norm_no_update cudnn_batch_norm _fused_rms_norm
    _softmax _log_softmax _safe_softmax _masked_softmax
    hardswish hardsigmoid hardtanh prelu _prelu_kernel glu log_sigmoid_forward rrelu_with_noise
    grid_sampler_2d grid_sampler_3d max_unpool2d max_unpool3d
"""
FREE_NAMES = frozenset(NAMES.split())
FREE_PREFIXES = (
    *("upsample_", "_upsample_", "avg_pool", "max_pool", "adaptive_", "_adaptive_", "fractional_max_pool"),
    *("reflection_pad", "replication_pad"),
)


class Uncountable(UserError):
    """The cost of a model is not known: an operator that no counter knows, or counters that disagree."""


class NeedsValues(Uncountable):
    """The model cannot be built, or does not run, on the meta device, where tensors have shapes and no values."""


def is_free(operator: torch._ops.OpOverload) -> bool:
    """Whether an operator is one of those that are not counted. Outside aten nothing is known, so nothing is free."""
    if operator.namespace == "prim":  # reads a tensor's device or layout
        return True
    if operator.namespace != "aten":
        return False
    name = operator._schema.name.removeprefix("aten::").removesuffix("_")
    elementwise = torch.Tag.pointwise in operator.tags
    return elementwise or operator.is_view or name in FREE_NAMES or name.startswith(FREE_PREFIXES)


def kind_of(operator_name: str, function: str) -> str:
    """One of `KINDS` for a counted operator.

    Args:
        operator_name: such as `aten.bmm`.
        function: the torch function that it runs in, of `RECURRENT` or `ATTENTION`, else empty.
    """
    if function in RECURRENT:
        return "recurrent"
    if "conv" in operator_name:
        return "convolution"
    if "attention" in operator_name or (function in ATTENTION and "bmm" in operator_name):
        return "attention"
    return "linear"


def _matrix_vector_flops(matrix_shape: Sequence[int], vector_shape: Sequence[int], *_, **__) -> int:
    return 2 * prod(matrix_shape)


def _added_matrix_vector_flops(_, matrix_shape: Sequence[int], vector_shape: Sequence[int], *__, **___) -> int:
    return 2 * prod(matrix_shape)


FORMULAS: dict[torch._ops.OpOverloadPacket, Formula] = {
    torch.ops.aten.mv: _matrix_vector_flops,
    torch.ops.aten.dot: _matrix_vector_flops,
    torch.ops.aten.vdot: _matrix_vector_flops,
    torch.ops.aten.addmv: _added_matrix_vector_flops,
}
"""FLOPs, from the shapes of the arguments, of operators that torch's own counter lacks. Add here what a model needs."""
