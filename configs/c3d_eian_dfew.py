"""C3D with EIAN on DFEW, fair track: python tools/train.py configs/c3d_eian_dfew.py"""

from mmengine.config import read_base

with read_base():
    from .c3d_dfew import *

from cefl_bench.models.aggregators.eian import EIAN

method, title = "c3d_eian", "C3D with EIAN"
model.update(num_clips=4, aggregator=dict(type=EIAN))
model.backbone.num_frames = 4
