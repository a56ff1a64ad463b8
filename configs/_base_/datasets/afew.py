"""AFEW: frames aligned by its authors.

A clip in which no face was found has no aligned frames: at test it counts as wrong, so that all 383 clips count.
"""

from cefl_bench.datasets.afew import AFEW
from cefl_bench.metrics.recall import Recall

corpus = dict(type=AFEW, data_root="afew", on_error="skip")
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
