"""IAL: the network with GCA blocks and the intensity-aware loss; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.gca_network import GCANetwork
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "ial", "IAL"
model = dict(
    type=Recognizer,
    backbone=dict(type=GCANetwork),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead, ial_weight=0.1),
)
