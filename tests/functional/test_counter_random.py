"""Counted random numbers: SplitMix64 to the bit, even, and the same for a seed in any batch."""

import numpy as np
import torch
from scipy.stats import kstest

from cefl_bench.functional.counter_random import random_words, uniform


def test_the_words_are_splitmix64s():
    """The first five of seed 1234567, as published with the reference code's ports."""
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    words = random_words(torch.tensor([1234567]), range(0, 5))[0]
    assert [word % 2**64 for word in words.tolist()] == known
    assert torch.equal(random_words(torch.tensor([1234567]), range(3, 5))[0], words[3:])


def test_numbers_are_even_and_those_of_neighbours_have_nothing_to_do_with_each_other():
    numbers = uniform(torch.arange(4000), range(0, 50)).numpy()
    assert numbers.min() >= 0 and numbers.max() < 1
    for which in (0, 21, 49):
        assert kstest(numbers[:, which], "uniform").pvalue > 1e-3
    together = np.corrcoef(np.concatenate([numbers[:-1].T, numbers[1:].T]))
    assert abs(together - np.eye(100)).max() < 0.08, "between numbers of a seed, and of the next"


def test_a_seed_gives_the_same_in_any_batch():
    seeds = torch.tensor([5, 2**62 - 1, 0, 77])
    together = uniform(seeds, range(0, 30))
    for row, seed in zip(together, seeds, strict=True):
        assert torch.equal(uniform(seed[None], range(0, 30))[0], row)


def test_numbers_are_whole_53_bit_ones_below_1():
    """In float32, one in 30 million would be rounded up to 1, which no table of quantiles has a place for."""
    numbers = uniform(torch.arange(50), range(0, 4))
    words = random_words(torch.arange(50), range(0, 4)).tolist()
    assert numbers.tolist() == [[(word % 2**64 >> 11) / 2**53 for word in row] for row in words]
