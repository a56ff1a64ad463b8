"""EST as its authors released it; sees the 16 frames of the fair track as 4 clips of 4."""

from cefl_bench.models.aggregators.snippet_transformer import SnippetTransformer
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder
from cefl_bench.models.heads.mlp_head import MLPHead
from cefl_bench.models.recognizer import Recognizer

method, title = "est", "EST"
model = dict(
    type=Recognizer,
    num_clips=4,
    backbone=dict(type=ClipFeatureEncoder, trunk="resnet18", variant="cosine"),
    aggregator=dict(type=SnippetTransformer, num_clips=4),
    head=dict(type=MLPHead, hidden_dims=(128, 64), dropout=0.4),
)
