"""ResNet-18 on every frame, then a transformer block over the 16 frames of the fair track, as 16 clips of one."""

from mmengine.config import read_base

with read_base():
    from .resnet18_frames import *

from cefl_bench.models.aggregators.temporal_transformer import TemporalTransformer

method, title = "resnet18_transformer", "ResNet-18 and transformer"
model.update(num_clips=16, aggregator=dict(type=TemporalTransformer, num_clips=16))
