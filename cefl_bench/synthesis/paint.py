"""Albedo: the colour of every vertex of one person, in linear RGB, and how far hair lifts the scalp."""

import numpy as np

from cefl_bench.synthesis.anatomy import Head
from cefl_bench.synthesis.identity import Identity

EYE_HEIGHT, EYE_ASIDE = 7.29, 0.31  # where the pupils are on the base mesh, in decimetres


def hair_mask(head: Head, identity: Identity) -> np.ndarray:
    """Weights (V,): 1 where hair grows, by the height above a hairline that drops from the forehead to the nape."""
    x, y, z = head.vertices.T
    line = np.interp(z, (-0.5, 0.25, 0.55, 0.75, 0.95, 1.2), (6.75, 6.85, 7.15, 7.45, 7.85, 7.93))
    line = line + np.where(z > 0.8, identity.hairline, 0) - 0.12 * np.clip(np.abs(x) - 0.45, 0, 0.2)
    ragged = 0.03 * np.sin(17 * x + identity.texture_seed % 7) * np.sin(23 * z + 11 * y)
    grown = _smoothstep((y - line - ragged) / 0.09) * head.part["skin"]
    return grown * (1 - np.clip(1.5 * head.mask["ears"], 0, 1))


def brow_mask(head: Head, identity: Identity) -> np.ndarray:
    """Weights (V,): an arch above each eye, thinner towards the temple."""
    x, y, z = head.vertices.T
    along = (np.abs(x) - 0.10) / 0.42
    arch = EYE_HEIGHT + 0.165 + 0.055 * np.sin(np.clip(along, 0, 1) * 2.2)
    width = identity.brow_width * (1.25 - 0.6 * np.clip(along, 0, 1))
    across = np.exp(-(((y - arch) / width) ** 2))
    return across * _smoothstep(along / 0.12 + 0.5) * _smoothstep((1.05 - along) / 0.2) * (z > 0.9) * head.part["skin"]


def skin_colours(head: Head, identity: Identity, hair: np.ndarray) -> np.ndarray:
    """Albedo (V, 3) of skin, lips, brows, beard, hair and shirt."""
    x, y, z = head.vertices.T
    rng = np.random.default_rng(identity.texture_seed)
    blotches = np.zeros(len(x))
    for scale in (2.0, 5.0, 12.0):
        direction = rng.normal(0, scale, (6, 3))
        blotches += np.sin(head.vertices @ direction.T + rng.uniform(0, 2 * np.pi, 6)).sum(1) / 12
    colours = identity.skin * (1 + 0.09 * blotches[:, None])
    flush = _spot(head, (0.42, 6.98, 1.25), 0.22) + 0.8 * _spot(head, (0.0, 6.98, 1.6), 0.16) + 0.5 * head.mask["ears"]
    colours = colours * (1 - np.outer(np.clip(flush, 0, 1), (0.0, 0.13, 0.12)))
    tired = _spot(head, (EYE_ASIDE, EYE_HEIGHT - 0.13, 1.35), 0.11) + 0.6 * head.mask["eyelids"]
    colours = colours * (1 - np.outer(np.clip(tired, 0, 1), (0.16, 0.2, 0.18)))
    jaw = _smoothstep((6.98 - y) / 0.25) * _smoothstep((y - 6.25) / 0.2) * _smoothstep((z - 0.45) / 0.3)
    colours = _mix(colours, 0.7 * identity.hair, 0.75 * identity.beard * jaw)
    lips = identity.skin * (1.0, 0.55, 0.58) + (0.03, 0, 0.01)
    colours = _mix(colours, lips, identity.lip_redness * 1.5 * head.mask["lips"])
    colours = _mix(colours, 0.4 * identity.hair, identity.brow_strength * brow_mask(head, identity))
    colours = _mix(colours, identity.hair * (1 + 0.35 * blotches[:, None]), hair * (identity.hair_volume > 0))
    colours = _mix(colours, np.array([0.07, 0.012, 0.012]), head.mask["inside-mouth"])
    return _mix(colours, identity.shirt, _smoothstep((5.95 - y - 0.35 * np.clip(z - 0.5, 0, 1)) / 0.06))


def eye_colours(vertices: np.ndarray, identity: Identity) -> np.ndarray:
    """Albedo (N, 3) of one eyeball (N, 3): sclera, iris with a dark rim, pupil, by the angle to the axis."""
    centre = (vertices.max(0) + vertices.min(0)) / 2
    ray = vertices - centre
    angle = np.degrees(np.arccos(np.clip(ray[:, 2] / np.linalg.norm(ray, axis=1), -1, 1)))
    colours = np.tile([0.80, 0.76, 0.74], (len(vertices), 1))
    colours = _mix(colours, 0.45 * identity.iris, _smoothstep((29 - angle) / 3))
    colours = _mix(colours, 1.3 * identity.iris, _smoothstep((25 - angle) / 4))
    return _mix(colours, np.array([0.005, 0.005, 0.005]), _smoothstep((12.5 - angle) / 3))


def paint(head: Head, identity: Identity) -> np.ndarray:
    """Albedo (V, 3) of the whole head."""
    colours = skin_colours(head, identity, hair_mask(head, identity))
    for eye in ("left_eye", "right_eye"):
        colours[head.part[eye]] = eye_colours(head.vertices[head.part[eye]], identity)
    for teeth in ("upper_teeth", "lower_teeth"):
        aside = np.abs(head.vertices[head.part[teeth], 0])  # the back of the row lies in the dark of the mouth
        colours[head.part[teeth]] = np.outer(np.clip(1.3 - aside / 0.2, 0.06, 1), (0.72, 0.67, 0.58))
    colours[head.part["tongue"]] = (0.35, 0.09, 0.09)
    for lashes in ("left_upper_lashes", "right_upper_lashes"):
        colours[head.part[lashes]] = 0.3 * identity.hair
    return np.clip(colours, 0, 1).astype(np.float32)


def _spot(head: Head, place: tuple[float, float, float], radius: float) -> np.ndarray:
    """A soft round spot (V,) on the skin, on both sides of the face."""
    x, y, z = head.vertices.T
    distance = (np.abs(x) - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2
    return np.exp(-distance / radius**2) * head.part["skin"]


def _mix(colours: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend colours (V, 3) into `other` by `share` (V,), which is clipped to 0..1."""
    share = np.clip(share, 0, 1)[:, None]
    return colours * (1 - share) + other * share


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
