"""Triangles to pixels: a depth-buffered rasteriser with supersampling, as a warp kernel over the frames of a video.

Only primary rays are wanted, and for those a depth buffer gives the picture a ray caster gives, at a tenth of the
time. Colours are shaded per vertex and interpolated: at this size most triangles are smaller than a pixel. It runs on
the CPU even where there is a GPU, since the bytes of the corpus must not depend on the device.
"""

import os

import numpy as np
import warp as wp

wp.config.log_level = wp.LOG_ERROR  # no banner, and no word about a missing GPU
wp.config.enable_backward = False
SAMPLES = 3  # per pixel side


def _start_quietly() -> None:
    """Initialise warp with stderr closed: its native part complains about a missing GPU past every log level."""
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
    points: wp.array2d(dtype=wp.vec3),
    colours: wp.array2d(dtype=wp.vec3),
    triangles: wp.array(dtype=wp.vec3i),
    depth: wp.array3d(dtype=wp.float32),
    picture: wp.array3d(dtype=wp.vec3),
):
    """One thread draws one frame. `points` (F, V): column, row (in samples) and depth; near is small."""
    frame = wp.tid()
    height = depth.shape[1]
    width = depth.shape[2]
    for t in range(triangles.shape[0]):
        corner = triangles[t]
        a = points[frame, corner[0]]
        b = points[frame, corner[1]]
        c = points[frame, corner[2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area < 0.0:  # facing the camera: rows grow downwards, so the winding is reversed
            left = wp.max(int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])))), 0)
            right = wp.min(int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])))), width - 1)
            top = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])))), 0)
            bottom = wp.min(int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])))), height - 1)
            for row in range(top, bottom + 1):
                y = float(row)
                for column in range(left, right + 1):
                    x = float(column)
                    u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
                    v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
                    w = 1.0 - u - v
                    if u >= 0.0 and v >= 0.0 and w >= 0.0:
                        z = u * a[2] + v * b[2] + w * c[2]
                        if z < depth[frame, row, column]:
                            depth[frame, row, column] = z
                            picture[frame, row, column] = (
                                u * colours[frame, corner[0]]
                                + v * colours[frame, corner[1]]
                                + w * colours[frame, corner[2]]
                            )


@wp.kernel
def sum_normals(
    vertices: wp.array2d(dtype=wp.vec3), triangles: wp.array(dtype=wp.vec3i), normals: wp.array2d(dtype=wp.vec3)
):
    """Add every triangle's area-weighted normal to its corners; one thread per frame, so the order is fixed."""
    frame = wp.tid()
    for t in range(triangles.shape[0]):
        corner = triangles[t]
        a = vertices[frame, corner[0]]
        normal = wp.cross(vertices[frame, corner[1]] - a, vertices[frame, corner[2]] - a)
        for k in range(3):
            normals[frame, corner[k]] = normals[frame, corner[k]] + normal


def smooth_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit vertex normals (F, V, 3) of vertices (F, V, 3) and triangles (T, 3)."""
    normals = np.zeros(vertices.shape, np.float32)
    wp.launch(
        sum_normals,
        dim=len(vertices),
        inputs=[_vectors(vertices), _triangles(triangles), _vectors(normals)],
        device="cpu",
    )
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)


def draw(points: np.ndarray, colours: np.ndarray, triangles: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Draw F frames over a background.

    Args:
        points: (F, V, 3) column and row in pixels, and depth (near is small).
        colours: (F, V, 3) linear or display values, whatever the background is in.
        background: (H, W, 3).

    Returns:
        (F, H, W, 3) float32, each pixel the mean of `SAMPLES` x `SAMPLES` samples.
    """
    height, width = background.shape[:2]
    samples = points.copy()
    samples[..., :2] = samples[..., :2] * SAMPLES + (SAMPLES - 1) / 2
    large = np.repeat(np.repeat(background.astype(np.float32), SAMPLES, 0), SAMPLES, 1)
    picture = np.repeat(large[None], len(points), 0)
    depth = np.full(picture.shape[:3], np.inf, np.float32)
    wp.launch(
        rasterise,
        dim=len(points),
        inputs=[_vectors(samples), _vectors(colours), _triangles(triangles), wp.array(depth, copy=False, device="cpu")],
        outputs=[_vectors(picture)],
        device="cpu",
    )
    return picture.reshape(len(points), height, SAMPLES, width, SAMPLES, 3).mean((2, 4))


def _vectors(values: np.ndarray) -> wp.array:
    """Share a contiguous float32 array (.., 3) with warp, without a copy."""
    assert values.dtype == np.float32 and values.flags.c_contiguous
    return wp.array(values, dtype=wp.vec3, copy=False, device="cpu")


def _triangles(triangles: np.ndarray) -> wp.array:
    return wp.array(triangles, dtype=wp.vec3i, device="cpu")
