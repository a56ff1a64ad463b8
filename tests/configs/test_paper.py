"""The paper track: what each leaf takes from its authors' released code, and every line of where it departs.

The expected values are written from descriptions of that code; pixels come from Pillow, which it uses.
"""

import numpy as np
import pytest
import torch
from helpers.paper import LEAVES, sampled
from PIL import Image
from torch import nn

from cefl_bench.config import load_config
from cefl_bench.errors import UserError
from cefl_bench.functional.augmentation import Augmentation
from cefl_bench.models.start import init_source
from cefl_bench.registry import MODELS, TRANSFORMS

CEFLNET, FORMER_DFER, C3D = (f"{method}_dfew_paper" for method in ("ceflnet", "former_dfer", "c3d"))


def network_sees(config, file) -> np.ndarray:
    """(size, size, 3) in 0..255: an image as the network of a leaf sees it in a test."""
    reader = TRANSFORMS.build(dict(config.test_dataloader.dataset.pipeline[0]))
    frames = reader({"path": str(file.parent), "num_frames": -1})["frames"].fetch(np.array([0]))
    preprocessor = MODELS.build(config.data_preprocessor)
    video = preprocessor({"video": torch.from_numpy(frames)[None, None]})["video"]
    return 255 * video[0, 0, :, 0].movedim(0, -1).numpy()


