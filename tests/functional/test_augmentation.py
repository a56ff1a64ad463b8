"""Augmentation: one draw per video, the same for all of its frames, and nothing but what was drawn."""

import numpy as np
import pytest
import torch
import torchvision.transforms as T
import torchvision.transforms.functional as TF
from PIL import Image
from scipy.stats import ks_2samp, kstest

from cefl_bench.errors import UserError
from cefl_bench.functional.augmentation import Augmentation, Draws
from cefl_bench.functional.pixels import crop_resize, erase_, jitter_colour_, turn
from cefl_bench.models.preprocessor import VideoPreprocessor

SIZE = 1000
"""Pixels of a frame on which torchvision draws, so many that its whole pixels do not matter."""


def drawn(**values) -> Draws:
    """One video's draw; what is not said changes nothing."""
    nothing = dict(width=1, height=1, x=0, y=0, flip=1, brightness=1, contrast=1, saturation=1, angle=0)
    one = {name: torch.tensor([float(value)]) for name, value in (nothing | values).items() if name != "box"}
    box = torch.tensor([values.get("box", (0.0, 0.0, 0.0, 0.0))])
    return Draws(**one, box=box, colour_op=torch.zeros(1, 0), colour_strength=torch.zeros(1, 0))


def draws_of(count: int = 4000, **arguments) -> Draws:
    """As arrays, so many."""
    return Draws(*(values.numpy() for values in Augmentation(**arguments).draw(torch.arange(count), SIZE)))


