"""The Pareto front: what nothing else beats at its cost or below."""

from collections.abc import Sequence


def pareto_front(cost: Sequence[float], value: Sequence[float]) -> list[int]:
    """Indices of the points that no other beats, cheapest first: dearer ones only where they are better.

    A point is beaten by one that costs no more and is worth no less, and differs in one of the two; of equal points the
    first stays.
    """
    front: list[int] = []
    for index in sorted(range(len(cost)), key=lambda i: (cost[i], -value[i], i)):
        if not front or value[index] > value[front[-1]]:
            front.append(index)
    return front
