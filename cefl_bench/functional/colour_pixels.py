"""The operations of `colour_ops`, done to many videos at once. Pure functions, on any device.

An operation does to a video what torchvision's of the same name does to an image. Where that looks at the image (its
mean, its range, its histogram), this looks at all frames of the video, so that none flickers.
"""

import torch
import torch.nn.functional as F

from cefl_bench.functional.colour_ops import OPS
from cefl_bench.functional.pixels import LUMA

MAX_FACTOR_CHANGE, MIN_FACTOR = 0.9, 0.1
"""Of brightness, contrast, saturation and sharpness; a factor of 1 changes nothing."""
POSTERIZE_BITS = 4
"""Bits that a channel keeps at strength 0; at 1 it keeps none."""
NUM_LEVELS = 256
WHITE = NUM_LEVELS - 1


def change_colour(video_BNTCHW: torch.Tensor, op_Bn: torch.Tensor, strength_Bn: torch.Tensor) -> torch.Tensor:
    """Do to each video the operations drawn for it (values 0..255, whole numbers afterwards, as images have them)."""
    video = video_BNTCHW.round()
    for op_B, strength_B in zip(op_Bn.T, strength_Bn.T, strict=True):
        video = _change_once(video, op_B[:, None, None], strength_B[:, None, None])
    return video


def _change_once(video_BNTCHW: torch.Tensor, op_B11: torch.Tensor, strength_B11: torch.Tensor) -> torch.Tensor:
    """All kinds of operation on all videos, each of which changes only those that drew it: so nobody asks which did.

    On a CPU, where asking costs nothing, those that no video drew are left out.
    """
    ask = op_B11.device.type == "cpu"
    by_level = (op_B11 > 0) & (op_B11 < OPS.index("saturation"))
    factor = (1 + MAX_FACTOR_CHANGE * strength_B11).clamp(min=MIN_FACTOR)
    video = video_BNTCHW
    if not ask or by_level.any():
        video = _looked_up(video, _tables(_counts(video), op_B11, strength_B11, factor))
    for name, made in (("saturation", _grey), ("sharpness", _blurred)):
        drawn = op_B11 == OPS.index(name)
        if not ask or drawn.any():
            weight = torch.where(drawn, factor, 1.0)[..., None, None, None]
            video = torch.lerp(made(video), video, weight).clamp_(0, WHITE).round_()
    return video


def _counts(video_BNTCHW: torch.Tensor) -> torch.Tensor:
    """(B, C, 256) int64: how many pixels of a video have each level of a channel."""
    batch, _, _, channels, _, _ = video_BNTCHW.shape
    places = _places(video_BNTCHW).flatten()
    counts = torch.zeros(batch * channels * NUM_LEVELS, dtype=torch.int32, device=places.device)
    ones = torch.ones(1, dtype=torch.int32, device=places.device).expand(len(places))
    return counts.index_add_(0, places, ones).reshape(batch, channels, NUM_LEVELS).long()


def _looked_up(video_BNTCHW: torch.Tensor, table_BCL: torch.Tensor) -> torch.Tensor:
    return table_BCL.flatten().index_select(0, _places(video_BNTCHW).flatten()).reshape(video_BNTCHW.shape)


def _places(video_BNTCHW: torch.Tensor) -> torch.Tensor:
    """int32, of the same shape: where in a table (B, C, 256), flattened, each pixel looks."""
    batch, _, _, channels, _, _ = video_BNTCHW.shape
    first = torch.arange(batch * channels, dtype=torch.int32, device=video_BNTCHW.device) * NUM_LEVELS
    return video_BNTCHW.to(torch.int32) + first.reshape(batch, 1, 1, channels, 1, 1)


def _tables(
    count_BCL: torch.Tensor, op_B11: torch.Tensor, strength_B11: torch.Tensor, factor_B11: torch.Tensor
) -> torch.Tensor:
    """(B, C, 256): what becomes of each level by the operation that a video drew; the same where it is none of these.

    Args:
        count_BCL: `_counts` of the videos.
    """
    level = torch.arange(NUM_LEVELS, dtype=torch.float32, device=count_BCL.device)
    size = strength_B11.abs()
    occurs = count_BCL > 0
    low = torch.where(occurs, level, WHITE).amin(dim=2, keepdim=True)
    high = torch.where(occurs, level, 0.0).amax(dim=2, keepdim=True)
    mean = (count_BCL.double() @ level.double()) / count_BCL.sum(dim=2)  # (B, C)
    grey = (LUMA[0] * mean[:, 0] + LUMA[1] * mean[:, 1] + LUMA[2] * mean[:, 2]).float()[:, None, None]
    kept = torch.exp2(8 - POSTERIZE_BITS + (size * POSTERIZE_BITS).floor())  # levels that become one
    threshold = NUM_LEVELS - (size * NUM_LEVELS).floor()
    made = {
        "autocontrast": torch.where(high > low, (level - low) * WHITE / (high - low).clamp(min=1), level),
        "equalize": _equalized(count_BCL, high.long(), level),
        "invert": WHITE - level,
        "posterize": (level / kept).floor() * kept,
        "solarize": torch.where(level >= threshold, WHITE - level, level),
        "brightness": level * factor_B11,
        "contrast": level * factor_B11 + grey * (1 - factor_B11),
    }
    table = level.expand(count_BCL.shape)
    for name, values in made.items():
        table = torch.where(op_B11 == OPS.index(name), values, table)
    return table.clamp(0, WHITE).round()


def _equalized(count_BCL: torch.Tensor, high_BC1: torch.Tensor, level_L: torch.Tensor) -> torch.Tensor:
    """(B, C, 256): levels such that about as many pixels have each; those of one level alone stay.

    Pillow's rule: all pixels but those of the highest level are shared out in 255 equal steps.
    """
    step = (count_BCL.sum(dim=2, keepdim=True) - count_BCL.gather(2, high_BC1)) // WHITE
    below = count_BCL.cumsum(dim=2) - count_BCL
    return torch.where(step > 0, ((below + step // 2) // step.clamp(min=1)).float(), level_L)


def _grey(video_BNTCHW: torch.Tensor) -> torch.Tensor:
    red, green, blue = video_BNTCHW.split(1, dim=3)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def _blurred(video_BNTCHW: torch.Tensor) -> torch.Tensor:
    """Pillow's smooth filter: of 3 x 3 pixels the middle counts five times; those at the edge stay as they are."""
    if min(video_BNTCHW.shape[-2:]) < 3:
        return video_BNTCHW
    frames = video_BNTCHW.flatten(0, 3)
    blurred = frames.clone()
    inside = (slice(None), slice(1, -1), slice(1, -1))
    blurred[inside] = (9 * F.avg_pool2d(frames, 3, stride=1) + 4 * frames[inside]) / 13
    return blurred.reshape(video_BNTCHW.shape)
