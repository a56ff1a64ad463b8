"""R3D-18 with EIAN on DFEW, fair track: python tools/train.py configs/r3d18_eian_dfew.py"""

from mmengine.config import read_base

with read_base():
    from .r3d18_dfew import *

from cefl_bench.models.aggregators.eian import EIAN

method, title = "r3d18_eian", "R3D-18 with EIAN"
model.update(num_clips=4, aggregator=dict(type=EIAN))
