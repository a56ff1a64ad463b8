"""The rasteriser: exactly what fractions give, nearest first, and no bit that a fused multiplication could move."""

from fractions import Fraction

import numpy as np
import pytest

from cefl_bench.synthesis.exact import on_grid
from cefl_bench.synthesis.render import SAMPLES_PER_SIDE, STEPS_PER_SAMPLE, draw, sum_of_normals

SIZE = 4


def by_fractions(points: np.ndarray, colours: np.ndarray, triangles: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Every sample of one frame by plane equations in exact fractions; then the mean of each pixel's samples."""
    samples = np.repeat(np.repeat(background, SAMPLES_PER_SIDE, 0), SAMPLES_PER_SIDE, 1).astype(np.float32)
    nearest = np.full(samples.shape[:2], Fraction(10**9))
    for corners in triangles:
        place = []
        for column, row, z in points[corners]:
            middle = Fraction(SAMPLES_PER_SIDE - 1, 2)
            x, y = (round((Fraction(c) * SAMPLES_PER_SIDE + middle) * STEPS_PER_SAMPLE) for c in (column, row))
            place.append((Fraction(x, STEPS_PER_SAMPLE), Fraction(y, STEPS_PER_SAMPLE), Fraction(z)))
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = place
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= 0:
            continue
        for row in range(samples.shape[0]):
            for column in range(samples.shape[1]):
                u = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area
                v = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area
                w = 1 - u - v
                z = u * az + v * bz + w * cz
                if min(u, v, w) >= 0 and z < nearest[row, column]:
                    nearest[row, column] = z
                    mixed = [u * Fraction(a) + v * Fraction(b) + w * Fraction(c) for a, b, c in colours[corners].T]
                    samples[row, column] = [float(value) for value in mixed]
    height, width = background.shape[:2]
    return samples.reshape(height, SAMPLES_PER_SIDE, width, SAMPLES_PER_SIDE, 3).mean((1, 3), dtype=np.float64)


@pytest.mark.parametrize("seed", range(2))
def test_a_picture_is_what_fractions_give(seed):
    rng = np.random.default_rng(seed)
    points = on_grid(np.concatenate([rng.uniform(-2, SIZE + 2, (2, 12, 2)), rng.uniform(8, 10, (2, 12, 1))], axis=2))
    colours, background = on_grid(rng.uniform(0, 2, (2, 12, 3))), on_grid(rng.uniform(0, 1, (SIZE, SIZE, 3)))
    triangles = rng.permuted(np.tile(np.arange(12), (9, 1)), axis=1)[:, :3].astype(np.int32)
    pictures = draw(points, colours, triangles, background)
    assert pictures.shape == (2, SIZE, SIZE, 3) and pictures.dtype == np.float32
    for frame in range(2):
        expected = by_fractions(points[frame], colours[frame], triangles, background)
        assert (expected != background).any()
        assert np.abs(pictures[frame] - expected).max() < 1e-6


def test_the_nearest_triangle_is_seen_whatever_the_order():
    """Two that cover the picture; rows grow downwards, so that seen from the front the corners go round this way."""
    corners = np.array([(-20.0, -20), (-20, 40), (40, -20)])
    points = np.concatenate([np.c_[corners, [9.0] * 3], np.c_[corners, [8.0] * 3]])[None]
    colours = np.repeat([[1.0, 0, 0], [0, 1.0, 0]], 3, axis=0)[None]
    for triangles in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        picture = draw(points, colours, np.array(triangles, np.int32), np.zeros((SIZE, SIZE, 3)))
        assert (picture == (0, 1, 0)).all()
    from_behind = np.array([[0, 2, 1]], np.int32)
    assert not draw(points, colours, from_behind, np.zeros((SIZE, SIZE, 3))).any()


def test_normals_are_exact_sums():
    """In whole steps of the grid, by Python's own integers."""
    rng = np.random.default_rng(1)
    vertices = on_grid(rng.normal(0, 3, (1, 30, 3)))
    triangles = rng.permuted(np.tile(np.arange(30), (50, 1)), axis=1)[:, :3].astype(np.int32)
    steps = [[int(value * 2**16) for value in vertex] for vertex in vertices[0]]
    expected = [[0, 0, 0] for _ in range(30)]
    for corners in triangles.tolist():
        a, b, c = (steps[corner] for corner in corners)
        p, q = [b[k] - a[k] for k in range(3)], [c[k] - a[k] for k in range(3)]
        normal = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]]
        for corner in corners:
            expected[corner] = [have + more for have, more in zip(expected[corner], normal, strict=True)]
    normals = sum_of_normals(vertices, triangles)[0] * 2**32
    assert [[int(value) for value in normal] for normal in normals] == expected
