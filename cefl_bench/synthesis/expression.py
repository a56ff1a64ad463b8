"""The seven expressions as weights of facial actions, and how a person shows one in a particular video."""

import numpy as np

from cefl_bench.synthesis.anatomy import ACTIONS, SIDED
from cefl_bench.synthesis.draws import Draws

CLASSES = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")  # DFEW's order

# Mean action weights at full intensity; a sided action stands for both sides. 1 is a strong, everyday movement.
RECIPES: dict[str, dict[str, float]] = {
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
MAX_WEIGHT = 1.7  # beyond it the shapes of two actions tear the face


def weights_of(recipe: dict[str, float]) -> np.ndarray:
    """Action names (sided or not) and weights as one vector (52,)."""
    weights = np.zeros(len(ACTIONS))
    for name, weight in recipe.items():
        for action in _both_sides(name):
            weights[ACTIONS.index(action)] = weight
    return weights


def draw_habits(draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """One person's resting face (52,), added to every frame, and the strengths (52,) of their movements around 1."""
    resting = np.zeros(len(ACTIONS))
    candidates = ["mouthFrown", "mouthSmile", "browDown", "browInnerUp", "eyeSquint", "mouthPress"]
    for _ in range(2):
        name = draws.pick(candidates)
        candidates.remove(name)
        resting += weights_of({name: draws.uniform(0, 0.1)})
    strengths = np.ones(len(ACTIONS))
    for name in sorted(SIDED | {"browInnerUp", "jawOpen", "mouthShrugLower"}):
        strengths += weights_of({name: draws.uniform(-0.15, 0.15)})
    return resting, strengths


def draw_expression(label: str, draws: Draws) -> tuple[np.ndarray, float]:
    """How `label` is shown in one video: the action weights (52,) at intensity 1, and the peak intensity.

    Every action varies around its mean, the two sides differ, one action may be weak, and some videos mix in another
    emotion below the label's strength. Neutral has no weights and the peak 0.
    """
    if not RECIPES[label]:
        return np.zeros(len(ACTIONS)), 0.0
    recipe = {name: weight * draws.normal(1, 0.15) for name, weight in RECIPES[label].items()}
    if draws.happens(0.15):
        recipe[draws.pick(list(recipe)[1:])] *= 0.3
    weights = weights_of(recipe)
    if draws.happens(0.2):
        other = draws.pick([name for name in EMOTIONS if name != label])
        weights += draws.uniform(0.1, 0.25) * weights_of(RECIPES[other])
    left_share = draws.uniform(-0.15, 0.15)
    for action, name in enumerate(ACTIONS):
        if name.endswith("Left"):
            weights[action] *= 1 + left_share
        elif name.endswith("Right"):
            weights[action] *= 1 - left_share
    is_weak = draws.happens(0.25)
    peak = draws.uniform(0.65, 0.85) if is_weak else draws.uniform(0.85, 1.0)
    return np.clip(weights, 0, MAX_WEIGHT), peak


def _both_sides(name: str) -> tuple[str, ...]:
    """The facial actions that a name, sided or not, stands for."""
    return (name + "Left", name + "Right") if name in SIDED else (name,)
