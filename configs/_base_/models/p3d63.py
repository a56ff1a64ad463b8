"""P3D-63; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.p3d63 import P3D63
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "p3d63", "P3D-63"
model = dict(
    type=Recognizer,
    backbone=dict(type=P3D63),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead, dropout=0.5),
)
