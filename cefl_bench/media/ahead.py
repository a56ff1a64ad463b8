"""An iterator that works ahead in a thread: decoding and finding faces on one core, what is made of them on another."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

NUM_AHEAD = 4
"""Frames that wait, whole and in memory, so that neither side waits for the other's slowest ones."""


def ahead(items: Iterable[Item], num: int = NUM_AHEAD) -> Iterator[Item]:
    """The items in their order; up to `num` are made, in a thread, before they are asked for.

    An error that the items raise is raised where the next one would have come. Who stops earlier waits for the one
    that is being made.
    """
    source = iter(items)

    def next_one() -> list[Item]:
        for item in source:
            return [item]
        return []

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting = deque(thread.submit(next_one) for _ in range(num))
        try:
            while found := waiting.popleft().result():
                waiting.append(thread.submit(next_one))
                yield found[0]
        finally:
            thread.shutdown(cancel_futures=True)
