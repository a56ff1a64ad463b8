"""FERV39k: faces cut out by its authors."""

from cefl_bench.datasets.ferv39k import FERV39k
from cefl_bench.metrics.recall import Recall
from cefl_bench.transforms.read import ReadFrames

corpus = dict(type=FERV39k, data_root="ferv39k", reader=ReadFrames)
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
