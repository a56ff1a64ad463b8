"""Former-DFER with EIAN on DFEW, fair track: python tools/train.py configs/former_dfer_eian_dfew.py"""

from mmengine.config import read_base

with read_base():
    from .former_dfer_dfew import *

from cefl_bench.models.aggregators.eian import EIAN

method, title = "former_dfer_eian", "Former-DFER with EIAN"
model.update(num_clips=4, aggregator=dict(type=EIAN))
model.backbone.num_frames = 4
