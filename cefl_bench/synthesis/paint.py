"""Albedo: the colour of every vertex of one person, in linear RGB, and how far hair lifts the scalp."""

import numpy as np

from cefl_bench.synthesis.anatomy import EYES, Head
from cefl_bench.synthesis.draws import Draws
from cefl_bench.synthesis.exact import TAU, fall_off, interpolate, sine, smoothstep, unit
from cefl_bench.synthesis.identity import Identity

PUPIL_HEIGHT, PUPIL_ASIDE = 7.29, 0.31  # where the pupils are on the base mesh, in decimetres
# From the nape (behind) to the forehead (in front): how high the hair begins.
HAIRLINE_DEPTHS = (-0.5, 0.25, 0.55, 0.75, 0.95, 1.2)
HAIRLINE_HEIGHTS = (6.75, 6.85, 7.15, 7.45, 7.85, 7.93)
# Radii on an eyeball of radius 1, as straight lines from the middle of the pupil: 12.5, 25 and 29 degrees.
PUPIL_RADIUS, IRIS_RADIUS, RIM_RADIUS = 0.218, 0.433, 0.501
NUM_WAVES = 6  # of the skin's blotches, at each scale


def hair_mask(head: Head, identity: Identity) -> np.ndarray:
    """Weights (V,): 1 where hair grows, by the height above a hairline that drops from the forehead to the nape."""
    x, y, z = head.vertices.astype(np.float64).T
    line = interpolate(z, HAIRLINE_DEPTHS, HAIRLINE_HEIGHTS)
    line = line + np.where(z > 0.8, identity.hairline, 0) - 0.12 * np.clip(np.abs(x) - 0.45, 0, 0.2)
    ragged = 0.03 * sine(17 * x + identity.texture_seed % 7) * sine(23 * z + 11 * y)
    grown = smoothstep((y - line - ragged) / 0.09) * head.part["skin"]
    return grown * (1 - np.clip(1.5 * head.mask["ears"], 0, 1))


def brow_mask(head: Head, identity: Identity) -> np.ndarray:
    """Weights (V,): an arch above each eye, thinner towards the temple."""
    x, y, z = head.vertices.astype(np.float64).T
    along = (np.abs(x) - 0.10) / 0.42
    arch = PUPIL_HEIGHT + 0.165 + 0.055 * sine(np.clip(along, 0, 1) * 2.2)
    width = identity.brow_width * (1.25 - 0.6 * np.clip(along, 0, 1))
    off_arch = (y - arch) / width
    across = fall_off(off_arch * off_arch)
    return across * smoothstep(along / 0.12 + 0.5) * smoothstep((1.05 - along) / 0.2) * (z > 0.9) * head.part["skin"]


def blotches(head: Head, identity: Identity) -> np.ndarray:
    """An uneven skin: waves of three sizes in random directions, (V,) in about -1..1."""
    x, y, z = head.vertices.astype(np.float64).T
    draws = Draws(identity.texture_seed)
    uneven = np.zeros(len(x))
    for waves_per_decimetre in (2.0, 5.0, 12.0):
        for _ in range(NUM_WAVES):
            across, up, out = draws.normals(0, waves_per_decimetre, 3)
            uneven += sine(x * across + y * up + z * out + draws.uniform(0, TAU)) / (2 * NUM_WAVES)
    return uneven


def skin_colours(head: Head, identity: Identity, hair: np.ndarray) -> np.ndarray:
    """Albedo (V, 3) of skin, lips, brows, beard, hair and shirt."""
    _, y, z = head.vertices.astype(np.float64).T
    uneven = blotches(head, identity)[:, None]
    colours = identity.skin * (1 + 0.09 * uneven)
    flush = _spot(head, (0.42, 6.98, 1.25), 0.22) + 0.8 * _spot(head, (0.0, 6.98, 1.6), 0.16) + 0.5 * head.mask["ears"]
    colours = colours * (1 - np.outer(np.clip(flush, 0, 1), (0.0, 0.13, 0.12)))
    tired = _spot(head, (PUPIL_ASIDE, PUPIL_HEIGHT - 0.13, 1.35), 0.11) + 0.6 * head.mask["eyelids"]
    colours = colours * (1 - np.outer(np.clip(tired, 0, 1), (0.16, 0.2, 0.18)))
    jaw = smoothstep((6.98 - y) / 0.25) * smoothstep((y - 6.25) / 0.2) * smoothstep((z - 0.45) / 0.3)
    colours = _mix(colours, 0.7 * identity.hair, 0.75 * identity.beard * jaw)
    lips = identity.skin * (1.0, 0.55, 0.58) + (0.03, 0, 0.01)
    colours = _mix(colours, lips, identity.lip_redness * 1.5 * head.mask["lips"])
    colours = _mix(colours, 0.4 * identity.hair, identity.brow_strength * brow_mask(head, identity))
    colours = _mix(colours, identity.hair * (1 + 0.35 * uneven), hair * (identity.hair_volume > 0))
    colours = _mix(colours, np.array([0.07, 0.012, 0.012]), head.mask["inside-mouth"])
    return _mix(colours, identity.shirt, smoothstep((5.95 - y - 0.35 * np.clip(z - 0.5, 0, 1)) / 0.06))


def eye_colours(vertices: np.ndarray, identity: Identity) -> np.ndarray:
    """Albedo (N, 3) of one eyeball (N, 3): sclera, iris with a dark rim, pupil, by how far from the axis a point is."""
    vertices = vertices.astype(np.float64)
    ray = unit(vertices - (vertices.max(0) + vertices.min(0)) / 2)
    radius = np.sqrt(np.clip(2 - 2 * ray[:, 2], 0, None))
    colours = np.tile([0.80, 0.76, 0.74], (len(vertices), 1))
    colours = _mix(colours, 0.45 * identity.iris, smoothstep((RIM_RADIUS - radius) / 0.051))
    colours = _mix(colours, 1.3 * identity.iris, smoothstep((IRIS_RADIUS - radius) / 0.068))
    return _mix(colours, np.array([0.005, 0.005, 0.005]), smoothstep((PUPIL_RADIUS - radius) / 0.052))


def paint(head: Head, identity: Identity) -> np.ndarray:
    """Albedo (V, 3) of the whole head, float32."""
    colours = skin_colours(head, identity, hair_mask(head, identity))
    for eye in EYES:
        colours[head.part[eye]] = eye_colours(head.vertices[head.part[eye]], identity)
    for teeth in ("upper_teeth", "lower_teeth"):
        aside = np.abs(head.vertices[head.part[teeth], 0].astype(np.float64))
        # the back of the row lies in the dark of the mouth
        colours[head.part[teeth]] = np.outer(np.clip(1.3 - aside / 0.2, 0.06, 1), (0.72, 0.67, 0.58))
    colours[head.part["tongue"]] = (0.35, 0.09, 0.09)
    for lashes in ("left_upper_lashes", "right_upper_lashes"):
        colours[head.part[lashes]] = 0.3 * identity.hair
    return np.clip(colours, 0, 1).astype(np.float32)


def _spot(head: Head, place: tuple[float, float, float], radius: float) -> np.ndarray:
    """A soft round spot (V,) on the skin, on both sides of the face."""
    x, y, z = head.vertices.astype(np.float64).T
    aside, above, before = np.abs(x) - place[0], y - place[1], z - place[2]
    return fall_off((aside * aside + above * above + before * before) / (radius * radius)) * head.part["skin"]


def _mix(colours: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend colours (V, 3) into `other` by `share` (V,), which is clipped to 0..1."""
    share = np.clip(share, 0, 1)[:, None]
    return colours * (1 - share) + other * share