@pytest.fixture
def video():
    """(B, N, T, H, W, C) uint8 noise, all frames of a video equal."""
    frame = torch.randint(0, 256, (2, 1, 1, 24, 24, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return frame.repeat(1, 2, 3, 1, 1, 1)


@pytest.fixture
def image():
    """(3, 40, 40) smooth colours, 0..255."""
    coarse = torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(coarse, (40, 40), mode="bicubic").clamp(0, 1)[0] * 255


def test_draws_stay_in_range_and_follow_from_the_seed():
    augmentation = Augmentation(crop_scale=(0.5, 0.9), brightness=0.3)
    draws = augmentation.draw(torch.arange(300), 56)
    for alone in (0, 7, 299):
        for together, single in zip(draws, augmentation.draw(torch.tensor([alone]), 56), strict=True):
            assert torch.equal(together[alone], single[0])
    area = draws.width * draws.height
    assert area.min() > 0.45 and area.max() <= 0.91
    assert (draws.x.abs() + draws.width).max() <= 1 + 1e-6 and (draws.y.abs() + draws.height).max() <= 1 + 1e-6
    assert set(draws.flip.tolist()) == {-1, 1}
    assert draws.brightness.min() >= 0.7 and draws.brightness.max() <= 1.3
    assert not draws.angle.any() and not draws.box.any(), "rotation and erasing are off unless a config says so"
    assert draws.colour_op.shape == (300, 0), "so are further changes of colour"


def test_crops_are_drawn_as_torchvision_draws_them():
    torch.manual_seed(0)
    scale, ratio, blank = (0.3, 1.0), (3 / 4, 4 / 3), torch.zeros(3, SIZE, SIZE)
    theirs = np.array([T.RandomResizedCrop.get_params(blank, list(scale), list(ratio)) for _ in range(4000)]) / SIZE
    top, left, height, width = theirs.T
    ours = draws_of(crop_scale=scale, crop_ratio=ratio, crop_fit="redraw")
    for one, other in (
        (ours.width, width),
        (ours.height, height),
        (ours.width * ours.height, width * height),
        ((ours.x + 1 - ours.width) / 2, left),
        ((ours.y + 1 - ours.height) / 2, top),
    ):
        assert ks_2samp(one, other).statistic < 0.045
    assert abs(np.corrcoef(ours.x, ours.y)[0, 1]) < 0.06


def test_colour_flip_and_angle_are_even_in_their_ranges():
    ours = draws_of(brightness=0.4, contrast=0.3, saturation=0.2, flip=0.3, rotation=90)
    for values, reach in ((ours.brightness, 0.4), (ours.contrast, 0.3), (ours.saturation, 0.2)):
        assert kstest(values, "uniform", (1 - reach, 2 * reach)).statistic < 0.03
    assert kstest(ours.angle, "uniform", (-np.pi / 2, np.pi)).statistic < 0.03
    assert (ours.flip < 0).mean() == pytest.approx(0.3, abs=0.03)
    together = np.corrcoef([ours.brightness, ours.contrast, ours.saturation, ours.angle, ours.flip, ours.x])
    assert abs(together - np.eye(6)).max() < 0.06


def test_boxes_are_erased_as_torchvision_erases_them():
    torch.manual_seed(0)
    blank = torch.zeros(3, SIZE, SIZE)
    theirs = [T.RandomErasing.get_params(blank, (0.02, 0.33), (0.3, 3.3), [0.0])[:4] for _ in range(4000)]
    top, left, height, width = (np.array(theirs) / SIZE).T
    ours = draws_of(erasing=1.0).box
    for one, other in (
        (ours[:, 0], top),
        (ours[:, 1], left),
        (ours[:, 2] - ours[:, 0], height),
        (ours[:, 3] - ours[:, 1], width),
    ):
        assert ks_2samp(one, other).statistic < 0.045
    assert (draws_of(erasing=0.25).box[:, 2] > 0).mean() == pytest.approx(0.25, abs=0.03)


def test_the_identity_draw_changes_nothing():
    video = torch.rand(1, 1, 2, 3, 16, 16) * 255
    torch.testing.assert_close(crop_resize(video, drawn(), 16), video)
    torch.testing.assert_close(turn(video, drawn(), 16), video, atol=1e-3, rtol=0)
    torch.testing.assert_close(jitter_colour_(video.clone(), drawn(), Augmentation()), video)
    torch.testing.assert_close(erase_(video.clone(), drawn().box), video)


def test_crop_and_flip_cut_where_they_say():
    video = torch.arange(16.0).reshape(1, 1, 1, 1, 1, 16).expand(1, 1, 1, 3, 16, 16).contiguous()
    for change_place in (crop_resize, turn):
        right_half = change_place(video, drawn(width=0.5, x=0.5), 16)
        assert right_half[0, 0, 0, 0, 4:12].min() >= 7.4 - 4 * (change_place is turn)  # black beyond the frame
        flipped = change_place(video, drawn(flip=-1), 16)
        torch.testing.assert_close(flipped, video.flip(-1), atol=1e-3, rtol=0)


@pytest.mark.parametrize("flip", [1, -1])
@pytest.mark.parametrize("angle", [-25, 10, 90])
def test_turning_is_torchvisions(image, angle, flip):
    turned = turn(image[None, None, None], drawn(angle=np.radians(angle), flip=flip), 40)[0, 0, 0]
    theirs = TF.rotate(image, angle, TF.InterpolationMode.BILINEAR)
    torch.testing.assert_close(turned.flip(-1) if flip < 0 else turned, theirs, atol=0.02, rtol=0)


def test_a_crop_of_what_is_turned_is_a_crop_of_it(image):
    """The part at the bottom left, in whole pixels: what turning all and cutting gives."""
    whole = turn(image[None, None, None], drawn(angle=0.3), 40)[0, 0, 0]
    part = turn(image[None, None, None], drawn(angle=0.3, width=0.5, height=0.5, x=-0.5, y=0.5), 20)[0, 0, 0]
    torch.testing.assert_close(part, whole[:, 20:, :20], atol=1e-2, rtol=0)
    half = turn(image[None, None, None], drawn(angle=0.3), 20, antialias=True)[0, 0, 0]
    torch.testing.assert_close(half, torch.nn.functional.avg_pool2d(whole, 2), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("brightness", "contrast", "saturation"), [(1.4, 1, 1), (1, 0.6, 1), (1, 1, 1.5), (0.8, 1.3, 0)]
)
def test_colours_are_varied_as_torchvision_does(image, brightness, contrast, saturation):
    ours = jitter_colour_(
        image[None, None, None].clone(),
        drawn(brightness=brightness, contrast=contrast, saturation=saturation),
        Augmentation(),
    )
    theirs = TF.adjust_brightness(image / 255, brightness)
    theirs = TF.adjust_saturation(TF.adjust_contrast(theirs, contrast), saturation)
    torch.testing.assert_close(ours[0, 0, 0] / 255, theirs, atol=2e-4, rtol=0)  # torchvision's weights of colours


def test_a_colour_without_a_range_is_left_alone(image, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "clamp_", lambda *_: pytest.fail("worked for nothing"))
    jitter_colour_(image[None, None, None].clone(), drawn(), Augmentation(brightness=0, contrast=0, saturation=0))


def test_erasing_clears_the_box_and_nothing_else(image):
    ours = erase_(image[None, None, None].clone(), drawn(box=(0.1, 0.25, 0.5, 0.75)).box)[0, 0, 0]
    assert torch.equal(ours, TF.erase(image, 4, 10, 16, 20, torch.tensor(0.0)))


@pytest.mark.parametrize(
    ("left", "top", "width", "height", "size"),
    [(0, 0, 128, 128, 56), (20, 10, 61, 90, 48), (7, 3, 40, 20, 60), (100, 5, 28, 123, 16), (31, 0, 97, 128, 112)],
)
@pytest.mark.parametrize("flip", [1, -1])
def test_an_antialiased_crop_is_pillows(left, top, width, height, size, flip):
    """Which cuts the crop out first and then scales it, and rounds to whole levels after each axis."""
    frame = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    image = Image.fromarray(frame).crop((left, top, left + width, top + height))
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    expected = np.asarray(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip < 0 else image, dtype=float)
    draw = drawn(
        width=width / 128,
        height=height / 128,
        flip=flip,
        x=(2 * left + width) / 128 - 1,
        y=(2 * top + height) / 128 - 1,
    )
    video = torch.from_numpy(frame).movedim(-1, 0)[None, None, None].float()
    sharp, smooth = (crop_resize(video, draw, size, antialias)[0, 0, 0].movedim(0, -1) for antialias in (False, True))
    assert abs(smooth.numpy() - expected).max() <= 1.01
    if min(width, height) > size:
        assert abs(sharp.numpy() - expected).max() > 10, "without it pixels are skipped"


def test_a_crop_of_less_than_a_pixel_is_one_pixel():
    video = torch.rand(1, 1, 1, 3, 8, 8)
    for antialias in (False, True):
        out = crop_resize(video, drawn(width=0.01, height=0.01, x=0.3, y=-0.99), 4, antialias)
        assert torch.isfinite(out).all() and out.min() >= 0 and out.max() <= 1


def test_a_crop_that_does_not_fit_is_cut_or_drawn_again():
    wide = {"crop_scale": (0.9, 1.0), "crop_ratio": (0.5, 2.0)}
    clamped, redrawn = draws_of(200, **wide), draws_of(200, **wide, crop_fit="redraw")
    assert (redrawn.width * redrawn.height).min() >= 0.9 - 1e-6, "the area is what was drawn"
    assert (clamped.width * clamped.height).min() < 0.8
    never = draws_of(1, crop_scale=(0.9, 1.0), crop_ratio=(4.0, 5.0), crop_fit="redraw")
    assert (never.width, never.height, never.x, never.y) == (1, 1, 0, 0)
    with pytest.raises(UserError, match="crop_fit is 'cut': expected 'clamp' or 'redraw'"):
        Augmentation(crop_fit="cut")


def test_a_preprocessor_antialiases_where_its_config_says_so(video):
    crops = [
        VideoPreprocessor(size=8, augment=dict(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0)), **antialias)(
            {"video": video, "seed": torch.tensor([1, 2])}, training=True
        )["video"]
        for antialias in ({}, {"antialias": False}, {"antialias": True})
    ]
    assert torch.equal(crops[0], crops[1]), "off unless a config says so"
    assert crops[2].std() < 0.7 * crops[1].std(), "noise is averaged"


def test_every_frame_of_a_video_gets_the_same_draw_and_every_video_its_own(video):
    preprocessor = VideoPreprocessor(size=16, augment={})
    out = preprocessor({"video": video, "seed": torch.tensor([1, 2])}, training=True)["video"]
    assert out.shape == (2, 2, 3, 3, 16, 16) and out.dtype == torch.float32
    torch.testing.assert_close(out[:, :1, :, :1].expand_as(out), out)
    alone = preprocessor({"video": video[1:], "seed": torch.tensor([2])}, training=True)["video"]
    torch.testing.assert_close(alone[0], out[1])
    assert not torch.allclose(out[0], out[1])


def test_testing_only_scales_and_normalises(video):
    preprocessor = VideoPreprocessor(size=24, augment={}, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    out = preprocessor({"video": video, "seed": torch.tensor([1, 2])}, training=False)["video"]
    expected = (video.numpy() / 255 - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.3, 0.4])
    np.testing.assert_allclose(out.numpy(), np.moveaxis(expected, -1, 2), atol=1e-5)


def test_all_that_can_be_drawn_at_once(video):
    """Every video as it is alone, whatever is beside it."""
    augment = dict(rotation=30, erasing=1.0)
    preprocessor = VideoPreprocessor(size=16, augment=augment, antialias=True)
    out = preprocessor({"video": video, "seed": torch.tensor([1, 2])}, training=True)["video"]
    alone = preprocessor({"video": video[1:], "seed": torch.tensor([2])}, training=True)["video"]
    assert torch.equal(out[1], alone[0])
    assert ((out == 0).flatten(1).float().mean(dim=1) > 0.015).all(), "a box is erased in each"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(augment=dict(flp=0.5)), "augment has no 'flp': expected crop_scale, .*flip"),
        (dict(augment=dict(flip="often")), "Expected `float`, got `str` - at `augment.flip`"),
        (dict(augment=dict(flip=2)), "augment.flip is 2.0: expected a number from 0 to 1"),
        (dict(augment=dict(erasing=-1)), "augment.erasing is -1.0: expected a number from 0 to 1"),
        (dict(augment=dict(rotation=200)), "augment.rotation is 200.0: expected degrees from 0 to 180"),
        (dict(augment=dict(crop_scale=(0.5,))), "length 2, got 1 - at `augment.crop_scale`"),
        (dict(augment=dict(crop_scale=(0.9, 0.5))), r"augment.crop_scale is \(0.9, 0.5\): expected shares"),
        (dict(augment=dict(crop_ratio=(0.0, 1.0))), "augment.crop_ratio is .* above 0"),
        (dict(mean=(0.5, 0.5)), "expected three numbers each"),
        (dict(std=(1, 0, 1)), "std above 0"),
        (dict(size=0), "size is 0: expected a number of pixels"),
    ],
)
def test_arguments_out_of_their_range_are_one_line(arguments, message):
    with pytest.raises(UserError, match=message) as error:
        VideoPreprocessor(**{"size": 8, **arguments})
    assert "\n" not in str(error.value)
