"""Random changes of colour: each what torchvision's is, as often and as strong as was asked for."""

import pytest
import torch
from torchvision.transforms.v2 import functional as TV

from cefl_bench.errors import UserError
from cefl_bench.functional.colour_ops import OPS, ColourOps
from cefl_bench.functional.colour_pixels import change_colour
from cefl_bench.models.preprocessor import VideoPreprocessor

STRENGTHS = (0.2, 0.4, -0.7, 0.99)


def by_torchvision(image: torch.Tensor, op: str, strength: float) -> torch.Tensor:
    """(3, H, W) uint8 -> float. What gives fractions is asked of an image of fractions, so that nothing is cut off."""
    size, factor = abs(strength), 1 + 0.9 * strength
    match op:
        case "posterize":
            return TV.posterize(image, bits=4 - int(4 * size)).float()
        case "solarize":
            return TV.solarize(image, threshold=256 - int(256 * size)).float()
        case "brightness" | "contrast" | "saturation" | "sharpness":
            return getattr(TV, f"adjust_{op}")(image / 255, factor) * 255
        case "autocontrast":
            return TV.autocontrast(image / 255) * 255
    return getattr(TV, op)(image).float()


def changed(video: torch.Tensor, *ops: str, strength: float = 0.0) -> torch.Tensor:
    """(3, H, W) or (T, 3, H, W) of one video, through these operations."""
    drawn = torch.tensor([[float(OPS.index(op)) for op in ops]])
    frames = video.float().reshape(1, 1, -1, *video.shape[-3:])
    return change_colour(frames, drawn, torch.full_like(drawn, strength)).reshape(video.shape)


@pytest.fixture
def image():
    """(3, 40, 36) uint8: smooth colours between 20 and 220, so that there is a range to stretch."""
    coarse = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(coarse, (40, 36), mode="bicubic")[0].clamp(0, 1)
    return (20 + 200 * smooth).to(torch.uint8)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("op", OPS[1:])
def test_an_operation_is_torchvisions(op, strength, image):
    expected = by_torchvision(image, op, strength)
    assert (expected - image).abs().max() > 0.5, "it changes something"
    out = changed(image, op, strength=strength)
    assert (out - expected).abs().max() <= 0.52 and torch.equal(out, out.round())


@pytest.mark.parametrize("op", ["autocontrast", "equalize", "solarize"])
def test_an_image_of_one_colour_stays(op):
    flat = torch.full((3, 8, 8), 77, dtype=torch.uint8)
    assert torch.equal(changed(flat, op), flat.float())


def test_the_smallest_image_is_not_sharpened():
    tiny = torch.tensor([[[0, 200], [9, 90]]] * 3, dtype=torch.uint8)
    assert torch.equal(changed(tiny, "sharpness", strength=0.9), tiny.float())


