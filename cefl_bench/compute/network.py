"""Sets the compute switches: on a network, on an optimiser's config, and on PyTorch itself."""

import inspect
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format

from cefl_bench.compute.autocast import AutocastOptimWrapper
from cefl_bench.compute.switches import HALF, Compute, Precision
from cefl_bench.errors import UserError

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
LISTED_GPUS = Path("/proc/driver/nvidia/gpus")
"""Has a folder for every GPU that the driver knows."""
COMPILED_PARTS = ("backbone", "aggregator")
"""The parts of a model that torch.compile takes; a head is a layer or two."""
TF32_BY_DEFAULT = (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
ASKED_BEFORE = torch.are_deterministic_algorithms_enabled()
AMPERE = (8, 0)
"""The compute capability from which a GPU has TF32."""


def half_precision() -> Precision:
    """What `--amp` means here: bfloat16, or float16 on a GPU that does not have it."""
    if not torch.cuda.is_available() or torch.cuda.is_bf16_supported(including_emulation=False):
        return "bf16"
    return "fp16"


def unusable_gpu() -> str | None:
    """Why PyTorch cannot use a GPU that the driver lists here; None where there is none, or it can, or it is hidden."""
    if torch.cuda.is_available() or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return None
    if not LISTED_GPUS.is_dir() or not any(LISTED_GPUS.iterdir()):
        return None
    if torch.version.cuda is None:
        return "this PyTorch is built without CUDA"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return " ".join(str(error).split())[:300]
    return "PyTorch does not say why"


def check_device(compute: Compute, device_type: str) -> None:
    """Raises: UserError: when a switch needs a GPU, and the device is none."""
    if device_type == "cuda":
        return
    if compute.precision in ("fp16", "tf32"):
        raise UserError(f"--precision {compute.precision} needs a CUDA device: on a CPU use bf16 or fp32")
    if compute.cuda_graphs:
        raise UserError("--cuda-graphs needs a CUDA device and there is none: use --compile, or leave it out")


def check_network(compute: Compute, network: nn.Module, device_type: str) -> None:
    """Refuse bfloat16 on a CPU for a network with 3D convolutions.

    PyTorch gives their gradients wrong there now and then: with a norm of 3e34 for C3D, infinite for R3D-18, while the
    loss is right. So no trial run can tell that all is well.

    Raises:
        UserError: naming the first such layer.
    """
    if compute.precision not in HALF or device_type != "cpu":
        return
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv3d):
            raise UserError(
                f"--precision {compute.precision} on a CPU: {name} is a 3D convolution, whose gradients PyTorch gets "
                "wrong there now and then: use fp32"
            )


def set_up_torch(compute: Compute) -> None:
    """Tell PyTorch which float32 to use, and whether the same bits matter."""
    own = compute.precision in ("fp32_strict", "tf32")
    convolutions, products = (compute.precision == "tf32",) * 2 if own else TF32_BY_DEFAULT
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = convolutions, products
    if compute.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
        torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(compute.deterministic or ASKED_BEFORE)


def prepare_network(network: nn.Module, compute: Compute, in_training_alone: bool = False) -> None:
    """Set the memory format of a network's convolutions, and let torch.compile take its parts, in place.

    Args:
        in_training_alone: in a test the parts are as they were, so that a test gives the same scores at any time.
    """
    if compute.memory_format != "own":
        last = compute.memory_format == "channels_last"
        formats = (torch.channels_last, torch.channels_last_3d) if last else (torch.contiguous_format,) * 2
        convert_conv2d_weight_memory_format(network, formats[0])
        convert_conv3d_weight_memory_format(network, formats[1])
    if compute.compile or compute.cuda_graphs:
        for name in COMPILED_PARTS:
            _compile(network.get_submodule(name), compute, in_training_alone)
    if compute.cuda_graphs:
        # what the graphs gave in the step before may be written over from here on
        network.register_forward_pre_hook(lambda *_: torch.compiler.cudagraph_mark_step_begin())


def _compile(part: nn.Module, compute: Compute, in_training_alone: bool) -> None:
    """Let torch.compile take a part for batches of the first size that it sees, in training and in testing.

    A batch of another size, such as the last of an epoch, is computed as it was before: it is rare, and compiling for
    it takes as long as for the others. Code for any size would be slower.
    """
    plain = part._call_impl
    compiled = torch.compile(plain, dynamic=False, mode="reduce-overhead" if compute.cuda_graphs else None)
    shapes: dict[bool, torch.Size] = {}

    def call(inputs: torch.Tensor, *others: Any, **named: Any) -> Any:
        if in_training_alone and not part.training:
            return plain(inputs, *others, **named)
        first = shapes.setdefault(part.training, inputs.shape)
        return (compiled if inputs.shape == first else plain)(inputs, *others, **named)

    part._compiled_call_impl = call  # what nn.Module.compile() sets


def autocast(compute: Compute, device_type: str) -> AbstractContextManager:
    """The precision of a forward pass, in a `with` block."""
    half = compute.precision in HALF
    return torch.autocast(device_type, DTYPES[compute.precision] if half else None, enabled=half)


def optim_wrapper_of(settings: Mapping[str, Any], compute: Compute, device_type: str) -> dict[str, Any]:
    """The config of an optimiser's wrapper, with the switches that it carries out: precision and `fused`.

    Raises:
        UserError: when the optimiser has no fused step, or a wrapper of one's own would have to change.
    """
    wrapper = dict(settings)
    if compute.cuda_graphs and wrapper.get("accumulative_counts", 1) > 1:
        raise UserError(
            "--cuda-graphs: gradients of several batches are added up (optim_wrapper.accumulative_counts is "
            f"{wrapper['accumulative_counts']}), and graphs write over those of the batch before: use --compile"
        )
    kind = wrapper.get("type", OptimWrapper)
    if compute.precision in HALF:
        if kind is not OptimWrapper:
            raise UserError(
                f"--precision {compute.precision}: optim_wrapper.type is {getattr(kind, '__name__', kind)}, which has "
                "a precision of its own: expected mmengine's OptimWrapper"
            )
        if compute.precision == "bf16":
            wrapper |= {"type": AutocastOptimWrapper, "device_type": device_type}
        else:
            wrapper |= {"type": AmpOptimWrapper, "dtype": "float16"}
    if compute.fused:
        optimizer = wrapper["optimizer"]["type"]
        if not (inspect.isclass(optimizer) and "fused" in inspect.signature(optimizer).parameters):
            raise UserError(f"--fused: {getattr(optimizer, '__name__', optimizer)} has no fused step: leave it out")
        wrapper["optimizer"] = dict(wrapper["optimizer"]) | {"fused": True}
    return wrapper


def arithmetic(compute: Compute) -> dict[str, str]:
    """What the precision of a run amounts to on the device that it uses, by the kind of operator."""
    cuda = torch.cuda.is_available()
    has_tf32 = cuda and torch.cuda.get_device_capability() >= AMPERE
    half = {"bf16": "bfloat16", "fp16": "float16"}.get(compute.precision)
    allowed = {
        "convolutions": torch.backends.cudnn.allow_tf32,
        "matrix_products": torch.backends.cuda.matmul.allow_tf32,
    }
    trained_in = {kind: half or ("tf32" if has_tf32 and tf32 else "float32") for kind, tf32 in allowed.items()}
    return {"asked_for": compute.precision, **trained_in}
