"""The paper track of later methods: what their leaves take from the authors' code, and where they depart.

The expected values are written from descriptions of that code.
"""

import math

import numpy as np
import pytest
import torch
from helpers.paper import LEAVES, sampled

from cefl_bench.config import load_config
from cefl_bench.models.start import init_source


@pytest.fixture(scope="module")
def leaves():
    return {name: load_config(path) for name, path in LEAVES.items()}


@pytest.fixture
def m3dfel(leaves):
    return leaves["m3dfel_dfew_paper"]


@pytest.fixture
def est(leaves):
    return leaves["est_dfew_paper"]


def learning_rates(config, batches: int) -> list[float]:
    """Of every batch, or of every epoch where the schedule is by epochs; `batches` an epoch."""
    optimizer = dict(config.optim_wrapper.optimizer)
    optimizer = optimizer.pop("type")([torch.nn.Parameter(torch.zeros(1))], **optimizer)
    schedulers, by_batch = [], False
    for scheduler in map(dict, config.param_scheduler):
        kind = scheduler.pop("type")
        if scheduler.pop("convert_to_iter_based", False):
            by_batch = True
            schedulers.append(kind.build_iter_from_epoch(optimizer=optimizer, epoch_length=batches, **scheduler))
        else:
            schedulers.append(kind(optimizer=optimizer, **scheduler))
    rates = []
    for _ in range(config.train_cfg.max_epochs * (batches if by_batch else 1)):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


# M3DFEL


def test_m3dfel_trains_in_batches_of_256_from_kinetics(m3dfel):
    loader, augment = m3dfel.train_dataloader, m3dfel.data_preprocessor.augment
    assert (loader.batch_size, loader.drop_last, m3dfel.randomness.seed) == (256, True, 42)
    assert m3dfel.model.head.label_smoothing == 0.1
    assert init_source(m3dfel.model.backbone.init_cfg).start == "Kinetics-400"
    assert (augment.brightness, augment.contrast, augment.saturation) == (0.4, 0.4, 0.4)
    assert (augment.crop_scale, augment.crop_fit, augment.flip) == ((0.08, 1.0), "redraw", 0.5)