@pytest.mark.parametrize("op", ["autocontrast", "equalize", "contrast"])
def test_what_looks_at_an_image_looks_at_all_frames_of_a_video(op, image):
    """So a dark frame and a bright one are changed as the two halves of one image are."""
    frames = torch.stack([image // 2, image // 2 + 100])
    apart, joined = changed(frames, op, strength=0.6), changed(torch.cat([*frames], dim=1), op, strength=0.6)
    assert torch.equal(torch.cat([*apart], dim=1), joined)
    assert not torch.equal(apart[0], changed(frames[0], op, strength=0.6))


def test_operations_follow_one_another(image):
    once = changed(image, "posterize", strength=0.3)
    assert torch.equal(changed(image, "posterize", "invert", strength=0.3), 255 - once)
    assert torch.equal(changed(image, "nothing", "nothing"), image.float())


def test_a_video_is_changed_as_it_would_be_alone(image):
    """Whatever is in the batch, and wherever it stands there."""
    ops = torch.arange(len(OPS)).float()[:, None].repeat(1, 2)
    strengths = torch.linspace(-1, 1, len(OPS))[:, None].repeat(1, 2)
    videos = image.float()[None, None, None].repeat(len(OPS), 1, 2, 1, 1, 1)
    videos = (videos + torch.arange(len(OPS))[:, None, None, None, None, None]).clamp(0, 255)
    together = change_colour(videos, ops, strengths)
    backwards = change_colour(videos.flip(0), ops.flip(0), strengths.flip(0)).flip(0)
    for k in range(len(OPS)):
        alone = change_colour(videos[k : k + 1], ops[k : k + 1], strengths[k : k + 1])[0]
        assert torch.equal(together[k], alone) and torch.equal(backwards[k], alone), OPS[k]


def test_draws_are_as_often_and_as_strong_as_asked():
    seeds = torch.arange(20_000)
    op, strength = ColourOps(number=3, magnitude=7, spread=0.5, chance=0.3).draw(seeds)
    share = torch.bincount(op.long().flatten(), minlength=len(OPS)) / op.numel()
    assert share[0].item() == pytest.approx(0.7, abs=0.006)
    assert share[1:].tolist() == pytest.approx([0.3 / 9] * 9, abs=0.003)
    assert (strength > 0).double().mean().item() == pytest.approx(0.5, abs=0.01)
    size = strength.abs()
    assert (size.mean().item(), size.std().item()) == pytest.approx((0.7, 0.05), abs=0.001)
    assert torch.corrcoef(torch.cat([op.T, strength.T])).fill_diagonal_(0).abs().max() < 0.03, "independent draws"
    constant = ColourOps(number=1, magnitude=10, spread=0, chance=1).draw(seeds)
    assert constant[0].min() == 1 and (constant[1].abs() == 1).all()


def test_the_preprocessor_draws_by_the_seed_of_each_sample(image):
    """Neither the batch nor its order changes a video; the draws that were there before stay as they were."""
    plain = dict(flip=0.5, crop_scale=(0.5, 1.0))
    with_ops, without = (
        VideoPreprocessor(size=32, augment=plain | more)
        for more in (dict(colour_ops=dict(number=2, magnitude=9, chance=1.0)), {})
    )
    video, seed = image.movedim(0, -1)[None, None, None].repeat(4, 2, 3, 1, 1, 1), torch.tensor([5, 6, 7, 8])
    out = with_ops({"video": video, "seed": seed}, training=True)["video"]
    turned = with_ops({"video": video.flip(0), "seed": seed.flip(0)}, training=True)["video"].flip(0)
    assert torch.equal(out, turned)
    alone = with_ops({"video": video[:1], "seed": seed[2:3]}, training=True)["video"]
    assert torch.equal(out[2], alone[0])
    assert not torch.equal(out[0], out[1])
    assert torch.equal(out[:, 0, :, 0], out[:, 1, :, 2]), "one change for all clips and frames"
    before, now = (one.augmentation.draw(seed, 32) for one in (without, with_ops))
    assert all(torch.equal(a, b) for a, b in zip(before[:-2], now[:-2], strict=True))
    tested = with_ops({"video": video}, training=False)["video"]
    assert torch.equal(tested, without({"video": video}, training=False)["video"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (dict(number=0), "colour_ops.number is 0: expected a number from 1 to 20"),
        (dict(magnitude=11), "colour_ops.magnitude is 11.0: expected a number from 0 to 10"),
        (dict(spread=-1), "colour_ops.spread is -1.0: expected a number from 0 to 10"),
        (dict(chance=2), "colour_ops.chance is 2.0: expected a number from 0 to 1"),
        (dict(number=1.5), "Expected `int`, got `float` - at `augment.colour_ops.number`"),
        (dict(magnitude=float("nan")), "colour_ops.magnitude is nan: expected a number from 0 to 10"),
        (dict(strength=1), "augment.colour_ops has no 'strength': expected number, magnitude, spread, chance"),
        (9, "Expected `object | null`, got `int` - at `augment.colour_ops`"),
    ],
)
def test_values_out_of_their_range_are_one_line(values, message):
    with pytest.raises(UserError) as error:
        VideoPreprocessor(size=8, augment=dict(colour_ops=values))
    assert message in str(error.value) and "\n" not in str(error.value)
