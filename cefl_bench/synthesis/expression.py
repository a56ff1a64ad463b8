"""The seven expressions as weights of facial actions, and how a person shows one in a particular video."""

import numpy as np

from cefl_bench.synthesis.anatomy import ACTIONS, SIDED

CLASSES = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")  # DFEW's order

# Mean action weights at full intensity; a sided action stands for both sides. 1 is a strong, everyday movement.
RECIPES = {
    "happy": {
        "mouthSmile": 1.15, "cheekSquint": 1.0, "mouthUpperUp": 0.5, "eyeSquint": 0.3, "jawOpen": 0.12,
        "mouthDimple": 0.3,
    },
    "sad": {
        "browInnerUp": 1.5, "mouthFrown": 1.4, "mouthShrugLower": 1.0, "eyeBlink": 0.12, "eyeLookDown": 0.3,
        "mouthLowerDown": 0.15, "cheekSquint": 0.15,
    },
    "neutral": {},
    "angry": {
        "browDown": 1.6, "eyeSquint": 0.5, "noseSneer": 0.4, "mouthPress": 1.0, "mouthRollLower": 0.7,
        "mouthRollUpper": 0.6, "mouthFrown": 0.35, "jawForward": 0.3, "eyeWide": 0.2,
    },
    "surprise": {"browInnerUp": 1.2, "browOuterUp": 1.4, "eyeWide": 1.0, "jawOpen": 0.85, "mouthFunnel": 0.2},
    "disgust": {
        "noseSneer": 1.4, "mouthUpperUp": 1.3, "browDown": 0.6, "cheekSquint": 0.8, "eyeSquint": 0.6,
        "mouthFrown": 0.35, "mouthLowerDown": 0.25, "jawOpen": 0.08,
    },
    "fear": {
        "browInnerUp": 1.3, "browDown": 0.35, "eyeWide": 1.15, "mouthStretch": 1.2, "mouthLowerDown": 0.9,
        "jawOpen": 0.28, "browOuterUp": 0.25,
    },
}  # fmt: skip
EMOTIONS = tuple(name for name in CLASSES if RECIPES[name])


def weights_of(recipe: dict[str, float]) -> np.ndarray:
    """Action names (sided or not) and weights as one vector (52,)."""
    weights = np.zeros(len(ACTIONS), np.float32)
    for name, weight in recipe.items():
        for action in (name + "Left", name + "Right") if name in SIDED else (name,):
            weights[ACTIONS.index(action)] = weight
    return weights


def draw_habits(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One person's resting face (52,), added to every frame, and the strengths (52,) of their movements around 1."""
    resting = np.zeros(len(ACTIONS), np.float32)
    for name in rng.choice(
        ["mouthFrown", "mouthSmile", "browDown", "browInnerUp", "eyeSquint", "mouthPress"], 2, False
    ):
        resting += weights_of({name: rng.uniform(0, 0.1)})
    strengths = np.ones(len(ACTIONS), np.float32)
    for name in sorted(SIDED | {"browInnerUp", "jawOpen", "mouthShrugLower"}):
        strengths += weights_of({name: rng.uniform(-0.15, 0.15)})
    return resting, strengths


def draw_expression(label: str, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """How `label` is shown in one video: the action weights (52,) at intensity 1, and the peak intensity.

    Every action strays from its mean, the two sides differ, one action may be missing, and some videos mix in another
    emotion below the label's strength. Neutral has no weights and the peak 0.
    """
    if not RECIPES[label]:
        return np.zeros(len(ACTIONS), np.float32), 0.0
    recipe = {name: weight * rng.normal(1, 0.15) for name, weight in RECIPES[label].items()}
    if rng.random() < 0.15:
        recipe[rng.choice(list(recipe)[1:])] *= 0.3
    weights = weights_of(recipe)
    if rng.random() < 0.2:
        other = rng.choice([name for name in EMOTIONS if name != label])
        weights += rng.uniform(0.1, 0.25) * weights_of(RECIPES[other])
    sides = rng.uniform(-0.15, 0.15)
    weights *= [1 + sides * (name.endswith("Left") - 1.0 * name.endswith("Right")) for name in ACTIONS]
    peak = rng.uniform(0.65, 0.85) if rng.random() < 0.25 else rng.uniform(0.85, 1.0)
    return np.clip(weights, 0, 1.7).astype(np.float32), float(peak)
