"""One person's face: action weights and head pose in, shaded points in space out."""

import numpy as np
from scipy import sparse

from cefl_bench.synthesis.anatomy import ACTIONS, Head
from cefl_bench.synthesis.identity import Identity
from cefl_bench.synthesis.paint import hair_mask, paint
from cefl_bench.synthesis.render import smooth_normals

NECK = (5.6, 6.25)  # heights on the base mesh between which the turn of the head fades in


class Face:
    """An identity on the head. Shapes add up linearly, so the frames of a video are one matrix product."""

    def __init__(self, head: Head, identity: Identity) -> None:
        self.head, self.identity = head, identity
        neutral = head.vertices.copy()
        for name, weight in identity.shape.items():
            neutral += np.float32(weight) * head.target[name]
        fit_teeth(head, neutral)
        self.turned = np.interp(head.vertices[:, 1], NECK, (0, 1)).astype(np.float32)
        self.pivot = neutral[(self.turned > 0) & (self.turned < 1)].mean(0)
        lift = max(identity.hair_volume, 0) * hair_mask(head, identity)
        normals = smooth_normals(neutral[None], head.triangles)[0]
        self.neutral = (neutral + lift[:, None] * normals).astype(np.float32)
        self.eye_height = float(neutral[head.part["left_eye"] | head.part["right_eye"], 1].mean())
        self.colours = paint(head, identity)
        self.neighbours = mean_of_neighbours(len(neutral), head.triangles)
        edges = self.neutral[head.triangles] - self.neutral[np.roll(head.triangles, 1, 1)]
        self.spacing = np.full(len(neutral), 1e-3, np.float32)
        np.maximum.at(self.spacing, head.triangles, np.linalg.norm(edges, axis=-1))

    def pose(self, actions: np.ndarray, angles: np.ndarray) -> np.ndarray:
        """Vertices (F, V, 3) for action weights (F, 52) and yaw, pitch, roll (F, 3) in radians."""
        flat = actions.astype(np.float32) @ self.head.actions.reshape(len(ACTIONS), -1)
        vertices = self.neutral + flat.reshape(len(actions), -1, 3)
        rotation = rotations(angles).astype(np.float32)
        turned = (vertices - self.pivot) @ rotation.transpose(0, 2, 1) + self.pivot
        return np.ascontiguousarray(vertices + self.turned[:, None] * (turned - vertices))

    def shade(self, vertices: np.ndarray, light: np.ndarray) -> np.ndarray:
        """Linear RGB (F, V, 3) of posed vertices under a light direction (3,): key, sky, gloss and dark creases."""
        normals = smooth_normals(vertices, self.head.triangles)
        light = (light / np.linalg.norm(light)).astype(np.float32)
        key = np.clip((normals @ light + 0.25) / 1.25, 0, None)
        sky = 0.75 + 0.25 * normals[..., 1]
        halfway = light + np.array((0, 0, 1))
        gloss = np.clip(normals @ (halfway / np.linalg.norm(halfway)).astype(np.float32), 0, 1)
        eyes = self.head.part["left_eye"] | self.head.part["right_eye"]
        highlight = np.where(eyes, 0.5 * gloss**80, 0.05 * gloss**12)
        diffuse = (1.0 * key + 0.28 * sky) * self.openness(vertices, normals)
        return (self.colours * diffuse[..., None] + highlight[..., None]).astype(np.float32)

    def openness(self, vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Share of light (F, V) that reaches a vertex: less in creases and hollows, below its neighbours."""
        frames, count, _ = vertices.shape
        columns = vertices.transpose(1, 0, 2).reshape(count, -1)
        around = (self.neighbours @ (self.neighbours @ columns)).reshape(count, frames, 3).transpose(1, 0, 2)
        hollow = ((around - vertices) * normals).sum(-1) / self.spacing
        hollow[:, ~self.head.part["skin"]] = 0
        return np.clip(1 - 2.2 * np.clip(hollow - 0.02, 0, None) + 0.6 * np.clip(-hollow, 0, 0.2), 0.25, 1.15)


def fit_teeth(head: Head, neutral: np.ndarray) -> None:
    """Move the teeth in place to where the lips of `neutral` (V, 3) are: few shape targets carry the teeth along."""
    lips = head.mask["lips"] > 0.5
    before, after = head.vertices[lips], neutral[lips]
    scale = after.std(0) / before.std(0) * (0.78, 1, 1)
    for teeth in ("upper_teeth", "lower_teeth"):
        at = head.part[teeth]
        neutral[at] = (head.vertices[at] - before.mean(0)) * scale + after.mean(0) - (0, 0, 0.04)


def mean_of_neighbours(num_vertices: int, triangles: np.ndarray) -> sparse.csr_matrix:
    """The matrix (V, V) that replaces every vertex by the mean of those it shares an edge with."""
    rows = np.concatenate([triangles, triangles[:, [1, 2, 0]]]).ravel()
    columns = np.concatenate([triangles[:, [1, 2, 0]], triangles]).ravel()
    graph = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (num_vertices, num_vertices))
    graph.data[:] = 1
    degree = np.maximum(np.asarray(graph.sum(1)).ravel(), 1)
    return (sparse.diags(1 / degree) @ graph).tocsr().astype(np.float32)


def rotations(angles: np.ndarray) -> np.ndarray:
    """Yaw (about y), pitch (about x), roll (about z), (F, 3) in radians -> matrices (F, 3, 3)."""
    matrices = np.tile(np.eye(3), (len(angles), 1, 1))
    for axis, angle in zip((1, 0, 2), angles.T, strict=True):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.tile(np.eye(3), (len(angles), 1, 1))
        turn[:, i, i] = turn[:, j, j] = np.cos(angle)
        turn[:, j, i] = np.sin(angle)
        turn[:, i, j] = -turn[:, j, i]
        matrices = matrices @ turn
    return matrices
