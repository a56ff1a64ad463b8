"""What training will cost, from a rate that was measured or given: hours, hours of GPUs, and money."""

import heapq
from typing import NamedTuple

from cefl_bench.functional.duration import duration


class Projection(NamedTuple):
    """Hours on the clock, hours of devices, and their price where a price per hour is known."""

    hours: float
    device_hours: float
    money: float | None

    def in_words(self, device: str) -> str:
        """`1 h 12 min, 4.8 GPU-hours, 14.40 to pay`.

        Args:
            device: what an hour is of, `GPU` or `machine`.
        """
        money = "" if self.money is None else f", {self.money:.2f} to pay"
        return f"{duration(3600 * self.hours)}, {self.device_hours:.3g} {device}-hours{money}"


def of_run(seconds: float, runs: int, devices: int, price: float | None = None) -> Projection:
    """The cost of some equal runs, one after the other.

    Args:
        seconds: of a whole run.
        runs: how many, such as the folds of a corpus.
        devices: that a run uses at once.
        price: of an hour of one device.
    """
    hours = seconds * runs / 3600
    return Projection(hours, hours * devices, None if price is None else hours * devices * price)


def of_jobs(job_hours: list[float], places: int, price: float | None = None) -> Projection:
    """The cost of jobs of one device each: in their order, each on the first place to be free."""
    free_at = [0.0] * places
    for hours in job_hours:
        heapq.heapreplace(free_at, free_at[0] + hours)
    total = sum(job_hours)
    return Projection(max(free_at), total, None if price is None else total * price)
