"""MC3-18; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.mc3_18 import MC318
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "mc3_18", "MC3-18"
model = dict(
    type=Recognizer,
    backbone=dict(type=MC318),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
