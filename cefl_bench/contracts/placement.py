"""Where the tensors of a training step and of a test batch are, and how often a GPU is waited for; needs no GPU.

A model runs on tensors without values that say they are on a GPU, so that whatever would read one there, or move one
between the two memories, can be counted.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from unittest.mock import patch

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from cefl_bench.compute.quiet import quiet
from cefl_bench.cost.repeats import Repeats, forget_values
from cefl_bench.feeding.feed import copied
from cefl_bench.feeding.reads import Shape
from cefl_bench.models.recognizer import Recognizer

GPU = torch.device("cuda", 0)
SHAPES: dict[str, Callable[[tuple[Any, ...]], tuple[torch.Tensor, ...]]] = {
    # what a GRU is made of on a GPU; torch does not know its shapes
    "_thnn_fused_gru_cell": lambda args: (torch.empty_like(args[2]), args[2].new_empty(len(args[2]), 5)),
}
"""Operators of torch -> what they give for their arguments, without values."""


class Transfers(TorchDispatchMode):
    """Counts, inside a block, how often the host waits for a number of the GPU, and tensors that change place."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        """`numbers read` from the GPU, `copies in` to it, `copies out` of it."""

    @property
    def waits(self) -> int:
        """How often the host waits: for a number, and for a tensor that comes to it."""
        return self.counts["numbers read"] + self.counts["copies out"]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = func.overloadpacket.__name__, kwargs or {}
        if name == "_local_scalar_dense":
            self.counts["numbers read"] += args[0].device.type == "cuda"
            return 1.0 if args[0].is_floating_point() else 1
        if name in SHAPES:
            return SHAPES[name](args)
        before = _device_of_first(args)
        out = func(*args, **kwargs)
        if name == "copy_":
            before = args[1].device
        if name in ("_to_copy", "copy_") and before is not None and before.type != out.device.type:
            self.counts["copies in" if out.device.type == "cuda" else "copies out"] += 1
        return out


class OnGPU:
    """A model of a config as it would be on a GPU, and its optimiser."""

    def __init__(self, config: Config, model: Recognizer) -> None:
        forget_values(model, GPU)
        model.data_preprocessor._device = GPU
        self.model = model
        self.optimiser = cast(OptimWrapper, quiet(build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))))

    def train(self, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
        """A training step: its losses."""
        return self.model.train().train_step(batch, self.optimiser)

    @torch.no_grad()
    def test(self, batch: dict[str, Any]) -> list[Any]:
        """A test batch: its predictions."""
        return self.model.eval().val_step(batch)


@contextmanager
def on_gpu(config: Config, model: Recognizer) -> Iterator[tuple[OnGPU, Transfers]]:
    """In the block the model is on a GPU that is not there, and what is done with it is counted."""
    with (
        FakeTensorMode(allow_non_fake_inputs=True),
        Repeats(),
        torch.backends.cudnn.flags(enabled=False),  # its recurrent layers cannot be asked for shapes alone
        patch.object(torch.Tensor, "backward", _backward(model)),
    ):
        there = OnGPU(config, model)
        with Transfers() as transfers:
            yield there, transfers


def sample_batch(shape: tuple[int, ...], size: int, batch_size: int = 2) -> dict[str, Any]:
    """A batch as a loader gives it, without values.

    Args:
        shape: (N, C, T, H, W) of a video as the network takes it.
        size: height and width of the frames that come in.
    """
    clips, channels, frames = shape[:3]
    return {
        "video": torch.empty(batch_size, clips, frames, size, size, channels, dtype=torch.uint8),
        "label": torch.zeros(batch_size, dtype=torch.int64),
        "name": [str(number) for number in range(batch_size)],
        "seed": torch.zeros(batch_size, dtype=torch.int64),
        "frame_indices": torch.zeros(batch_size, clips, frames, dtype=torch.int64),
        "frame_intensity": torch.zeros(batch_size, clips, frames),
        "apex": torch.zeros(batch_size, 2, dtype=torch.int64),
        "subject": [""] * batch_size,
        "unreadable": [""] * batch_size,
    }


def sent(batch: dict[str, Any], training: bool) -> dict[str, Any]:
    """A batch as `Feed` hands it over, on the GPU that is not there."""
    video = batch["video"]
    shape = Shape(len(video), video.shape[1:], 1)
    memory = torch.empty(shape.end(len(video)), dtype=torch.uint8)
    memory[shape.begin :] = video.flatten()
    batch = dict(batch)
    there = copied(memory, batch, shape, GPU, training)
    return batch | {"video": there[shape.begin :].view(video.shape)}


def _device_of_first(args: Any) -> torch.device | None:
    return args[0].device if args and isinstance(args[0], torch.Tensor) else None


def _backward(model: nn.Module) -> Any:
    """What gives every parameter a gradient: a backward pass cannot run without values."""

    def backward(loss: torch.Tensor, **_: Any) -> None:
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.empty_like(parameter)

    return backward
