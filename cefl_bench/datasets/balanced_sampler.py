"""Draws the videos of rare classes more often."""

import math
from collections.abc import Iterator
from typing import cast

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.records import Draw


class BalancedSampler(Sampler):
    """An epoch as long as the dataset, in which every class has about the same number of draws.

    A class of n videos has a share of the draws that goes as n ** `power`: the same for all with 0, its own with 1,
    between them with 0.5. Kang et al., Decoupling representation and classifier for long-tailed recognition, ICLR 2020,
    equation 1. Which video of a class is drawn is random, but none is drawn again before all others of its class were;
    a video that is drawn again in an epoch is cut and augmented anew.

    What is drawn follows from the seed and the epoch alone, so a resumed run goes on as it would have. Several
    processes share the draws of an epoch.

    Args:
        dataset: its videos and their labels.
        power: 0 to 1.
        seed: the same in all processes; mmengine gives the run's.

    Raises:
        UserError: when `power` is out of its range.
    """

    def __init__(self, dataset: VideoDataset, power: float = 0.0, seed: int | None = None) -> None:
        if not 0 <= power <= 1:
            raise UserError(f"BalancedSampler: power is {power!r}: expected 0 (every class the same) to 1 (as it is)")
        self.rank, self.world_size = get_dist_info()
        self.seed = cast(int, sync_random_seed() if seed is None else seed)
        self.epoch = 0
        labels = np.array([entry["label"] for entry in dataset.entries()])
        self._videos = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        self._shares = np.array([len(videos) for videos in self._videos]) ** float(power)
        self._size = len(labels)

    def __len__(self) -> int:
        """How many draws this process has in an epoch."""
        return math.ceil(self._size / self.world_size)

    def __iter__(self) -> Iterator[Draw]:
        draws = self._draws(np.random.default_rng([self.seed, self.epoch]))
        whole = draws + draws[: len(self) * self.world_size - len(draws)]  # every process has the same number
        return iter(whole[self.rank :: self.world_size])

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch; mmengine's `DistSamplerSeedHook` says which."""
        self.epoch = epoch

    def _draws(self, rng: np.random.Generator) -> list[Draw]:
        """The draws of all processes, in their order."""
        ends = np.rint(self._size * np.cumsum(self._shares) / self._shares.sum()).astype(int)
        draws: list[Draw] = []
        for videos, times in zip(self._videos, np.diff(ends, prepend=0), strict=True):
            for place in range(0, times, len(videos)):
                some = rng.permutation(videos)[: times - place]
                draws += [Draw(int(index), place // len(videos)) for index in some]
        return [draws[place] for place in rng.permutation(len(draws))]
