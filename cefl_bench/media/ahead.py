"""An iterator that works ahead in a thread: decoding and finding faces on one core, what is made of them on another."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

Item = TypeVar("Item")

NUM_AHEAD = 4
"""Frames that wait, whole and in memory, so that neither side waits for the other's slowest ones."""


def ahead(items: Iterable[Item], num: int = NUM_AHEAD) -> Iterator[Item]:
    """The items in their order; up to `num` are made, in a thread, before they are asked for.

    An error that the items raise is raised where the next one would have come. Who stops earlier waits for the one
    that is being made.
    """
    source, in_use = iter(items), Lock()
    is_over = False

    def next_one() -> list[Item]:
        with in_use:
            if not is_over:
                for item in source:
                    return [item]
        return []

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        try:
            waiting = deque(thread.submit(next_one) for _ in range(num))
            while found := waiting.popleft().result():
                waiting.append(thread.submit(next_one))
                yield found[0]
        finally:
            with in_use:  # the executor does not wait for a thread whose start Ctrl-C interrupted: it does not know it
                is_over = True
            thread.shutdown(cancel_futures=True)
