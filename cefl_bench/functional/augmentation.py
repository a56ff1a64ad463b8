"""Augmentation of whole videos: one draw per video, applied to all of its frames. Pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch

from cefl_bench.errors import UserError

MAX_CROP_DRAWS = 10
LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of red, green and blue in brightness."""


class Draw(TypedDict):
    """How one video is varied. A frame reaches from -1 to 1 in both directions."""

    width: float
    """Of the crop, as a share of the frame's."""
    height: float
    x: float
    """The crop's centre."""
    y: float
    flip: int
    """-1 mirrors left and right, 1 does not."""
    brightness: float
    """Factors; 1 changes nothing."""
    contrast: float
    saturation: float


@dataclass(frozen=True)
class Augmentation:
    """How far training videos are varied.

    Args:
        crop_scale: share of the frame's area that a random crop keeps, (low, high).
        crop_ratio: width to height of the crop, (low, high), drawn evenly in its logarithm.
        crop_fit: what to do with a drawn crop that is wider or higher than the frame: `clamp` cuts it to the frame,
            `redraw` draws area and ratio again, and takes the whole frame after ten draws that do not fit.
        flip: probability of mirroring left and right.
        brightness, contrast, saturation: factors are drawn from 1 - value .. 1 + value.

    Raises:
        UserError: when a value is out of its range.
    """

    crop_scale: tuple[float, float] = (0.7, 1.0)
    crop_ratio: tuple[float, float] = (0.85, 1.18)
    crop_fit: str = "clamp"
    flip: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2

    def __post_init__(self) -> None:
        if self.crop_fit not in ("clamp", "redraw"):
            raise UserError(f"augment.crop_fit is {self.crop_fit!r}: expected 'clamp' or 'redraw'")
        ranges = (
            ("crop_scale", self.crop_scale, 1.0, "shares of a frame's area, (low, high), above 0 and up to 1"),
            ("crop_ratio", self.crop_ratio, math.inf, "ratios of width to height, (low, high), above 0"),
        )
        for name, (low, high), limit, expected in ranges:
            if not 0 < low <= high <= limit:
                raise UserError(f"augment.{name} is {(low, high)}: expected {expected}")
        for name in ("flip", "brightness", "contrast", "saturation"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"augment.{name} is {getattr(self, name)!r}: expected a number from 0 to 1")

    @property
    def varies_colour(self) -> bool:
        return any((self.brightness, self.contrast, self.saturation))

    def draw(self, seed: int) -> Draw:
        """One video's draw; the same seed gives the same."""
        rng = np.random.default_rng(seed)
        width, height = self._crop_size(rng)
        x, y = rng.uniform(-1, 1, 2) * (1 - width, 1 - height)
        brightness = 1 + rng.uniform(-1, 1) * self.brightness
        contrast = 1 + rng.uniform(-1, 1) * self.contrast
        saturation = 1 + rng.uniform(-1, 1) * self.saturation
        flip = -1 if rng.random() < self.flip else 1
        return Draw(
            width=width,
            height=height,
            x=float(x),
            y=float(y),
            flip=flip,
            brightness=brightness,
            contrast=contrast,
            saturation=saturation,
        )

    def _crop_size(self, rng: np.random.Generator) -> tuple[float, float]:
        low, high = np.log(self.crop_ratio)
        for _ in range(MAX_CROP_DRAWS):
            area, ratio = rng.uniform(*self.crop_scale), math.exp(rng.uniform(low, high))
            width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
            if self.crop_fit == "clamp":
                return min(1.0, width), min(1.0, height)
            if max(width, height) <= 1:
                return width, height
        return 1.0, 1.0


def crop_resize(video_BNTCHW: torch.Tensor, draws: Sequence[Draw], size: int, antialias: bool = False) -> torch.Tensor:
    """Cut each video's crop, mirror it where drawn, and scale it to `size` x `size`, bilinearly.

    Args:
        antialias: where a crop shrinks, an output pixel is the weighted mean of all pixels that it covers, of those in
            the crop, as in Pillow; else it is interpolated between four neighbours and the others are skipped.
    """
    *frames, height, width = video_BNTCHW.shape
    crop = torch.tensor(
        [[draw["x"], draw["width"], draw["flip"], draw["y"], draw["height"]] for draw in draws],
        dtype=video_BNTCHW.dtype,
        device=video_BNTCHW.device,
    )
    x, width_share, flip, y, height_share = crop.unbind(1)
    to_columns = _axis_weights(x, width_share, flip, width, size, antialias)  # (B, size, W)
    to_rows = _axis_weights(y, height_share, torch.ones_like(y), height, size, antialias)  # (B, size, H)
    # One axis after the other: a matrix product each, all frames of a video as rows of one matrix.
    flat = video_BNTCHW.reshape(frames[0], -1, width) @ to_columns.mT  # (B, N * T * C * H, size)
    flat = flat.unflatten(1, (-1, height)).mT.flatten(1, 2) @ to_rows.mT  # (B, N * T * C * size, size)
    return flat.unflatten(1, (-1, size)).mT.reshape(*frames, size, size)


def _axis_weights(
    centre_B: torch.Tensor, extent_B: torch.Tensor, flip_B: torch.Tensor, pixels: int, size: int, antialias: bool
) -> torch.Tensor:
    """(B, size, pixels): how much each pixel of a frame counts for each pixel of the crop, along one axis.

    Args:
        centre_B, extent_B: of the crop, centre in -1..1 and extent as a share of the frame.
        flip_B: -1 to mirror, else 1.
    """
    steps = (torch.arange(size, device=centre_B.device) + 0.5) / size - 0.5  # of the crop, from its centre
    middle = (centre_B[:, None, None] + 1) / 2 * pixels
    extent = (extent_B[:, None, None] * pixels).clamp(min=1)
    wanted = middle + flip_B[:, None, None] * extent * steps[:, None]  # (B, size, 1), in pixels
    there = torch.arange(pixels, device=centre_B.device) + 0.5  # centres of the frame's pixels
    if antialias:
        reach = (extent / size).clamp(min=1)
        weight = (1 - (wanted - there).abs() / reach).clamp(min=0)
        weight = weight * ((there >= middle - extent / 2) & (there < middle + extent / 2))
    else:
        weight = (1 - (wanted.clamp(0.5, pixels - 0.5) - there).abs()).clamp(min=0)
    return weight / weight.sum(dim=2, keepdim=True)


def jitter_colour(video_BNTCHW: torch.Tensor, draws: Sequence[Draw]) -> torch.Tensor:
    """Vary brightness, then contrast, then saturation of each video (values 0..1, like torchvision's ColorJitter)."""
    factors = [[draw["brightness"], draw["contrast"], draw["saturation"]] for draw in draws]
    factor_B3 = torch.tensor(factors, dtype=video_BNTCHW.dtype, device=video_BNTCHW.device)
    brightness, contrast, saturation = factor_B3.T[..., None, None, None, None, None]
    luma = factor_B3.new_tensor(LUMA).reshape(3, 1, 1)
    video = (video_BNTCHW * brightness).clamp(0, 1)
    mean = (video * luma).sum(dim=3, keepdim=True).mean(dim=(1, 2, 4, 5), keepdim=True)
    video = torch.lerp(mean, video, contrast).clamp(0, 1)
    grey = (video * luma).sum(dim=3, keepdim=True)
    return torch.lerp(grey, video, saturation).clamp(0, 1)
