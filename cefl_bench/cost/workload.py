"""The work that is timed: a config's model on random videos, forward, training step and preprocessing."""

import math
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.utils._pytree import tree_leaves

from cefl_bench.compute.network import (
    autocast,
    check_device,
    check_network,
    optim_wrapper_of,
    prepare_network,
    set_up_torch,
)
from cefl_bench.compute.quiet import quiet
from cefl_bench.compute.switches import DEFAULT, Compute
from cefl_bench.functional.loss_options import with_class_weights
from cefl_bench.registry import MODELS

Step = Callable[[], object]


class Workload:
    """A config's model with random weights on a device. Each method returns a call without arguments, its inputs ready.

    Args:
        config: its data and pretrained weights are not loaded; neither would change a time.
        video_shape: (N, C, T, H, W) of one view of a video as the network takes it.
        frame_size: height and width of a frame as the data loader hands it to the preprocessor.
        compute: the switches to run it with; it is compiled anew for every batch size.
        views: how many of a video a test takes; a training takes one.

    Raises:
        UserError: when the device or the network cannot run with these switches.
    """

    def __init__(
        self,
        config: Config,
        video_shape: tuple[int, int, int, int, int],
        frame_size: int,
        device: torch.device,
        compute: Compute = DEFAULT,
        views: int = 1,
    ) -> None:
        check_device(compute, device.type)
        self._compiled_for = 0
        self.config, self.video_shape, self.frame_size, self.device = config, video_shape, frame_size, device
        self.compute, self.views = compute, views
        # the time of a step does not depend on how much a class weighs
        head = with_class_weights(config.model.head, [1] * config.model.head.num_classes)
        self.network = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor, "head": head})
        self.network.to(device)
        check_network(compute, self.network, device.type)
        self.set_up_torch()
        prepare_network(self.network, compute)

    def inference(self, batch: int) -> Step:
        """The model alone, in eval mode: float (B, views * N, C, T, H, W) on the device -> scores."""
        forward, video = self._forward(batch), self._video(batch, self.views)
        self.network.eval()

        def infer() -> None:
            with torch.no_grad(), autocast(self.compute, self.device.type):
                forward(video)

        return infer

    def training(self, batch: int) -> Step:
        """Forward, loss, backward and step of the config's own optimizer, its gradient clipping included."""
        forward, video = self._forward(batch), self._video(batch)
        label = torch.arange(batch, device=self.device) % self.config.model.head.num_classes
        self.network.train()
        self.network.zero_grad(set_to_none=True)
        settings = optim_wrapper_of(self.config.optim_wrapper, self.compute, self.device.type)
        wrapper = quiet(build_optim_wrapper(self.network, settings))

        def train() -> None:
            with wrapper.optim_context(self.network):
                losses = forward(video, label=label, mode="loss")
            wrapper.update_params(self.network.parse_losses(losses)[0])

        return train

    def check(self, video: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Scores (B, K) of videos (B, N, C, T, H, W) in eval mode, and the norm of a training step's gradient."""
        forward = self._forward(len(video))
        self.set_up_torch()
        self.network.eval()
        with torch.no_grad(), autocast(self.compute, self.device.type):
            scores = forward(video).float().clone()
        self.network.train()
        torch.manual_seed(0)  # the same dropout, where the operators are the same
        label = torch.arange(len(video), device=self.device) % self.config.model.head.num_classes
        with autocast(self.compute, self.device.type):
            losses = forward(video, label=label, mode="loss")
        self.network.parse_losses(losses)[0].backward()
        gradients = [parameter.grad for parameter in self.network.parameters() if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients).item()
        self.network.zero_grad(set_to_none=True)
        return scores, norm

    def set_up_torch(self) -> None:
        """Let PyTorch compute as the switches say, where another workload ran in between."""
        set_up_torch(self.compute)
        fast = bool(self.config.get("env_cfg", {}).get("cudnn_benchmark", False))
        torch.backends.cudnn.benchmark = fast and not self.compute.deterministic

    def largest_tensor(self) -> int:
        """How many elements the largest tensor has that a layer gives for one view of a video."""
        largest = math.prod(self.video_shape)

        def look(module: nn.Module, inputs: object, output: object) -> None:
            nonlocal largest
            sizes = [leaf.numel() for leaf in tree_leaves(output) if torch.is_tensor(leaf)]
            largest = max(largest, *sizes, 0)

        hooks = [module.register_forward_hook(look) for module in self.network.modules()]
        self.network.eval()
        try:
            with torch.no_grad():
                self.network(self._video(1))
        finally:
            for hook in hooks:
                hook.remove()
        return largest

    def preprocessing(self, batch: int, training: bool) -> Step:
        """The config's preprocessor on uint8 (B, N, T, H, W, C) that is on the device already, in a test all views."""
        clips, channels, frames, _, _ = self.video_shape
        views = 1 if training else self.views
        shape = (batch, views * clips, frames, self.frame_size, self.frame_size, channels)
        video = torch.randint(256, shape, dtype=torch.uint8, device=self.device)
        data = {"video": video, "seed": torch.arange(batch, device=self.device)}

        def prepare() -> None:
            with torch.no_grad():
                self.network.data_preprocessor(data, training)

        return prepare

    def channels_last(self) -> str:
        """How many convolutions hold their weights channels last, of those where it differs (no 1 x 1)."""
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        last = total = 0
        for module in self.network.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d):
                is_last = module.weight.is_contiguous(memory_format=formats[module.weight.dim()])
                if is_last != module.weight.is_contiguous():
                    last += is_last
                    total += 1
        return f"{last}/{total}"

    def _video(self, batch: int, views: int = 1) -> torch.Tensor:
        clips, *of_clip = self.video_shape
        return torch.randn(batch, views * clips, *of_clip, device=self.device)

    def _forward(self, batch: int) -> Callable[..., Any]:
        if (self.compute.compile or self.compute.cuda_graphs) and batch != self._compiled_for:
            # what was compiled for other batch sizes, and other networks, would only fill torch's cache
            torch.compiler.reset()
            self._compiled_for = batch
        return self.network