@pytest.fixture(scope="module", params=LEAVES)
def leaf(request):
    return load_config(LEAVES[request.param])


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A sharp 224 x 224 image in a folder of its own."""
    file = tmp_path_factory.mktemp("video") / "00001.png"
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    pixels[60:150, 40:180] = 230
    Image.fromarray(pixels).save(file)
    return file


def test_every_leaf_says_where_it_departs(leaf):
    lines = leaf.departs_from_released_code
    assert leaf.track == "paper" and lines
    for line in lines:
        topic, colon, difference = line.partition(": ")
        assert colon and "heirs" in difference and topic, line


def test_every_convolutional_leaf_has_values_from_0_to_1_and_trunks_that_start_at_one(leaf):
    if leaf.method == "mae_dfer":
        pytest.skip("a transformer, with the mean and deviation of ImageNet")
    backbone = MODELS.build(leaf.model.backbone | {"init_cfg": None})
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d | nn.BatchNorm3d)]
    assert set(leaf.data_preprocessor.mean) == {0.0} and set(leaf.data_preprocessor.std) == {1.0}
    assert norms and all((norm.weight == 1).all() for norm in norms), "timm would start some of them at zero"


# CEFLNet


@pytest.fixture(scope="module")
def ceflnet():
    return load_config(LEAVES[CEFLNET])


def test_ceflnet_trains_on_whole_batches_of_eight_as_they_are(ceflnet):
    loader = ceflnet.train_dataloader
    assert (loader.batch_size, loader.drop_last, loader.sampler.shuffle) == (8, True, True)
    assert ceflnet.data_preprocessor.augment is None and ceflnet.data_preprocessor.size == 224
    assert ceflnet.model.backbone.frame_batches == "per_position" and ceflnet.randomness.seed == 3456


def test_ceflnet_sees_the_frames_of_the_released_loader(ceflnet):
    """Of 105 frames, which nothing stretches."""
    windows = 15 + 10 * np.arange(7)[:, None]
    assert (sampled(ceflnet, "test", 105) == windows + np.arange(0, 15, 3)).all()
    starts = set()
    for seed in range(300):
        indices = sampled(ceflnet, "train", 105, seed)
        assert indices.shape == (7, 5) and (np.diff(indices) > 0).all()
        offset = indices - 10 * np.arange(7)[:, None]  # start 0..29, then one of 15 frames
        assert offset.min() >= 0 and offset.max() <= 29 + 14 and offset.max() - offset.min() < 15
        starts.add(offset.min())
    assert len(starts) > 28


def test_ceflnet_departs_in_length(ceflnet):
    """Stretched, against the first 105 frames of at least 104."""
    for split in ("train", "test"):
        assert sampled(ceflnet, split, 300).max() > 105, "frames beyond the 105th are seen"
        assert sampled(ceflnet, split, 70).max() < 70, "a short video is taken"
        for num_frames in (104, 105, 847):
            fixed = [sampled(ceflnet, split, num_frames, seed, timeline="fixed") for seed in range(200)]
            same_draw = [sampled(ceflnet, split, 105, seed) for seed in range(200)]
            assert np.array_equal(fixed, same_draw), "the frames are those of a 105-frame video, by position"
            assert np.max(fixed) <= 103
        with pytest.raises(UserError, match=r"video a\.mp4: .* 103 frames .* at least 104"):
            sampled(ceflnet, split, 103, timeline="fixed")


def test_ceflnet_departs_in_initial_weights(ceflnet):
    assert init_source(ceflnet.model.backbone.init_cfg).start == "ImageNet"


def test_ceflnet_departs_in_scaling_of_other_sizes_alone(ceflnet, image, tmp_path):
    np.testing.assert_allclose(network_sees(ceflnet, image), np.asarray(Image.open(image)), atol=1e-3)
    small = Image.open(image).resize((160, 160))
    small.save(tmp_path / "small.png")
    seen = network_sees(ceflnet, tmp_path / "small.png")
    theirs, bilinear = (small.resize((224, 224), how) for how in (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR))
    assert abs(seen - np.asarray(bilinear, dtype=float)).mean() < 1 < abs(seen - np.asarray(theirs, dtype=float)).mean()


# Former-DFER


@pytest.fixture(scope="module")
def former_dfer():
    return load_config(LEAVES[FORMER_DFER])


@pytest.mark.parametrize(("num_frames", "step"), [(16, 1), (17, 2), (50, 6), (104, 12)])
def test_former_dfer_trains_on_the_frames_of_the_released_loader(former_dfer, num_frames, step):
    """Pairs start in [i * step, (i + 1) * step) for the i-th segment, step = floor((n - 1) / 8)."""
    seen = [set() for _ in range(8)]
    for seed in range(400):
        pairs = sampled(former_dfer, "train", num_frames, seed).reshape(8, 2)
        assert (pairs[:, 1] == pairs[:, 0] + 1).all()
        for segment, start in zip(seen, pairs[:, 0], strict=True):
            segment.add(int(start))
    assert seen == [set(range(i * step, (i + 1) * step)) for i in range(8)]


@pytest.mark.parametrize("num_frames", [16, 50, 104])
def test_former_dfer_tests_on_the_frames_of_the_released_loader(former_dfer, num_frames):
    """Pairs start midway in eighths of the n - 1 possible starts, rounded down."""
    tick = (num_frames - 1) / 8
    starts = [int(tick / 2 + tick * i) for i in range(8)]
    assert sampled(former_dfer, "test", num_frames)[0].tolist() == [s + k for s in starts for k in (0, 1)]


def released_crops(count: int) -> np.ndarray:
    """(count, 2) widths and heights, as shares of a 224-pixel frame, of the crops that the released code draws."""
    rng, found = np.random.default_rng(1), []
    while len(found) < count:
        area, ratio = rng.uniform(0.08, 1) * 224**2, rng.uniform(3 / 4, 4 / 3)
        size = np.rint([np.sqrt(area * ratio), np.sqrt(area / ratio)])
        size = size[::-1] if rng.random() < 0.5 else size
        if size.max() <= 224:
            found.append(size / 224)
    return np.array(found)


def largest_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Of two empirical distributions (Kolmogorov and Smirnov)."""
    grid = np.linspace(0, 1, 500)
    return abs((one[:, None] <= grid).mean(axis=0) - (other[:, None] <= grid).mean(axis=0)).max()


