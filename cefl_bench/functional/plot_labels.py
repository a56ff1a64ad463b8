"""Names beside the points of a plot, so that none covers another; pure geometry in any one unit of length."""

from collections.abc import Sequence
from typing import NamedTuple


class Label(NamedTuple):
    """Where a name stands relative to its point: `anchor` is the end of the text that is at (dx, dy), y down."""

    dx: float
    dy: float
    anchor: str


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def place_labels(
    points: Sequence[tuple[float, float]],
    widths: Sequence[float],
    size: tuple[float, float],
    height: float,
    avoid: Sequence[Box] = (),
) -> list[Label | None]:
    """A place for the name of each point (x, y), y down, in a plot of `size`; None where there is no room for it.

    Args:
        widths: of the names; `height` is that of all of them.
        avoid: what a name covers only where it has no other place, such as lines.

    Earlier points choose first, so give those that matter most first.
    """
    radius = height / 3
    taken = [(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    labels: list[Label | None] = []
    for (x, y), width in zip(points, widths, strict=True):
        boxes = {label: _box(x, y, width, height, label) for label in _places(height)}
        free = [
            label
            for label, box in boxes.items()
            if _inside(box, size, height) and not any(_overlap(box, other) for other in taken)
        ]
        clear = [label for label in free if not any(_overlap(boxes[label], other) for other in avoid)]
        best = next(iter([*clear, *free]), None)
        labels.append(best)
        if best is not None:
            taken.append(boxes[best])
    return labels


def _places(height: float) -> list[Label]:
    """From the most to the least readable; dy is to the middle of the text."""
    near, far = 0.75 * height, 1.1 * height
    return [
        Label(near, 0, "start"),
        Label(-near, 0, "end"),
        *(Label(0.5 * near, away, "start") for away in (-near, near)),
        *(Label(-0.5 * near, away, "end") for away in (-near, near)),
        *(Label(0, away, "middle") for away in (-far, far)),
    ]


def _box(x: float, y: float, width: float, height: float, label: Label) -> Box:
    left = x + label.dx - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
    return left, y + label.dy - height / 2, left + width, y + label.dy + height / 2


def _inside(box: Box, size: tuple[float, float], margin: float) -> bool:
    return box[0] >= -margin and box[2] <= size[0] + margin and box[1] >= -margin and box[3] <= size[1]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
