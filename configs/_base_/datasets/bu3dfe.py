"""BU-4DFE, or the static BU-3DFE as sequences of four intensities."""

from cefl_bench.datasets.bu3dfe import BU3DFE
from cefl_bench.metrics.recall import Recall
from cefl_bench.transforms.read import ReadFrames

corpus = dict(type=BU3DFE, data_root="bu3dfe", reader=ReadFrames)
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
