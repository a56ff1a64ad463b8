"""Readers of the face model's files: Wavefront meshes, MakeHuman targets, masks; and a finer mesh from a coarse one."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cefl_bench.synthesis.exact import on_grid


@dataclass(frozen=True)
class Mesh:
    """V vertices (V, 3), one texture coordinate for each (V, 2), and per group the corners of its quads (Q, 4)."""

    vertices: np.ndarray
    texture: np.ndarray
    quads: dict[str, np.ndarray]


def read_mesh(path: Path) -> Mesh:
    """Read a Wavefront file of quads. A vertex that several texture coordinates share gets the last of them."""
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    quads: dict[str, list[list[int]]] = {}
    texture_of: dict[int, int] = {}
    group = ""
    for line in path.read_text().splitlines():
        kind, *words = line.split() or [""]
        if kind == "v":
            vertices.append([float(word) for word in words[:3]])
        elif kind == "vt":
            texture.append([float(word) for word in words[:2]])
        elif kind == "g":
            group = words[0]
        elif kind == "f":
            corners = [word.split("/") for word in words]
            quads.setdefault(group, []).append([int(corner[0]) - 1 for corner in corners])
            for corner in corners:
                texture_of[int(corner[0]) - 1] = int(corner[1]) - 1
    order = [texture_of.get(vertex, 0) for vertex in range(len(vertices))]
    return Mesh(
        np.array(vertices), np.array(texture)[order], {name: np.array(corners) for name, corners in quads.items()}
    )


def read_target(path: Path, num_vertices: int) -> np.ndarray:
    """Read one target (lines of vertex, dx, dy, dz; plain or .gz) as dense offsets (V, 3) on the grid, float32."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    rows = [line for line in text.splitlines() if line and line[0] != "#"]
    table = np.array(" ".join(rows).split(), dtype=np.float64).reshape(-1, 4)
    offsets = np.zeros((num_vertices, 3), np.float32)
    offsets[table[:, 0].astype(np.int64)] = on_grid(table[:, 1:])
    return offsets


def read_mask(path: Path, texture: np.ndarray) -> np.ndarray:
    """Look up a grey picture at texture coordinates (V, 2): weights in 0..1 (V,)."""
    from PIL import Image

    picture = np.asarray(Image.open(path).convert("L"), np.float32) / 255
    row = np.clip(((1 - texture[:, 1]) * len(picture)).astype(int), 0, len(picture) - 1)
    column = np.clip((texture[:, 0] * len(picture)).astype(int), 0, len(picture) - 1)
    return picture[row, column]


def subdivide(num_vertices: int, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split each quad into four; a new vertex is the mean of the old ones it lies between.

    Returns:
        The parents of every new vertex (N, 4) (old numbers, repeated where there are two) and the new quads (4 Q, 4).
    """
    edges = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    edges, edge_of = np.unique(edges, axis=0, return_inverse=True)
    edge_of = edge_of.reshape(-1, 4) + num_vertices
    centre = np.arange(len(quads)) + num_vertices + len(edges)
    parents = np.concatenate([np.tile(edges, 2), quads])
    fine = [np.stack([quads[:, k], edge_of[:, k], centre, edge_of[:, k - 1]], 1) for k in range(4)]
    return parents, np.concatenate(fine)
