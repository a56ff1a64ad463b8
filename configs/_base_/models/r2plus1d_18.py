"""R(2+1)D-18; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.r2plus1d_18 import R2Plus1D18
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "r2plus1d_18", "R(2+1)D-18"
model = dict(
    type=Recognizer,
    backbone=dict(type=R2Plus1D18),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
