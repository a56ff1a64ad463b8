"""Augmentation of whole videos: one draw per video, applied to all of its frames. Pure functions."""

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Augmentation:
    """How far training videos are varied.

    Args:
        crop_scale: share of the frame's area that a random crop keeps, (low, high).
        crop_ratio: width to height of the crop, (low, high), drawn evenly in its logarithm.
        flip: probability of mirroring left and right.
        brightness, contrast, saturation: factors are drawn from 1 - value .. 1 + value.
    """

    crop_scale: tuple[float, float] = (0.7, 1.0)
    crop_ratio: tuple[float, float] = (0.85, 1.18)
    flip: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2

    def draw(self, seed: int) -> dict[str, float]:
        """One video's draw: crop `width`, `height`, centre `x`, `y` (frame = -1..1), `flip` (+-1), colour factors."""
        rng = np.random.default_rng(seed)
        area, ratio = rng.uniform(*self.crop_scale), math.exp(rng.uniform(*np.log(self.crop_ratio)))
        width, height = min(1.0, math.sqrt(area * ratio)), min(1.0, math.sqrt(area / ratio))
        x, y = rng.uniform(-1, 1, 2) * (1 - width, 1 - height)
        factors = {
            name: 1 + rng.uniform(-1, 1) * value for name, value in asdict(self).items() if name in COLOUR_FACTORS
        }
        return {"width": width, "height": height, "x": x, "y": y, "flip": 1 - 2 * (rng.random() < self.flip)} | factors


COLOUR_FACTORS = ("brightness", "contrast", "saturation")
LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of red, green and blue in brightness."""


def crop_resize(video_BNTCHW: torch.Tensor, draws: list[dict[str, float]], size: int) -> torch.Tensor:
    """Cut each video's crop, mirror it where drawn, and scale it to `size` x `size`, bilinearly."""
    batch, clips, frames, channels, height, width = video_BNTCHW.shape
    theta = [[[d["flip"] * d["width"], 0, d["x"]], [0, d["height"], d["y"]]] for d in draws]
    theta = torch.tensor(theta, dtype=video_BNTCHW.dtype, device=video_BNTCHW.device)
    # All frames of a video share one crop, so they pass as channels of one image.
    grid = F.affine_grid(theta, [batch, 1, size, size], align_corners=False)
    flat = video_BNTCHW.reshape(batch, clips * frames * channels, height, width)
    out = F.grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return out.reshape(batch, clips, frames, channels, size, size)


def jitter_colour(video_BNTCHW: torch.Tensor, draws: list[dict[str, float]]) -> torch.Tensor:
    """Vary brightness, then contrast, then saturation of each video (values 0..1, like torchvision's ColorJitter)."""

    def factor(name: str) -> torch.Tensor:
        values = torch.tensor([d[name] for d in draws], dtype=video_BNTCHW.dtype, device=video_BNTCHW.device)
        return values.reshape(-1, 1, 1, 1, 1, 1)

    luma = torch.tensor(LUMA, dtype=video_BNTCHW.dtype, device=video_BNTCHW.device).reshape(3, 1, 1)
    video = (video_BNTCHW * factor("brightness")).clamp(0, 1)
    mean = (video * luma).sum(dim=3, keepdim=True).mean(dim=(1, 2, 4, 5), keepdim=True)
    video = torch.lerp(mean, video, factor("contrast")).clamp(0, 1)
    grey = (video * luma).sum(dim=3, keepdim=True)
    return torch.lerp(grey, video, factor("saturation")).clamp(0, 1)
