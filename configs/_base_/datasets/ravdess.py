"""RAVDESS: faces cut out by tools/prepare/ravdess.py."""

from cefl_bench.datasets.ravdess import RAVDESS
from cefl_bench.metrics.recall import Recall

corpus = dict(type=RAVDESS, data_root="ravdess", frames="faces_224")
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
