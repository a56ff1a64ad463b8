"""I3D; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.i3d import I3D
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "i3d", "I3D"
model = dict(
    type=Recognizer,
    backbone=dict(type=I3D),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead, dropout=0.5),
)
