"""MAFW: faces cut out by its authors."""

from cefl_bench.datasets.mafw import MAFW
from cefl_bench.metrics.recall import Recall

corpus = dict(type=MAFW, data_root="mafw")
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
