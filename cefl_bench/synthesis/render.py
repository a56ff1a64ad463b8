"""Triangles to pixels: a depth-buffered rasteriser with supersampling, as a warp kernel over the frames of a video.

Only primary rays are wanted, and for those a depth buffer gives the picture a ray caster gives, at a tenth of the
time. Colours are shaded per vertex and interpolated: at this size most triangles are smaller than a pixel.

A compiler may fuse a multiplication with an addition, which rounds once where two operations round twice. It changes no
bit here: all that is multiplied and added are multiples of powers of two, of so few bits that float64 holds every
product and sum exactly; a division or a rounding to float32 comes last.
"""

import os

import numpy as np
import warp as wp

from cefl_bench.synthesis.exact import on_grid

wp.config.log_level = wp.LOG_ERROR  # no banner, and no word about a missing GPU
wp.config.enable_backward = False
wp.config.cpu_compiler_flags = ""  # no -march=native: one machine code for all processors of an architecture
SAMPLES_PER_SIDE = 3  # of a pixel
STEPS_PER_SAMPLE = 64  # to which corners of triangles are rounded; an area then takes 31 bits, a colour 18, a depth 20


def _start_quietly() -> None:
    """Initialise warp with stderr closed: its native part complains about a missing GPU at every log level."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        wp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_start_quietly()


@wp.kernel
def rasterise(
    points: wp.array2d[wp.vec3d],
    colours: wp.array2d[wp.vec3d],
    triangles: wp.array[wp.vec3i],
    background: wp.array2d[wp.vec3],
    samples_per_side: int,
    depth: wp.array2d[wp.float64],
    samples: wp.array2d[wp.vec3],
    pictures: wp.array3d[wp.vec3],
):
    """Draw all frames, one after the other, in the same buffers. `points` (F, V): column, row (in samples), depth."""
    height = depth.shape[0]
    width = depth.shape[1]
    for frame in range(points.shape[0]):
        for row in range(height):
            for column in range(width):
                depth[row, column] = wp.float64(1.0e9)
                samples[row, column] = background[row // samples_per_side, column // samples_per_side]
        for t in range(triangles.shape[0]):
            corner = triangles[t]
            a = points[frame, corner[0]]
            b = points[
                frame, corner[2]
            ]  # rows grow downwards: this way round, what faces the camera has an area above 0
            c = points[frame, corner[1]]
            area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
            if area > wp.float64(0.0):
                left = wp.max(int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])))), 0)
                right = wp.min(int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])))), width - 1)
                top = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])))), 0)
                bottom = wp.min(int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])))), height - 1)
                share = wp.float64(1.0) / area
                x = wp.float64(left)
                for row in range(top, bottom + 1):
                    y = wp.float64(row)
                    near_a = (b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)
                    near_b = (c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)
                    for column in range(left, right + 1):
                        near_c = area - near_a - near_b
                        if near_a >= wp.float64(0.0) and near_b >= wp.float64(0.0) and near_c >= wp.float64(0.0):
                            z = (near_a * a[2] + near_b * b[2] + near_c * c[2]) * share
                            if z < depth[row, column]:
                                depth[row, column] = z
                                mixed = (
                                    near_a * colours[frame, corner[0]]
                                    + near_b * colours[frame, corner[2]]
                                    + near_c * colours[frame, corner[1]]
                                ) * share
                                samples[row, column] = wp.vec3(float(mixed[0]), float(mixed[1]), float(mixed[2]))
                        near_a = near_a + b[1] - c[1]
                        near_b = near_b + c[1] - a[1]
        for row in range(pictures.shape[1]):
            for column in range(pictures.shape[2]):
                total = wp.vec3()
                for i in range(samples_per_side):
                    for j in range(samples_per_side):
                        total = total + samples[row * samples_per_side + i, column * samples_per_side + j]
                pictures[frame, row, column] = total / float(samples_per_side * samples_per_side)


@wp.kernel
def add_normals(vertices: wp.array2d[wp.vec3d], triangles: wp.array[wp.vec3i], normals: wp.array2d[wp.vec3d]):
    """Add every triangle's normal, as long as twice its area, to its corners; one thread per frame."""
    frame = wp.tid()
    for t in range(triangles.shape[0]):
        corner = triangles[t]
        a = vertices[frame, corner[0]]
        normal = wp.cross(vertices[frame, corner[1]] - a, vertices[frame, corner[2]] - a)
        for k in range(3):
            normals[frame, corner[k]] = normals[frame, corner[k]] + normal


def sum_of_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Vertex normals (F, V, 3), not of unit length, of vertices (F, V, 3) on the grid and triangles (T, 3)."""
    normals = np.zeros(vertices.shape)
    wp.launch(
        add_normals,
        dim=len(vertices),
        inputs=[_share(vertices, wp.vec3d), _share(triangles, wp.vec3i), _share(normals, wp.vec3d)],
        device="cpu",
    )
    return normals


def draw(points: np.ndarray, colours: np.ndarray, triangles: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Draw F frames over a background.

    Args:
        points: (F, V, 3) column and row in pixels, and depth (near is small).
        colours: (F, V, 3) linear or display values, independent of those of the background.
        triangles: (T, 3) int32.
        background: (H, W, 3).

    Returns:
        (F, H, W, 3) float32, each pixel the mean of `SAMPLES_PER_SIDE` x `SAMPLES_PER_SIDE` samples.
    """
    height, width = background.shape[:2]
    corners = on_grid(points)
    placed = corners[..., :2] * SAMPLES_PER_SIDE + (SAMPLES_PER_SIDE - 1) / 2
    corners[..., :2] = np.rint(placed * STEPS_PER_SAMPLE) / STEPS_PER_SAMPLE
    size = (height * SAMPLES_PER_SIDE, width * SAMPLES_PER_SIDE)
    depth, samples = np.empty(size), np.empty((*size, 3), np.float32)
    pictures = np.empty((len(points), height, width, 3), np.float32)
    wp.launch(
        rasterise,
        dim=1,
        inputs=[
            _share(corners, wp.vec3d),
            _share(on_grid(colours), wp.vec3d),
            _share(triangles, wp.vec3i),
            _share(background.astype(np.float32), wp.vec3),
            SAMPLES_PER_SIDE,
            _share(depth, wp.float64),
            _share(samples, wp.vec3),
            _share(pictures, wp.vec3),
        ],
        device="cpu",
    )
    return pictures


def _share(values: np.ndarray, kind: type) -> wp.array:
    """Give warp a contiguous array without a copy; the last axis of three may be one vector."""
    assert values.flags.c_contiguous
    return wp.array(values, dtype=kind, copy=False, device="cpu")
