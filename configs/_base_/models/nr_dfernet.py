"""NR-DFERNet; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.nr_dfernet import NRDFERNet
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "nr_dfernet", "NR-DFERNet"
model = dict(
    type=Recognizer,
    backbone=dict(type=NRDFERNet),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
