"""DFEW: faces cut out by its authors."""

from cefl_bench.datasets.dfew import DFEW
from cefl_bench.metrics.recall import Recall

corpus = dict(type=DFEW, data_root="dfew")
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
