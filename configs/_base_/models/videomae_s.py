"""VideoMAE ViT-S; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.video_mae import VideoMAE
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "videomae_s", "VideoMAE ViT-S"
model = dict(
    type=Recognizer,
    backbone=dict(type=VideoMAE),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
