"""Former-DFER; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.former_dfer import FormerDFER
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "former_dfer", "Former-DFER"
model = dict(
    type=Recognizer,
    backbone=dict(type=FormerDFER),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
