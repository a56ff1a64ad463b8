"""Random numbers by counting: the n-th number of a seed is a function of both, the same in any batch, on any device.

SplitMix64, Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014,
https://doi.org/10.1145/2660193.2660195. Whole-number arithmetic, so that a GPU and a CPU agree to the last bit.
"""

import torch


def _signed(value: int) -> int:
    """A 64-bit word as torch holds it, which has no unsigned one that can be multiplied."""
    return value - 2**64 if value >= 2**63 else value


STEP = _signed(0x9E3779B97F4A7C15)
MIX = ((30, _signed(0xBF58476D1CE4E5B9)), (27, _signed(0x94D049BB133111EB)))
LAST_SHIFT = 31


def random_words(seed_B: torch.Tensor, numbers: range) -> torch.Tensor:
    """(B,) int64 seeds -> (B, n) int64: of each seed the words of these numbers, counted from 0; all 64 bits random."""
    count = torch.arange(numbers.start + 1, numbers.stop + 1, device=seed_B.device)
    word_BN = seed_B[:, None] + count * STEP  # whole numbers of torch wrap around
    for shift, factor in MIX:
        word_BN = (word_BN ^ _shifted(word_BN, shift)) * factor
    return word_BN ^ _shifted(word_BN, LAST_SHIFT)


def uniform(seed_B: torch.Tensor, numbers: range) -> torch.Tensor:
    """(B,) int64 seeds -> (B, n) float64, evenly from 0 up to but not including 1, of the words of these numbers."""
    return _shifted(random_words(seed_B, numbers), 11).double() * 2.0**-53


def _shifted(word: torch.Tensor, places: int) -> torch.Tensor:
    """To the right, with zeros from the left."""
    return (word >> places) & (2 ** (64 - places) - 1)
