"""A person who does not exist: the shape of the head, the colours, the habits, the place they are filmed in."""

from dataclasses import dataclass

import numpy as np

from cefl_bench.synthesis.anatomy import AGES, GENDERS, LOCAL_CHANGES, RACES, WEIGHTS
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


def draw_identity(rng: np.random.Generator) -> Identity:
    female = float(rng.random() < 0.5) * 0.8 + rng.uniform(0, 0.2)
    old = rng.beta(1, 2.2)
    darkness = rng.uniform(0, 1)
    race = rng.dirichlet((0.3 + 2 * darkness, 0.8, 0.3 + 2 * (1 - darkness)))
    greying = rng.random() < 0.6 * old
    fairness = np.clip(rng.normal(darkness, 0.15), 0, 1)
    resting, strengths = draw_habits(rng)
    return Identity(
        shape=draw_shape(female, old, race, rng),
        skin=palette(SKINS, fairness) * rng.normal(1, 0.04, 3),
        hair=HAIRS[4] if greying else palette(HAIRS[:4], np.clip(rng.normal(0.3 + darkness, 0.25), 0, 1)),
        iris=palette(IRISES, np.clip(rng.normal(0.2 + darkness, 0.3), 0, 1)),
        shirt=rng.uniform(0.02, 0.6, 3),
        lip_redness=rng.uniform(0.25, 0.6) + 0.25 * female * rng.random(),
        brow_strength=rng.uniform(0.6, 0.95),
        brow_width=rng.uniform(0.028, 0.05) - 0.008 * female,
        hair_volume=-1.0 if female < 0.5 and rng.random() < 0.2 else rng.uniform(0.03, 0.2),
        hairline=rng.normal(0.0, 0.05) + 0.12 * old * (1 - female),
        beard=0.0 if female > 0.5 or rng.random() < 0.5 else rng.uniform(0.15, 0.7),
        texture_seed=int(rng.integers(2**31)),
        backdrop=np.clip(rng.uniform(0.02, 0.5) + rng.normal(0, 0.08, (4, 3)), 0.01, 0.9),
        light=np.array([rng.normal(0, 0.25), rng.uniform(0.1, 0.8), 1.0]),
        resting=resting,
        strengths=strengths,
    )


def draw_shape(female: float, old: float, race: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Target weights: MakeHuman's phenotype (products over gender, age, weight, race) and local changes."""
    shape = {}
    heavy = rng.normal(0, 0.4)
    build = dict(zip(WEIGHTS, (max(-heavy, 0), 1 - abs(heavy), max(heavy, 0)), strict=True))
    for gender, gender_share in zip(GENDERS, (female, 1 - female), strict=True):
        for age, age_share in zip(AGES, (1 - old, old), strict=True):
            share = gender_share * age_share
            shape |= {f"{name}-{gender}-{age}": share * part for name, part in zip(RACES, race, strict=True)}
            shape |= {f"universal-{gender}-{age}-averagemuscle-{name}": share * part for name, part in build.items()}
    for stem, (less, more) in LOCAL_CHANGES.items():
        amount = np.clip(rng.normal(0, 0.17), -0.5, 0.5)
        name = stem.split("/")[1]
        for twin in (name, "r-" + name[2:]) if name.startswith("l-") else (name,):
            shape[f"{twin}-{more if amount > 0 else less}"] = abs(amount)
    return shape


def palette(colours: np.ndarray, position: float) -> np.ndarray:
    """The colour at 0..1 along a list of colours (N, 3)."""
    place = position * (len(colours) - 1)
    return np.array([np.interp(place, np.arange(len(colours)), colours[:, channel]) for channel in range(3)])
