"""CREMA-D: faces cut out by tools/prepare/cremad.py."""

from cefl_bench.datasets.cremad import CREMAD
from cefl_bench.metrics.recall import Recall

corpus = dict(type=CREMAD, data_root="cremad", frames="faces_224")
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
