"""CEFLNet without EIAN on the synthetic corpus: python tools/train.py configs/ceflnet_mean_synthetic.py

Every clip weighs the same; all else is as in ceflnet_synthetic.
"""

from mmengine.config import read_base

with read_base():
    from .ceflnet_synthetic import *

from cefl_bench.models.aggregators.mean_clips import MeanClips

method, title = "ceflnet_mean", "CEFLNet without EIAN"
model.aggregator = dict(type=MeanClips)
