"""SVFAP's TPSBT; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.tpsbt import TPSBT
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "svfap", "SVFAP's TPSBT"
model = dict(
    type=Recognizer,
    backbone=dict(type=TPSBT),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