def test_m3dfel_departs_in_frames(m3dfel):
    """Each from its own sixteenth, and the same ones in every test."""
    for seed in range(20):
        assert (sampled(m3dfel, "train", 160, seed)[0] // 10 == np.arange(16)).all()
    assert (sampled(m3dfel, "test", 160)[0] == 10 * np.arange(16) + 5).all()


def test_m3dfel_warms_up_and_then_follows_a_cosine(m3dfel):
    batches, peak, lowest = 5, 5e-4, 5e-6
    rates, end = learning_rates(m3dfel, batches), 300 * batches
    assert m3dfel.optim_wrapper.optimizer.weight_decay == 0.05 and len(rates) == end
    for batch in range(1, end):
        expected = lowest + (peak - lowest) * (1 + math.cos(math.pi * batch / end)) / 2
        tolerance = 0.001 * expected
        if batch < 20 * batches:
            expected, tolerance = peak * batch / (20 * batches), 0.011 * peak
        assert rates[batch] == pytest.approx(expected, abs=tolerance), batch


# EST


def test_est_sees_the_frames_that_ceflnet_does(est, leaves):
    ceflnet = leaves["ceflnet_dfew_paper"]
    assert est.data_preprocessor == ceflnet.data_preprocessor and est.model.num_clips is None
    assert (est.train_dataloader.batch_size, est.train_dataloader.drop_last) == (8, True)
    for split in ("train", "test"):
        for num_frames in (50, 105, 300):
            assert (sampled(est, split, num_frames) == sampled(ceflnet, split, num_frames)).all()
    assert est.model.aggregator.num_clips == len(sampled(est, "test", 105)) == 7


def test_est_trains_160_epochs_of_adam(est):
    optimizer = dict(est.optim_wrapper.optimizer)
    assert optimizer == {"type": torch.optim.Adam, "lr": 1e-4, "weight_decay": 1e-4}
    rates = learning_rates(est, batches=1)
    expected = [1e-4 * (1 + math.cos(math.pi * e / 160)) / 2 * min(1, (e + 1) / 10) for e in range(160)]
    assert rates == pytest.approx(expected)


# NR-DFERNet and IAL


@pytest.mark.parametrize(("method", "segments", "length"), [("nr_dfernet", 8, 2), ("ial", 16, 1)])
@pytest.mark.parametrize("num_frames", [33, 50, 104])
def test_they_see_the_frames_of_the_released_loader(leaves, method, segments, length, num_frames):
    """`length` frames from each segment: in training, segments of whole frames; in a test, from midway in each."""
    leaf, starts = leaves[f"{method}_dfew_paper"], num_frames - length + 1
    step, seen = starts // segments, [set() for _ in range(segments)]
    for seed in range(150):
        runs = sampled(leaf, "train", num_frames, seed).reshape(segments, length)
        assert (runs == runs[:, :1] + np.arange(length)).all()
        for segment, start in zip(seen, runs[:, 0], strict=True):
            segment.add(int(start))
    assert seen == [set(range(i * step, (i + 1) * step)) for i in range(segments)]
    tick = starts / segments
    expected = [int(tick / 2 + tick * i) + k for i in range(segments) for k in range(length)]
    assert sampled(leaf, "test", num_frames)[0].tolist() == expected


@pytest.mark.parametrize(("method", "batch_size"), [("nr_dfernet", 32), ("ial", 40)])
def test_they_halve_the_rate_every_seven_epochs(leaves, method, batch_size):
    leaf = leaves[f"{method}_dfew_paper"]
    optimizer = dict(leaf.optim_wrapper.optimizer)
    assert optimizer == {"type": torch.optim.SGD, "lr": 1e-3, "momentum": 0.9, "weight_decay": 0.1}
    assert learning_rates(leaf, batches=1) == pytest.approx([1e-3 * 0.5 ** (epoch // 7) for epoch in range(100)])
    assert 0.5 ** (100 // 7) < 1e-4, "as its list says of the epochs that it leaves out"
    assert (leaf.train_dataloader.batch_size, leaf.train_dataloader.drop_last) == (batch_size, True)
    augment = leaf.data_preprocessor.augment
    assert (augment.brightness, augment.rotation, augment.contrast, augment.saturation) == (0.6, 4.0, 0.0, 0.0)
    assert leaf.model.backbone.get("init_cfg") is None


# MAE-DFER


@pytest.fixture
def mae_dfer(leaves):
    return leaves["mae_dfer_dfew_paper"]


def test_mae_dfer_sees_every_fourth_frame_and_holds_the_last_of_a_short_video(mae_dfer):
    starts = set()
    for seed in range(200):
        frames = sampled(mae_dfer, "train", 70, seed)
        assert frames.shape == (1, 16) and (np.diff(frames) == 4).all()
        starts.add(int(frames[0, 0]))
    assert starts == set(range(7)), "the places of a window of 64 frames among 70"
    assert (sampled(mae_dfer, "test", 70) == np.array([[0], [6]]) + 4 * np.arange(16)).all()
    short = [0, 4, 8, 12, 16, *[19] * 11]
    assert sampled(mae_dfer, "test", 20).tolist() == [short, short]
    assert sampled(mae_dfer, "train", 20).tolist() == [short]


def test_mae_dfer_mixes_and_merges(mae_dfer):
    preprocessor = mae_dfer.data_preprocessor
    assert dict(preprocessor.mix) == {"mixup": 0.8, "cutmix": 1.0, "chance": 1.0, "cutmix_chance": 0.5}
    assert (preprocessor.size, preprocessor.augment.erasing, mae_dfer.model.head.label_smoothing) == (160, 0.25, 0.1)
    assert preprocessor.mean == (0.485, 0.456, 0.406), "ImageNet's"
    changes = preprocessor.augment.colour_ops
    assert (changes.number, changes.magnitude, changes.spread) == (4, 7, 0.5), "rand-m7-n4-mstd0.5-inc1"
    assert changes.chance / 9 == pytest.approx(0.5 / 15), "each as often as there, where 15 changes are drawn from"
    assert mae_dfer.model.views and tuple(mae_dfer.model.backbone.region) == (2, 5, 10)


def test_mae_dfer_has_its_authors_schedule(mae_dfer):
    batches, peak, lowest = 4, 1e-3 * 96 / 256, 1e-6 * 96 / 256
    rates = learning_rates(mae_dfer, batches)
    assert len(rates) == 100 * batches and mae_dfer.train_dataloader.batch_size == 96
    for batch in range(5 * batches, 100 * batches):
        done = (batch / batches - 5) / 95
        expected = lowest + (peak - lowest) * (1 + math.cos(math.pi * done)) / 2
        assert rates[batch] == pytest.approx(expected, rel=0.01, abs=peak / 1000)
    assert np.diff(rates[: 5 * batches]).min() > 0 and rates[0] < peak / 100
    assert mae_dfer.optim_wrapper.paramwise_cfg.layer_decay == 0.75
    assert mae_dfer.optim_wrapper.optimizer.weight_decay == 0.05


def test_mae_dfer_takes_the_authors_weights_by_an_option():
    options = {"model.backbone.init_cfg.checkpoint": "vox.pth", "model.backbone.init_cfg.start": "VoxCeleb2"}
    config = load_config(LEAVES["mae_dfer_dfew_paper"], options)
    assert config.model.backbone.init_cfg == {"checkpoint": "vox.pth", "start": "VoxCeleb2"}
