"""What NR-DFERNet and the network of IAL share: frames -> maps -> one token for what changes from frame to frame."""

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock

from cefl_bench.errors import UserError
from cefl_bench.models.layers.transformer_block import Block

NUM_HEADS, HEAD_DIM = 4, 32
HALVINGS_OF_STAGES = (2, 3, 4, 5)
"""How often a frame's sides are halved up to the first, second and third stage's map, and up to the fused one."""


class DynamicStatic(nn.Module):
    """(B, 3, T, H, W) -> tokens (B, T - 1, D): a short ResNet on every frame, then two branches on its maps, added.

    The dynamic branch takes the difference of each map to the one before through three residual blocks. The static
    branch takes the map before, halved, as tokens with learned positions through two transformer blocks.

    Args:
        width: channels of the first stage; the maps that are fused have four times as many.
        num_frames, size: T, and H = W in pixels; positions are learned for them.

    Raises:
        UserError: when there are not two frames; in `forward`, when clips are of another shape.
    """

    def __init__(self, width: int, num_frames: int, size: int) -> None:
        super().__init__()
        if num_frames < 2:
            raise UserError(f"num_frames is {num_frames}: expected at least 2, which differ")
        self.clip_shape = (3, num_frames, size, size)
        dim = 4 * width
        self.stem = nn.Sequential(
            _convolution(3, width, stride=2), _convolution(width, width), nn.MaxPool2d(3, stride=2, padding=1)
        )
        self.stage1 = residual_block(width, width)
        self.stage2 = residual_block(width, 2 * width, stride=2)
        self.stage3 = residual_block(2 * width, dim, stride=2)
        self.dynamic = nn.Sequential(
            residual_block(dim, dim, stride=2), residual_block(dim, dim), residual_block(dim, dim)
        )
        self.halve = _convolution(dim, dim, stride=2)
        num_places = map_side(size, stage=4) ** 2
        self.place = nn.Parameter(torch.empty(1, num_places, dim))
        self.static = nn.Sequential(*(Block(dim, dim, NUM_HEADS, HEAD_DIM) for _ in range(2)))
        self.token_dim = num_places * dim
        nn.init.normal_(self.place)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        if clip_BCTHW.shape[1:] != self.clip_shape:
            raise UserError(
                f"the network is built for clips (C, T, H, W) of {self.clip_shape} and got "
                f"{tuple(clip_BCTHW.shape[1:])}: set model.backbone.num_frames and model.backbone.size"
            )
        frame_BTCHW = clip_BCTHW.transpose(1, 2)
        map_BCHW = self.stage3(self.stage2(self.stage1(self.stem(frame_BTCHW.flatten(0, 1)))))
        map_BTCHW = map_BCHW.unflatten(0, frame_BTCHW.shape[:2])
        before = map_BTCHW[:, :-1]
        change_BCHW = self.dynamic((map_BTCHW[:, 1:] - before).flatten(0, 1))
        place_BLC = self.halve(before.flatten(0, 1)).flatten(2).transpose(1, 2) + self.place
        fused_BCL = self.static(place_BLC).transpose(1, 2) + change_BCHW.flatten(2)
        return fused_BCL.flatten(1).unflatten(0, before.shape[:2])


def temporal_blocks(dim: int) -> nn.Sequential:
    """The two transformer blocks over the tokens of a clip."""
    return nn.Sequential(*(Block(dim, dim // 8, NUM_HEADS, HEAD_DIM) for _ in range(2)))


def map_side(size: int, stage: int) -> int:
    """Height and width of the map of a stage, 1 to 3, or 4 for the fused one, of frames of `size` pixels."""
    return -(-size // 2 ** HALVINGS_OF_STAGES[stage - 1])


def residual_block(in_dim: int, out_dim: int, stride: int = 1) -> BasicBlock:
    """Two 3 x 3 convolutions around a shortcut, which is a convolution where the map changes its shape."""
    shortcut = None
    if stride > 1 or in_dim != out_dim:
        shortcut = nn.Sequential(nn.Conv2d(in_dim, out_dim, 1, stride, bias=False), nn.BatchNorm2d(out_dim))
    return BasicBlock(in_dim, out_dim, stride, shortcut)


def _convolution(in_dim: int, out_dim: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_dim, out_dim, 3, stride, padding=1, bias=False), nn.BatchNorm2d(out_dim), nn.ReLU(inplace=True)
    )
