"""A person who does not exist: the shape of the head, the colours, the habits, the place they are filmed in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cefl_bench.synthesis.anatomy import AGES, GENDERS, LOCAL_CHANGES, RACES, WEIGHTS, twins_of
from cefl_bench.synthesis.draws import Draws
from cefl_bench.synthesis.exact import interpolate, on_grid
from cefl_bench.synthesis.expression import draw_habits

# Linear RGB, from fair to dark; hair, brows and irises likewise.
SKINS = np.array(
    [(0.78, 0.48, 0.36), (0.66, 0.37, 0.25), (0.47, 0.245, 0.145), (0.29, 0.14, 0.08), (0.16, 0.075, 0.045)]
)
HAIRS = np.array([(0.42, 0.27, 0.12), (0.20, 0.09, 0.04), (0.07, 0.035, 0.02), (0.015, 0.012, 0.01), (0.3, 0.29, 0.28)])
IRISES = np.array([(0.10, 0.22, 0.35), (0.12, 0.20, 0.09), (0.16, 0.08, 0.03), (0.05, 0.025, 0.015)])


@dataclass(frozen=True)
class Identity:
    """`shape` maps target names to weights; colours are linear RGB (3,); `resting` and `strengths` are (52,)."""

    shape: dict[str, float]
    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    shirt: np.ndarray
    lip_redness: float
    brow_strength: float
    brow_width: float
    hair_volume: float  # decimetres; below 0 means bald
    hairline: float  # decimetres above the usual one
    beard: float
    texture_seed: int
    backdrop: np.ndarray  # (4, 3): the colours of the background's corners
    light: np.ndarray  # direction towards the light (3,)
    resting: np.ndarray
    strengths: np.ndarray


def draw_identity(draws: Draws) -> Identity:
    is_female = draws.happens(0.5)
    female = 0.8 * is_female + draws.uniform(0, 0.2)
    old = min(draws.uniform(0, 1), draws.uniform(0, 1))
    darkness = draws.uniform(0, 1)
    race = draw_mixture((0.3 + 2 * darkness, 0.8, 0.3 + 2 * (1 - darkness)), draws)
    is_grey = draws.happens(0.6 * old)
    resting, strengths = draw_habits(draws)
    hair = palette(HAIRS[:4], draws.normal(0.3 + darkness, 0.25))
    is_bald = not is_female and draws.happens(0.2)
    is_shaven = is_female or draws.happens(0.5)
    return Identity(
        shape=draw_shape(female, old, race, draws),
        skin=palette(SKINS, draws.normal(darkness, 0.15)) * draws.normals(1, 0.04, 3),
        hair=HAIRS[4] if is_grey else hair,
        iris=palette(IRISES, draws.normal(0.2 + darkness, 0.3)),
        shirt=draws.uniforms(0.02, 0.6, 3),
        lip_redness=draws.uniform(0.25, 0.6) + 0.25 * female * draws.uniform(0, 1),
        brow_strength=draws.uniform(0.6, 0.95),
        brow_width=draws.uniform(0.028, 0.05) - 0.008 * female,
        hair_volume=-1.0 if is_bald else draws.uniform(0.03, 0.2),
        hairline=draws.normal(0.0, 0.05) + 0.12 * old * (1 - female),
        beard=0.0 if is_shaven else draws.uniform(0.15, 0.7),
        texture_seed=draws.integer(0, 2**31),
        backdrop=np.clip(draws.uniform(0.02, 0.5) + draws.normals(0, 0.08, (4, 3)), 0.01, 0.9),
        light=np.array([draws.normal(0, 0.25), draws.uniform(0.1, 0.8), 1.0]),
        resting=resting,
        strengths=strengths,
    )


def draw_mixture(weights: tuple[float, ...], draws: Draws) -> list[float]:
    """Shares that sum to 1, one per weight: uneven ones, of which those of larger weights are larger on average."""
    spread = draws.uniforms(0.02, 1, len(weights))
    parts = on_grid(spread * spread * weights)
    return (parts / parts.sum()).tolist()


def draw_shape(female: float, old: float, race: list[float], draws: Draws) -> dict[str, float]:
    """Target weights: MakeHuman's phenotype (products over gender, age, weight, race) and local changes."""
    shape: dict[str, float] = {}
    heavy = draws.normal(0, 0.4)
    build = dict(zip(WEIGHTS, (max(-heavy, 0), 1 - abs(heavy), max(heavy, 0)), strict=True))
    for gender, gender_share in zip(GENDERS, (female, 1 - female), strict=True):
        for age, age_share in zip(AGES, (1 - old, old), strict=True):
            share = gender_share * age_share
            for name, part in zip(RACES, race, strict=True):
                shape[f"{name}-{gender}-{age}"] = share * part
            for name, part in build.items():
                shape[f"universal-{gender}-{age}-averagemuscle-{name}"] = share * part
    for stem, (less, more) in LOCAL_CHANGES.items():
        amount = min(max(draws.normal(0, 0.17), -0.5), 0.5)
        ending = more if amount > 0 else less
        for twin in twins_of(stem):
            shape[f"{Path(twin).name}-{ending}"] = abs(amount)
    return shape


def palette(colours: np.ndarray, position: float) -> np.ndarray:
    """The colour at 0..1 along a list of colours (N, 3), on the grid; the first below 0, the last above 1."""
    places = [number / (len(colours) - 1) for number in range(len(colours))]
    return on_grid([interpolate(position, places, channel.tolist()) for channel in colours.T])
