"""R3D-18; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.r3d18 import R3D18
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "r3d18", "R3D-18"
model = dict(
    type=Recognizer,
    backbone=dict(type=R3D18),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
