"""MMI: faces cut out by tools/prepare/mmi.py."""

from cefl_bench.datasets.mmi import MMI
from cefl_bench.metrics.localization import Localization
from cefl_bench.metrics.recall import Recall

corpus = dict(type=MMI, data_root="mmi", frames="faces_224")
val_evaluator = [dict(type=Recall), dict(type=Localization)]
test_evaluator = val_evaluator
