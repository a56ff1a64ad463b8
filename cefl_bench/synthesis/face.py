"""One person's face: action weights and head pose in, shaded points in space out."""

import numpy as np
from scipy import sparse

from cefl_bench.synthesis.anatomy import ACTIONS, EYES, Head
from cefl_bench.synthesis.exact import cosine, dot, interpolate, on_grid, power, sine, unit
from cefl_bench.synthesis.identity import Identity
from cefl_bench.synthesis.paint import hair_mask, paint
from cefl_bench.synthesis.render import sum_of_normals

NECK_HEIGHTS = (5.6, 6.25)  # on the base mesh: the turn of the head fades in between them
LIP_SHARE = 0.5  # of the lips' mask, from which on a vertex is taken for lip


class Face:
    """An identity on the head. Shapes add up linearly, so the frames of a video are one matrix product."""

    def __init__(self, head: Head, identity: Identity) -> None:
        self.head, self.identity = head, identity
        neutral = head.vertices.astype(np.float64)
        for name, weight in identity.shape.items():
            neutral += weight * head.target[name].astype(np.float64)
        neutral = on_grid(neutral)
        fit_teeth(head, neutral)
        self.turned = interpolate(head.vertices[:, 1], NECK_HEIGHTS, (0, 1))
        self.pivot = on_grid(neutral[(self.turned > 0) & (self.turned < 1)].mean(0))
        self.eyes = head.part[EYES[0]] | head.part[EYES[1]]
        self.eye_height = float(neutral[self.eyes, 1].mean())
        lift = max(identity.hair_volume, 0) * hair_mask(head, identity)
        normals = unit(sum_of_normals(neutral[None], head.triangles)[0])
        self.neutral = on_grid(neutral + lift[:, None] * normals)
        self.colours = paint(head, identity)
        self.neighbours, self.num_neighbours = neighbours_of(len(neutral), head.triangles)
        edges = self.neutral[head.triangles] - self.neutral[np.roll(head.triangles, 1, 1)]
        self.spacing = np.full(len(neutral), 1e-3)
        np.maximum.at(self.spacing, head.triangles, np.sqrt(dot(edges, edges)))

    def pose(self, actions: np.ndarray, angles: np.ndarray) -> np.ndarray:
        """Vertices (F, V, 3) on the grid for action weights (F, 52) and yaw, pitch, roll (F, 3) in radians."""
        moved = on_grid(actions) @ self.head.actions.reshape(len(ACTIONS), -1)
        vertices = on_grid(self.neutral + moved.reshape(len(actions), -1, 3))
        turned = (vertices - self.pivot) @ rotations(angles).transpose(0, 2, 1) + self.pivot
        return on_grid(vertices + self.turned[:, None] * (turned - vertices))

    def shade(self, vertices: np.ndarray, light: np.ndarray) -> np.ndarray:
        """Linear RGB (F, V, 3) of posed vertices under a light direction (3,): key, sky, gloss and dark creases."""
        normals = unit(sum_of_normals(vertices, self.head.triangles)).astype(np.float32)
        light = unit(light)
        halfway = unit(light + np.array((0, 0, 1)))
        key = np.clip((dot(normals, light.astype(np.float32)) + 0.25) / 1.25, 0, None)
        sky = 0.75 + 0.25 * normals[..., 1]
        gloss = np.clip(dot(normals, halfway.astype(np.float32)), 0, 1)
        highlight = np.where(self.eyes, 0.5 * power(gloss, 80), 0.05 * power(gloss, 12))
        diffuse = (key + 0.28 * sky) * self.openness(vertices, normals)
        return self.colours * diffuse[..., None] + highlight[..., None]

    def openness(self, vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Share of light (F, V) that reaches a vertex: less in creases and hollows, below its neighbours."""
        frames, count, _ = vertices.shape
        around = vertices.transpose(1, 0, 2).reshape(count, -1)
        for _ in range(2):
            around = on_grid(self.neighbours @ around / self.num_neighbours)
        depth = around.reshape(count, frames, 3).transpose(1, 0, 2) - vertices
        hollow = (dot(depth, normals) / self.spacing).astype(np.float32)
        hollow[:, ~self.head.part["skin"]] = 0
        return np.clip(1 - 2.2 * np.clip(hollow - 0.02, 0, None) + 0.6 * np.clip(-hollow, 0, 0.2), 0.25, 1.15)


def fit_teeth(head: Head, neutral: np.ndarray) -> None:
    """Move the teeth in place to where the lips of `neutral` (V, 3) are: few shape targets carry the teeth along."""
    lips = head.mask["lips"] > LIP_SHARE
    before, after = head.vertices.astype(np.float64)[lips], neutral[lips]
    scale = _spread(after) / _spread(before) * (0.78, 1, 1)
    for teeth in ("upper_teeth", "lower_teeth"):
        at = head.part[teeth]
        placed = (head.vertices[at] - before.mean(0)) * scale + after.mean(0) - (0, 0, 0.04)
        neutral[at] = on_grid(placed)


def neighbours_of(num_vertices: int, triangles: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Which vertices share an edge: a matrix (V, V) of ones and zeros, and how many each has (V, 1), at least 1."""
    rows = np.concatenate([triangles, triangles[:, [1, 2, 0]]]).ravel()
    columns = np.concatenate([triangles[:, [1, 2, 0]], triangles]).ravel()
    graph = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), (num_vertices, num_vertices))
    graph.data[:] = 1
    return graph, np.maximum(np.asarray(graph.sum(1)).reshape(-1, 1), 1)


def rotations(angles: np.ndarray) -> np.ndarray:
    """Yaw (about y), pitch (about x), roll (about z), (F, 3) in radians -> matrices (F, 3, 3) on the grid."""
    matrices = np.tile(np.eye(3), (len(angles), 1, 1))
    for axis, angle in zip((1, 0, 2), angles.T, strict=True):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.tile(np.eye(3), (len(angles), 1, 1))
        turn[:, i, i] = turn[:, j, j] = cosine(angle)
        turn[:, j, i] = sine(angle)
        turn[:, i, j] = -turn[:, j, i]
        matrices = on_grid(matrices @ on_grid(turn))
    return matrices


def _spread(points: np.ndarray) -> np.ndarray:
    """Standard deviation (3,) of points (N, 3) on the grid."""
    offsets = points - on_grid(points.mean(0))
    return np.sqrt((offsets * offsets).mean(0))
