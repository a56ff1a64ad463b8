"""ResNet-18 frame mean with EIAN on DFEW, fair track: python tools/train.py configs/resnet18_frames_eian_dfew.py"""

from mmengine.config import read_base

with read_base():
    from .resnet18_frames_dfew import *

from cefl_bench.models.aggregators.eian import EIAN

method, title = "resnet18_frames_eian", "ResNet-18 frame mean with EIAN"
model.update(num_clips=4, aggregator=dict(type=EIAN))
