"""The synthetic corpus, rendered by tools/prepare/synthetic.py."""

from cefl_bench.datasets.synthetic_faces import SyntheticFaces
from cefl_bench.metrics.localization import Localization
from cefl_bench.metrics.recall import Recall
from cefl_bench.transforms.read import ReadVideo

corpus = dict(type=SyntheticFaces, data_root="synthetic_demo", reader=ReadVideo)
val_evaluator = [dict(type=Recall), dict(type=Localization)]
test_evaluator = val_evaluator