def test_former_dfer_crops_are_drawn_again_where_they_do_not_fit(former_dfer):
    augmentation = Augmentation(**former_dfer.data_preprocessor.augment)
    draws = augmentation.draw(torch.arange(6000), 112)
    ours, theirs = torch.stack([draws.width, draws.height], dim=1).double().numpy(), released_crops(6000)
    for axis in (0, 1):
        assert largest_distance(ours[:, axis], theirs[:, axis]) < 0.03
    assert (ours.max(axis=1) == 1).mean() < 0.01, "cut to a side of the frame"
    assert set(draws.flip.tolist()) == {-1, 1} and set(draws.brightness.tolist()) == {1}
    assert len(set(ours[:, 0] * 224 % 1)) > 5000, "it departs in crops: not in whole pixels"


def test_former_dfer_tests_on_images_scaled_as_pillow_does(former_dfer, image):
    """At once from 224 to 112 pixels; it departs in rounding: Pillow rounds after each axis."""
    theirs = np.asarray(Image.open(image).resize((112, 112), Image.Resampling.BILINEAR), dtype=float)
    difference = abs(network_sees(former_dfer, image) - theirs)
    assert 0 < difference.max() <= 1.01


def test_former_dfer_departs_in_short_videos(former_dfer):
    for split in ("train", "test"):
        for num_frames in (1, 5, 8, 15):
            indices = sampled(former_dfer, split, num_frames)
            assert indices.shape == (1, 16) and 0 <= indices.min() <= indices.max() < num_frames
    assert former_dfer.train_dataloader.drop_last and former_dfer.train_dataloader.batch_size == 32


# C3D


@pytest.fixture(scope="module")
def c3d():
    return load_config(LEAVES[C3D])


def test_c3d_has_the_benchmarks_schedule(c3d):
    optimizer = dict(c3d.optim_wrapper.optimizer)
    assert optimizer == {"type": torch.optim.Adam, "lr": 1e-3}
    assert (c3d.train_cfg.max_epochs, list(c3d.param_scheduler)) == (500, [])
    assert c3d.train_dataloader.batch_size == 32 and not c3d.train_dataloader.get("drop_last")
    assert c3d.data_preprocessor.augment is None and c3d.model.backbone.get("init_cfg") is None


def test_c3d_takes_all_frames_of_the_sixteen_and_departs_where_there_are_more(c3d):
    assert c3d.train_dataloader.dataset.frames == "clip_224x224_16f"
    for split in ("train", "test"):
        assert sampled(c3d, split, 16)[0].tolist() == list(range(16))
    assert (np.diff(sampled(c3d, "train", 160)[0] // 10) == 1).all(), "one of each sixteenth, not 16 at random"


def test_c3d_sees_images_scaled_as_pillow_does(c3d, image):
    theirs = np.asarray(Image.open(image).resize((112, 112), Image.Resampling.BILINEAR), dtype=float)
    assert abs(network_sees(c3d, image) - theirs).max() <= 1.01


def test_c3d_departs_in_order(c3d):
    assert c3d.train_dataloader.sampler.shuffle, "mmengine's sampler draws by seed and epoch"


def test_c3d_starts_by_kaiming_over_the_fan_in_and_departs_in_convolutions_and_classifier(c3d):
    torch.manual_seed(0)
    narrow = {"backbone": c3d.model.backbone | {"width": 8}, "data_preprocessor": c3d.data_preprocessor}
    model = MODELS.build(c3d.model | narrow)
    model.init_weights()
    default, kaiming = 1 / 3, 2
    classifier = model.head.layers[-1].weight
    for weight, gain in (
        (model.backbone.linears[1].weight, kaiming),
        (model.backbone.convolutions[4].weight, kaiming),
        (classifier, default),
    ):
        assert weight.std().item() == pytest.approx((gain / weight[0].numel()) ** 0.5, rel=0.05)
