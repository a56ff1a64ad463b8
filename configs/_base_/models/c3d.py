"""C3D; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.c3d import C3D
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "c3d", "C3D"
model = dict(
    type=Recognizer,
    backbone=dict(type=C3D),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
