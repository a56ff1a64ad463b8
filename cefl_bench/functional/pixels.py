"""What is drawn for a video, done to its frames: uint8 in, normalised numbers out. Pure functions, on any device."""

import torch
import torch.nn.functional as F

from cefl_bench.functional.augmentation import Augmentation, Draws

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of red, green and blue in brightness."""
WHITE = 255.0


def planes(video_BNTHWC: torch.Tensor) -> torch.Tensor:
    """uint8 (B, N, T, H, W, C) -> float (B, N, T, C, H, W), values 0..255."""
    return video_BNTHWC.movedim(-1, 3).to(torch.float32, memory_format=torch.contiguous_format)


def crop_resize(video_BNTCHW: torch.Tensor, draws: Draws | None, size: int, antialias: bool = False) -> torch.Tensor:
    """Cut each video's crop, mirror it where drawn, and scale it to `size` x `size`, bilinearly.

    Args:
        draws: None for the whole frame as it is.
        antialias: where a crop shrinks, an output pixel is the weighted mean of all pixels that it covers, of those in
            the crop, as in Pillow; else it is interpolated between four neighbours and the others are skipped.
    """
    *frames, height, width = video_BNTCHW.shape
    whole = video_BNTCHW.new_ones(1, dtype=torch.float64)
    x, y, wide, high, flip = (whole * 0, whole * 0, whole, whole, whole)
    if draws is not None:
        x, y, wide, high, flip = draws.x, draws.y, draws.width, draws.height, draws.flip
    to_columns = _axis_weights(x, wide, flip, width, size, antialias)  # (B, size, W)
    to_rows = _axis_weights(y, high, torch.ones_like(y), height, size, antialias)  # (B, size, H)
    # One axis after the other: a matrix product each, all rows of all frames of a video as one matrix.
    flat = video_BNTCHW.reshape(frames[0], -1, width) @ to_columns.mT  # (B, N * T * C * H, size)
    flat = to_rows[:, None] @ flat.unflatten(1, (-1, height))  # (B, N * T * C, size, size)
    return flat.reshape(*frames, size, size)


def turn(video_BNTCHW: torch.Tensor, draws: Draws, size: int, antialias: bool = False) -> torch.Tensor:
    """Turn each video's frames, cut its crop out of what that gives, mirror it where drawn, and scale it, at once.

    Outside of the frame it is black.

    Args:
        antialias: where a frame may shrink, an output pixel is the mean of several points of its area.
    """
    *frames, height, width = video_BNTCHW.shape
    points = -(-max(height, width) // size) if antialias else 1
    steps = (torch.arange(size * points, device=video_BNTCHW.device) + 0.5) / (size * points) * 2 - 1
    x = draws.x[:, None, None] + (draws.flip * draws.width)[:, None, None] * steps
    y = draws.y[:, None, None] + draws.height[:, None, None] * steps[:, None]
    cos, sin = torch.cos(draws.angle)[:, None, None], torch.sin(draws.angle)[:, None, None]
    # in pixels, as a frame may be wider than high; y counts downwards
    across, down = x * width, y * height
    grid = torch.stack([(cos * across - sin * down) / width, (sin * across + cos * down) / height], dim=-1)
    turned = F.grid_sample(video_BNTCHW.flatten(1, 3), grid, mode="bilinear", align_corners=False)
    return F.avg_pool2d(turned, points).reshape(*frames, size, size)


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
    return (weight / weight.sum(dim=2, keepdim=True)).float()


def jitter_colour_(video_BNTCHW: torch.Tensor, draws: Draws, augmentation: Augmentation) -> torch.Tensor:
    """Vary brightness, then contrast, then saturation of each video, in place (values 0..255).

    As torchvision's ColorJitter does, with the mean of a video in the place of an image's. What has no range is left
    out.
    """
    luma = _of_channels(LUMA, video_BNTCHW)
    if augmentation.brightness:
        video_BNTCHW.mul_(_of_videos(draws.brightness)).clamp_(0, WHITE)
    if augmentation.contrast:
        mean = (video_BNTCHW.mean(dim=(1, 2, 4, 5), keepdim=True) * luma).sum(dim=3, keepdim=True)
        factor = _of_videos(draws.contrast)
        video_BNTCHW.mul_(factor).add_(mean * (1 - factor)).clamp_(0, WHITE)
    if augmentation.saturation:
        grey = (video_BNTCHW * luma).sum(dim=3, keepdim=True)
        factor = _of_videos(draws.saturation)
        video_BNTCHW.mul_(factor).add_(grey * (1 - factor)).clamp_(0, WHITE)
    return video_BNTCHW


def normalise_(video_BNTCHW: torch.Tensor, mean_C11: torch.Tensor, std_C11: torch.Tensor) -> torch.Tensor:
    """Values 0..255 -> (value / 255 - mean) / std, in place."""
    return video_BNTCHW.mul_(1 / (WHITE * std_C11)).sub_(mean_C11 / std_C11)


def erase_(video_BNTCHW: torch.Tensor, box_B4: torch.Tensor) -> torch.Tensor:
    """Set a box of each video's frames to 0, in place; (B, 4) top, left, bottom, right in shares of the frame."""
    height, width = video_BNTCHW.shape[-2:]
    top, left, bottom, right = box_B4.T[:, :, None]
    row = (torch.arange(height, device=box_B4.device) + 0.5) / height
    column = (torch.arange(width, device=box_B4.device) + 0.5) / width
    inside_BH, inside_BW = (row > top) & (row < bottom), (column > left) & (column < right)
    inside = (inside_BH[:, :, None] & inside_BW[:, None, :])[:, None, None, None]
    return video_BNTCHW.masked_fill_(inside, 0)


def _of_videos(value_B: torch.Tensor) -> torch.Tensor:
    return value_B[:, None, None, None, None, None]


def _of_channels(values: tuple[float, float, float], like: torch.Tensor) -> torch.Tensor:
    """(3, 1, 1) on the device of a tensor, without a copy from the host."""
    channels = [torch.full((1, 1, 1), value, device=like.device) for value in values]
    return torch.cat(channels)
