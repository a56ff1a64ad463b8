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
    obstacles: Sequence[Box] = (),
) -> list[Label | None]:
    """A place for the name of each point (x, y), y down, in a plot of `size`; None where there is no room for it.

    Args:
        widths: of the names; `height` is that of all of them.
        obstacles: what no name may cover, besides the points.

    Earlier points choose first, so give those that matter most first.
    """
    taken = [*obstacles, *((x - height / 3, y - height / 3, x + height / 3, y + height / 3) for x, y in points)]
    labels: list[Label | None] = []
    for (x, y), width in zip(points, widths, strict=True):
        for label in _places(height):
            box = _box(x, y, width, height, label)
            inside = box[0] >= -height and box[2] <= size[0] + height and box[1] >= -height and box[3] <= size[1]
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                labels.append(label)
                break
        else:
            labels.append(None)
    return labels


def _places(height: float) -> list[Label]:
    """From the most to the least readable; dy is to the middle of the text."""
    near, far = 0.75 * height, 1.1 * height
    return [
        Label(near, 0, "start"),
        Label(-near, 0, "end"),
        *(Label(side * near * 0.7, away, anchor) for away in (-near, near) for side, anchor in ((1, "start"), (-1, "end"))),
        *(Label(0, away, "middle") for away in (-far, far)),
    ]


def _box(x: float, y: float, width: float, height: float, label: Label) -> Box:
    left = x + label.dx - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
    return left, y + label.dy - height / 2, left + width, y + label.dy + height / 2


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
