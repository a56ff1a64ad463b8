"""The sampler that draws rare classes more often: its shares, its seeds, its processes, and videos drawn again."""

from collections import Counter

import numpy as np
import pytest
from helpers.run import SYNTHETIC, dataset
from mmengine.dataset import default_collate
from mmengine.runner import Runner

from cefl_bench.datasets import balanced_sampler
from cefl_bench.datasets.balanced_sampler import BalancedSampler
from cefl_bench.errors import UserError
from cefl_bench.functional.sampling import segment_frames
from cefl_bench.records import Draw

COUNTS = (60, 30, 9, 1)
COLLATE = dict(type=default_collate)


class Labels:
    """A dataset of which only the labels are known, those of a class far apart."""

    def __init__(self, counts=COUNTS):
        labels = np.repeat(range(len(counts)), counts)
        self.labels = np.random.default_rng(0).permutation(labels).tolist()

    def entries(self):
        return [{"label": label} for label in self.labels]


def draws_of(epoch=0, seed=0, **options):
    sampler = BalancedSampler(Labels(), seed=seed, **options)
    sampler.set_epoch(epoch)
    return list(sampler)


def per_class(draws):
    labels = Labels().labels
    counts = Counter(labels[draw.video] for draw in draws)
    return [counts[label] for label in range(len(COUNTS))]


@pytest.mark.parametrize(
    ("power", "expected"),
    [(0.0, (25, 25, 25, 25)), (1.0, COUNTS), (0.5, (45, 31.8, 17.4, 5.8))],  # roots 7.75, 5.48, 3, 1: of 17.22 in all
)
def test_shares_go_as_a_power_of_the_size(power, expected):
    draws = draws_of(power=power)
    assert len(draws) == 100 and per_class(draws) == pytest.approx(expected, abs=1)


def test_no_video_is_drawn_again_before_all_others_of_its_class():
    draws = draws_of()
    assert len(set(draws)) == len(draws), "each draw of a video has a number of its own"
    labels = Labels().labels
    for label, count in enumerate(COUNTS):
        times = Counter(draw.video for draw in draws if labels[draw.video] == label)
        assert set(times.values()) <= {25 // count, -(-25 // count)} and len(times) == min(count, 25)
        for video, drawn in times.items():
            assert {draw.times_before for draw in draws if draw.video == video} == set(range(drawn))


def test_classes_are_mixed_within_an_epoch():
    labels = [Labels().labels[draw.video] for draw in draws_of()]
    halves = [Counter(labels[:50]), Counter(labels[50:])]
    assert all(min(half[label] for label in range(4)) >= 5 for half in halves)


def test_draws_follow_from_seed_and_epoch():
    assert draws_of(epoch=3, seed=1) == draws_of(epoch=3, seed=1)
    others = [draws_of(epoch=epoch, seed=seed) for epoch, seed in ((3, 1), (4, 1), (3, 2), (1, 3), (0, 4))]
    assert len({tuple(draws) for draws in others}) == 5


@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
def test_processes_share_an_epoch(world_size, monkeypatch):
    alone, shares = draws_of(epoch=2), []
    for rank in range(world_size):
        monkeypatch.setattr(balanced_sampler, "get_dist_info", lambda rank=rank: (rank, world_size))
        sampler = BalancedSampler(Labels(), seed=0)
        sampler.set_epoch(2)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1]) == -(-100 // world_size)
    together = [draw for step in zip(*shares, strict=True) for draw in step]
    assert together[:100] == alone and together[100:] == alone[: len(together) - 100]


@pytest.mark.parametrize("power", [-0.5, 1.5, float("nan")])
def test_a_power_out_of_range_is_refused(power):
    with pytest.raises(UserError, match=r"BalancedSampler: power is .*: expected 0 .* to 1"):
        BalancedSampler(Labels(), power=power, seed=0)


def test_a_video_that_is_drawn_again_is_cut_and_augmented_anew(with_data):
    videos = dataset(SYNTHETIC)
    videos.set_epoch(0, 1)
    first, again = videos[3], videos[Draw(3, 1)]
    assert first["name"] == again["name"] and first["seed"] != again["seed"]
    assert not np.array_equal(first["frame_indices"], again["frame_indices"])
    for same, index in ((first, Draw(3, 0)), (again, Draw(3, 1))):
        np.testing.assert_array_equal(videos[index]["video"], same["video"])
        assert videos[index]["seed"] == same["seed"]


@pytest.mark.parametrize(("seed", "epoch", "times"), [(0, 0, 0), (7, 1, 2), (2**32 - 1, 14, 0)])
def test_what_is_drawn_of_a_video_follows_from_numbers_as_numpy_makes_it(with_data, seed, epoch, times):
    videos = dataset(SYNTHETIC)
    videos.set_epoch(seed, epoch)
    rng = np.random.default_rng([seed, epoch, 3, times])
    drawn = videos[Draw(3, times)]
    expected = segment_frames(videos.get_data_info(3)["num_frames"], rng)
    np.testing.assert_array_equal(drawn["frame_indices"], expected)
    assert drawn["seed"] == rng.integers(2**62)


def test_a_loader_with_workers_reads_what_is_drawn(with_data):
    videos = dataset(SYNTHETIC)
    loader = Runner.build_dataloader(
        dict(batch_size=14, num_workers=1, collate_fn=COLLATE, sampler=dict(type=BalancedSampler), dataset=videos),
        seed=5,
    )
    loader.sampler.set_epoch(1)
    names = []
    for batch in loader:
        names += batch["name"]
    expected = BalancedSampler(videos, seed=5)
    expected.set_epoch(1)
    assert names == [videos.get_data_info(draw.video)["name"] for draw in expected]
