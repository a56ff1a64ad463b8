"""From uint8 frames to what a network takes, batched and on the device."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec
import torch
from mmengine.model import BaseDataPreprocessor

from cefl_bench.errors import UserError
from cefl_bench.functional.augmentation import Augmentation, Draws
from cefl_bench.functional.colour_pixels import change_colour
from cefl_bench.functional.mixing import Mixing, with_partner
from cefl_bench.functional.pixels import crop_resize, erase_, jitter_colour_, normalise_, planes, turn
from cefl_bench.models.layers.precision import without_autocast
from cefl_bench.registry import MODELS

Settings = TypeVar("Settings", Augmentation, Mixing)


@MODELS.register_module()
class VideoPreprocessor(BaseDataPreprocessor):
    """uint8 (B, N, T, H, W, C) -> float (B, N, C, T, size, size), augmented when training, one draw per video.

    The draw follows from the sample's seed, so neither the batch nor the number of processes changes it. Where videos
    are mixed, a batch gets `partner_label` and `partner_share` (B,) beside its own labels.

    Args:
        size: height and width of the output, in pixels.
        augment: arguments of `Augmentation`, or None for none.
        mix: arguments of `Mixing`, mixup and cutmix of training videos, or None for none.
        antialias: where a training crop shrinks, average all pixels that an output pixel covers; without it some are
            skipped. Test frames are always averaged.
        mean, std: per channel, of values in 0..1.

    Raises:
        UserError: when an argument is out of its range.
    """

    def __init__(
        self,
        size: int,
        augment: Mapping[str, Any] | None = None,
        mix: Mapping[str, Any] | None = None,
        antialias: bool = False,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> None:
        super().__init__()
        if not isinstance(size, int) or size < 1:
            raise UserError(f"VideoPreprocessor: size is {size!r}: expected a number of pixels")
        self.size, self.antialias = size, antialias
        self.augmentation = None if augment is None else _checked("augment", augment, Augmentation)
        self.mixing = None if mix is None else _checked("mix", mix, Mixing)
        self.register_buffer("quantiles", self.mixing.tables() if self.mixing else None, persistent=False)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise UserError(
                f"VideoPreprocessor: mean is {mean}, std {std}: expected three numbers each, of red, green and blue, "
                "std above 0"
            )
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(3, 1, 1), persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        # What a network computes with; all else of a batch stays where it is.
        needed = ("video", "label", "seed") if training else ("video",)
        there = {name: data[name].to(self.device, non_blocking=True) for name in needed if name in data}
        # In full precision even if the model runs in another: half precision would move a crop by part of a pixel.
        with without_autocast(self.device):
            prepared = {"video": self._prepare(there, training)}
            if training and self.mixing is not None:
                prepared = self._mix(prepared["video"], there)
            return data | there | prepared

    def _mix(self, video: torch.Tensor, data: dict[str, Any]) -> dict[str, Any]:
        assert self.mixing is not None
        blend = self.mixing.draw(data["seed"], cast(torch.Tensor, self.quantiles), self.size)
        mixed = torch.lerp(video, with_partner(video), blend.weight[:, None, None, None])
        return {"video": mixed, "partner_label": with_partner(data["label"]), "partner_share": blend.share}

    def _prepare(self, data: dict[str, Any], training: bool) -> torch.Tensor:
        video, draws = data["video"], None
        if training and self.augmentation is not None:
            draws = self.augmentation.draw(data["seed"], self.size)
        if video.device.type == "cpu" and not torch.compiler.is_exporting():
            parts = []
            for number in range(len(video)):  # one video after the other, which the caches of a CPU hold
                part = slice(number, number + 1)
                parts.append(self._prepare_part(video[part], draws and Draws(*(values[part] for values in draws))))
            prepared = torch.cat(parts)
        else:
            prepared = self._prepare_part(video, draws)
        return prepared.movedim(2, 3)  # (B, N, T, C, H, W) in memory

    def _prepare_part(self, video: torch.Tensor, draws: Draws | None) -> torch.Tensor:
        video = planes(video)
        if draws is None:
            if video.shape[-2:] != (self.size, self.size):
                video = crop_resize(video, None, self.size, antialias=True)
            return normalise_(video, self.mean, self.std)
        assert self.augmentation is not None
        change_place = turn if self.augmentation.rotation else crop_resize
        video = change_place(video, draws, self.size, self.antialias)
        video = jitter_colour_(video, draws, self.augmentation)
        if self.augmentation.colour_ops:
            video = change_colour(video, draws.colour_op, draws.colour_strength)
        video = normalise_(video, self.mean, self.std)
        return erase_(video, draws.box) if self.augmentation.erasing else video


def _checked(name: str, values: Mapping[str, Any], kind: type[Settings]) -> Settings:
    """Values of a config as the dataclass that takes them."""
    _refuse_unknown(name, values, kind)
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        raise UserError(f"VideoPreprocessor: {error}".replace("at `$.", f"at `{name}.")) from None


def _refuse_unknown(name: str, values: Mapping[str, Any], kind: type) -> None:
    kinds = get_type_hints(kind)
    for key, value in values.items():
        if key not in kinds:
            raise UserError(f"VideoPreprocessor: {name} has no {key!r}: expected {', '.join(kinds)}")
        for inner in get_args(kinds[key]):  # of `Inner | None`
            if dataclasses.is_dataclass(inner) and isinstance(value, Mapping):
                _refuse_unknown(f"{name}.{key}", value, cast(type, inner))
