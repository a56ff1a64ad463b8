"""What every metric promises, whoever wrote it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
from mmengine.evaluator import BaseMetric

from cefl_bench.contracts.promise import Outcome, expect, outcomes
from cefl_bench.records import Prediction

NUM_CLIPS, NUM_FRAMES, APEX_CLIP = 4, 16, 1
SURE = 5.0
"""Logit of the class that is predicted, above the others."""


@dataclass
class Judged:
    """A metric that is checked, and of how many classes its predictions are."""

    build: Callable[[], BaseMetric]
    num_classes: int

    def scores(self, right: bool) -> dict[str, float]:
        """What it gives for predictions of one video of every class twice, all right in every way or all wrong."""
        metric = self.build()
        for video in range(2 * self.num_classes):
            metric.process(None, [_prediction(video, self.num_classes, right)])
        return metric.evaluate(2 * self.num_classes)


def examine_metric(name: str, build: Callable[[], BaseMetric], num_classes: int) -> Iterator[Outcome]:
    """Check a metric on predictions that are all right, and on ones that are all wrong."""
    return outcomes(f"metric {name}", Judged(build, num_classes), METRIC)


def _prediction(video: int, num_classes: int, right: bool) -> Prediction:
    """One that is right about the class, and whose clip weights are highest where the emotion is; or one about none."""
    label = video % num_classes
    intensity_N = torch.full((NUM_CLIPS,), 0.1)
    intensity_N[APEX_CLIP] = 1.0
    weight_N = intensity_N if right else intensity_N.max() + 0.1 - intensity_N
    frames = NUM_FRAMES // NUM_CLIPS
    shown = label if right else (label + 1) % num_classes
    prediction = {
        "name": str(video),
        "label": label,
        "subject": str(video % 3),
        "scores": SURE * torch.eye(num_classes)[shown],
        "clip_weights": weight_N / weight_N.sum(),
        "frame_indices": torch.arange(NUM_FRAMES).reshape(NUM_CLIPS, frames),
        "frame_intensity": intensity_N.repeat_interleave(frames).reshape(NUM_CLIPS, frames),
        "apex": torch.tensor([APEX_CLIP * frames, (APEX_CLIP + 1) * frames]),
        "unreadable": "",
    }
    return cast(Prediction, prediction)  # what a loader made of its arrays are tensors


def _has_a_name_of_its_own(judged: Judged) -> None:
    metric, scores = judged.build(), judged.scores(right=True)
    expect(bool(metric.prefix), "has no default_prefix: expected a name, which its scores begin with")
    expect(bool(scores), "gives no score: expected at least one, as <default_prefix>/<name>")
    for name in scores:
        expect(name.startswith(f"{metric.prefix}/"), f"gives {name!r}: expected {metric.prefix}/<name>")


def _gives_numbers(judged: Judged) -> None:
    for name, value in judged.scores(right=True).items():
        found = f"gives {name} as {type(value).__name__}: expected a float"
        expect(isinstance(value, float) and math.isfinite(value), found)


def _tells_right_from_wrong(judged: Judged) -> None:
    right, wrong = judged.scores(right=True), judged.scores(right=False)
    expect(bool(right), "gives no score: expected at least one")
    higher = getattr(judged.build(), "higher_is_better", True)
    gains = {name: (right[name] - wrong[name]) * (1 if higher else -1) for name in right}
    worst, best = min(gains, key=gains.__getitem__), max(gains.values())
    better = "higher" if higher else "lower"
    expect(
        gains[worst] >= 0 and best > 0,
        f"gives {worst} {right[worst]:.4g} where all is right and {wrong[worst]:.4g} where all is wrong: expected the "
        f"{better} one where all is right, as higher_is_better is {higher}",
    )


METRIC: dict[str, Callable[[Judged], None]] = {
    "scores stand under its own name": _has_a_name_of_its_own,
    "scores are numbers": _gives_numbers,
    "right predictions score better than wrong ones": _tells_right_from_wrong,
}
