"""Methods of a test as a table compares them."""

from cefl_bench.report.clips import Clips, Predicted
from cefl_bench.report.collect import Run
from cefl_bench.report.comparison import compare
from helpers.simulated import CLASSES


def compared(*methods: list[Run]):
    """The pairs of methods, of the runs of each, and their ranks."""
    clips = Clips([run for of_method in methods for run in of_method], len(CLASSES))
    return compare([of_method[0].method for of_method in methods], [Predicted(part, clips) for part in methods])
