"""The losses that every head can be given: their options, checked, and in words. Knows no tensors."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from cefl_bench.errors import UserError

BALANCED = "balanced"
ONE_CLASS_LOSSES = ("focal_gamma", "ial_weight", "ec_stfl_weight")
"""Losses that nobody has defined for a video of two classes."""


class LossOptions(TypedDict, total=False):
    """Options of a head's loss. Without any it is the cross-entropy; `functional/losses.py` has the formulas."""

    label_smoothing: float
    """Share of the target that is spread evenly over all classes, 0 to below 1."""
    class_weights: str | Sequence[float] | None
    """(K,) how much a video of each class counts; `"balanced"`: so that every class of the training fold counts the
    same."""
    focal_gamma: float
    """Takes the cross-entropy down where the class is right already; 0 leaves it as it is, the paper has 2."""
    ial_weight: float
    """Factor of the intensity-aware loss, which is added; its authors have 0.1."""
    ec_stfl_weight: float
    """Factor of the EC-STFL loss, which is added; its paper has 10."""


def check_loss_options(options: Mapping[str, Any], num_classes: int, owner: str) -> None:
    """Check the options of a head for K classes.

    Args:
        owner: who has them, for messages.

    Raises:
        UserError: naming the option, its value and what was expected.
    """
    for name, value in options.items():
        if name not in LossOptions.__annotations__:
            known = ", ".join(LossOptions.__annotations__)
            raise UserError(f"{owner}: there is no {name!r}: expected an argument of its own, or one of {known}")
        if name != "class_weights" and not (_is_number(value) and value >= 0):
            raise UserError(f"{owner}: {name} is {value!r}: expected a number from 0")
    if options.get("label_smoothing", 0) >= 1:
        raise UserError(f"{owner}: label_smoothing is {options['label_smoothing']}: expected 0 to below 1")
    if options.get("label_smoothing") and options.get("focal_gamma"):
        raise UserError(f"{owner}: label_smoothing and focal_gamma are both set: expected one, as nobody defines both")
    weights = options.get("class_weights")
    if weights is None or weights == BALANCED:
        return
    numbers = not isinstance(weights, str) and all(_is_number(weight) and weight > 0 for weight in weights)
    if not numbers or len(weights) != num_classes:
        raise UserError(
            f"{owner}: class_weights is {weights!r}: expected {num_classes} numbers above 0, one for each class, or "
            f"{BALANCED!r}"
        )


def balanced_weights(counts: Sequence[int]) -> list[float]:
    """(K,) training videos of each class -> (K,) weights n / (k * n_class), k the number of classes that have any.

    So all classes together weigh the same as without weights, and each as much as the others. A class without videos
    gets 1, which nothing is multiplied by.
    """
    present = sum(count > 0 for count in counts)
    return [sum(counts) / (present * count) if count else 1.0 for count in counts]


def with_class_weights(head: dict[str, Any], counts: Sequence[int]) -> dict[str, Any]:
    """The config of a head, with the weights of these counts (K,) in the place of `class_weights="balanced"`."""
    if head.get("class_weights") != BALANCED:
        return head
    return head | {"class_weights": balanced_weights(counts)}


def losses_in_words(head: Mapping[str, Any]) -> Iterator[str]:
    """What sets the loss of a head's config apart from the plain cross-entropy, such as `label smoothing 0.1`."""
    if head.get("label_smoothing"):
        yield f"label smoothing {_shown(head['label_smoothing'])}"
    weights = head.get("class_weights")
    if weights is not None:
        yield "balanced class weights" if weights == BALANCED else "class weights of its own"
    for name, words in (("focal_gamma", "focal loss, gamma"), ("ial_weight", "IAL x"), ("ec_stfl_weight", "EC-STFL x")):
        if head.get(name):
            yield f"{words} {_shown(head[name])}"


def _shown(value: Any) -> str:
    """A number; the config of a stranger's result may hold anything in its place."""
    return f"{value:g}" if _is_number(value) else "?"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
