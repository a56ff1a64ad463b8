"""CEFLNet as its authors released it; sees the 16 frames of the fair track as 4 clips of 4."""

from cefl_bench.models.aggregators.eian import EIAN
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder
from cefl_bench.models.heads.mlp_head import MLPHead
from cefl_bench.models.recognizer import Recognizer

method, title = "ceflnet", "CEFLNet"
model = dict(
    type=Recognizer,
    num_clips=4,
    backbone=dict(type=ClipFeatureEncoder, trunk="resnet18"),
    aggregator=dict(type=EIAN),
    head=dict(type=MLPHead, dropout=0.4),
)
