"""The arithmetic of rendering: close to the real functions, and made of nothing that depends on the processor."""

import ast
import inspect
import math
from pathlib import Path

import numpy as np
import pytest

import cefl_bench.synthesis
from cefl_bench.synthesis import exact
from cefl_bench.synthesis.corpus import Corpus

X = np.linspace(-40, 40, 4001)
SYNTHESIS = Path(inspect.getfile(cefl_bench.synthesis)).parent
READERS = {"sheet.py", "decoded.py"}  # they look at videos that are there
# A table whose rounding hides the last bits; test_draws measures that it does.
ROUNDED_POWER = "(level / (NUM_LIGHT_LEVELS - 1)) ** (1 / 2.2)"
EXACT_FUNCTIONS = {
    "abs", "arange", "array", "asarray", "ascontiguousarray", "clip", "concatenate", "convolve", "cumsum", "empty",
    "eye", "flatnonzero", "full", "isin", "maximum", "minimum", "moveaxis", "ones", "ones_like", "outer", "prod",
    "rint", "roll", "round", "shape", "sort", "sqrt", "stack", "tile", "unique", "where", "zeros",
}  # fmt: skip
# Products whose sums a library orders: each side is on the grid, as test_sums_are_of_values_on_the_grid measures.
SUMS_ON_THE_GRID = {
    "on_grid(actions) @ self.head.actions.reshape(len(ACTIONS), -1)",
    "(vertices - self.pivot) @ rotations(angles).transpose(0, 2, 1)",
    "matrices @ on_grid(turn)",
    "self.neighbours @ around",
    "shares @ corners",
    "np.convolve(row, kernel, 'valid')",
}
TYPES_AND_NAMES = {"float32", "float64", "int32", "int64", "mgrid", "ndarray", "random", "uint16", "uint64", "uint8"}


def test_sine_and_cosine_are_close_to_the_real_ones():
    assert np.abs(exact.sine(X) - [math.sin(x) for x in X]).max() < 1e-6
    assert np.abs(exact.cosine(X) - [math.cos(x) for x in X]).max() < 1e-6


def test_the_bell_falls_as_the_exponential_does():
    distance = np.linspace(0, 20, 401)
    bell = exact.fall_off(distance)
    assert bell[0] == 1 and (bell[distance >= 16] == 0).all() and (np.diff(bell) <= 0).all()
    assert np.abs(bell - [math.exp(-d) for d in distance]).max() < 0.02


@pytest.mark.parametrize("exponent", (1, 2, 7, 12, 16, 80))
def test_powers_of_whole_numbers_are_exact(exponent):
    bases = [1, 2, 3] if exponent <= 16 else [1, 2]
    assert exact.power(np.array(bases, float), exponent).tolist() == [float(base**exponent) for base in bases]


def test_interpolation_is_numpys():
    places, values = (-2.0, 0.5, 3.0), (1.0, -4.0, 10.0)
    assert np.allclose(exact.interpolate(X, places, values), np.interp(X, places, values), atol=1e-12)


def test_smoothstep_rises_from_0_to_1():
    assert exact.smoothstep([-1, 0, 0.5, 1, 2]).tolist() == [0, 0, 0.5, 1, 1]


def test_units_have_length_1_and_nothing_stays_nothing():
    vectors = np.array([[3.0, 4.0, 12.0], [0.0, 0.0, 0.0], [-2.0, 0.0, 0.0]])
    assert exact.unit(vectors).tolist() == [[3 / 13, 4 / 13, 12 / 13], [0, 0, 0], [-1, 0, 0]]


def test_sums_of_values_on_the_grid_have_no_order():
    """The same product by the library, and added up one by one from either end, to the last bit."""
    rng = np.random.default_rng(0)
    a, b = exact.on_grid(rng.normal(0, 2, (30, 52))), exact.on_grid(rng.normal(0, 2, (52, 200)))
    forwards, backwards = np.zeros((30, 200)), np.zeros((30, 200))
    for k in range(52):
        forwards += a[:, k, None] * b[k]
        backwards += a[:, 51 - k, None] * b[51 - k]
    assert (a @ b == forwards).all() and (forwards == backwards).all()


def test_rendering_calls_nothing_whose_last_bit_depends_on_the_processor():
    """No exp, sin, power, norm, interp, Generator: only what IEEE 754 fixes, and sums on the grid."""
    for path in sorted(SYNTHESIS.glob("*.py")):
        if path.name in READERS:
            continue
        used, sums = set(), set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
                used.add(node.attr)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np.random":
                assert node.attr in ("PCG64", "SeedSequence"), f"{path.name}: np.random.{node.attr}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("std", "var", "dot"), f"{path.name}: {ast.unparse(node)}"
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                sums.add(ast.unparse(node))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.convolve":
                sums.add(ast.unparse(node))
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and not isinstance(node.left, ast.Constant):
                assert ast.unparse(node) == ROUNDED_POWER, f"{path.name}: {ast.unparse(node)}"
        assert sums <= SUMS_ON_THE_GRID, f"{path.name}: {sums - SUMS_ON_THE_GRID}"
        assert used <= EXACT_FUNCTIONS | TYPES_AND_NAMES, f"{path.name}: {used - EXACT_FUNCTIONS - TYPES_AND_NAMES}"


def test_sums_are_of_values_on_the_grid(monkeypatch):
    """The sides of every product that a library adds up, seen while a video is drawn."""
    from cefl_bench.synthesis import distractors, face, video

    convolve, rows_and_kernels = np.convolve, []

    def recorded(row, kernel, mode):
        rows_and_kernels.extend((row, kernel))
        return convolve(row, kernel, mode)

    monkeypatch.setattr(distractors.np, "convolve", recorded)
    plan = Corpus("tiny", 0, Path("unused")).videos()[0]
    someone = video.face_of(0, plan.subject)
    moving = distractors.draw_distractors(plan.num_frames, plan.stream("distractors"))
    vertices = someone.pose(moving.actions, moving.pose)
    assert rows_and_kernels
    summed = [someone.head.actions, someone.neutral, someone.pivot, face.rotations(moving.pose), vertices]
    for values in summed + rows_and_kernels:
        assert (values == exact.on_grid(values)).all() and values.dtype == np.float64
