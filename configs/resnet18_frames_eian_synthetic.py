"""ResNet frame mean with EIAN on the synthetic corpus: python tools/train.py configs/resnet18_frames_eian_synthetic.py

CEFLNet without its clip encoder: a clip's feature is the mean of its frames. EIAN starts by giving all clips almost the
same weight.
"""

from mmengine.config import read_base

with read_base():
    from .resnet18_frames_synthetic import *

from cefl_bench.models.aggregators.eian import EIAN

method, title = "resnet18_frames_eian", "ResNet-18 frame mean with EIAN"
model.update(num_clips=4, aggregator=dict(type=EIAN, init_std=0.02))
