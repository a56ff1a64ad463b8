"""Random draws: distributed as they say, on the grid, and with room for what C libraries disagree on."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import kstest

from cefl_bench.synthesis.draws import Draws, normal_quantiles
from cefl_bench.synthesis.exact import STEPS_PER_UNIT, on_grid
from cefl_bench.synthesis.video import NUM_LIGHT_LEVELS, display_curve


def is_on_grid(values: np.ndarray) -> bool:
    return bool((np.asarray(values) * STEPS_PER_UNIT % 1 == 0).all())


def room(values: np.ndarray) -> float:
    """How far the nearest value is from where rounding to the grid goes the other way, in steps."""
    steps = np.asarray(values, np.float64) * STEPS_PER_UNIT
    return float(np.abs(steps - np.floor(steps) - 0.5).min())


def test_uniform_draws_are_the_generators_rounded():
    numpys = np.random.Generator(np.random.PCG64(np.random.SeedSequence([3, 1]))).random(1000)
    assert (Draws(3, 1).uniforms(-1, 3, 1000) == on_grid(-1 + 4 * numpys)).all()


def test_normal_draws_are_normal():
    drawn = Draws(5).normals(2, 3, 20_000)
    assert is_on_grid(drawn)
    assert kstest((drawn - 2) / 3, "norm").pvalue > 0.01


def test_the_quantiles_are_scipys_rounded_and_no_library_could_round_one_otherwise():
    real = ndtri((np.arange(2**16) + 0.5) / 2**16)
    assert (normal_quantiles() == on_grid(real)).all()
    assert room(real) * 2**-16 > 1e-11


def test_the_display_curve_is_gamma_2_2_and_no_library_could_round_it_otherwise():
    real = (np.arange(NUM_LIGHT_LEVELS) / (NUM_LIGHT_LEVELS - 1)) ** (1 / 2.2)
    assert (display_curve() == on_grid(real)).all()
    assert room(real[1:-1]) * 2**-16 > 1e-11


def test_draws_of_places_and_options_are_as_frequent_as_they_should_be():
    draws = Draws(7)
    assert 1850 < draws.hits(0.1, 20_000).sum() < 2150
    picked = [draws.pick("abc") for _ in range(3000)]
    assert all(900 < picked.count(option) < 1100 for option in "abc")
    numbers = [draws.integer(-2, 3) for _ in range(5000)]
    assert all(900 < numbers.count(number) < 1100 for number in range(-2, 3))
    levels = draws.levels((100, 333))
    assert levels.dtype == np.uint16 and levels.shape == (100, 333) and 32_000 < levels.mean() < 33_500


@pytest.mark.parametrize("size", (0, 1, 3, 4, 5, (2, 0), (3, 3)))
def test_any_number_of_levels_can_be_drawn(size):
    assert Draws(1).levels(size).size == np.prod(size)


def test_a_stream_follows_from_its_key_alone():
    assert Draws(1, 2).normal(0, 1) == Draws(1, 2).normal(0, 1)
    assert len({Draws(*key).normal(0, 1) for key in ((1, 2), (2, 1), (1,), (1, 2, 3), (0, 1, 2))}) == 5
