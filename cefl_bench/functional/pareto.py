"""The Pareto front: the points that no other point beats at the same or a lower cost."""

from collections.abc import Sequence


def pareto_front(cost: Sequence[float], value: Sequence[float]) -> list[int]:
    """Indices of the points that no other point beats, cheapest first.

    A point is beaten by one that costs no more and is worth no less, and differs in one of the two. Of equal points
    the first is kept.
    """
    front: list[int] = []
    for index in sorted(range(len(cost)), key=lambda i: (cost[i], -value[i], i)):
        if not front or value[index] > value[front[-1]]:
            front.append(index)
    return front
