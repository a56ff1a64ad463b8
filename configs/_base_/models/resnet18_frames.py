"""ResNet-18 on every frame, then the mean; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.timm_frames import TimmFrames
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "resnet18_frames", "ResNet-18 frame mean"
model = dict(
    type=Recognizer,
    backbone=dict(type=TimmFrames, name="resnet18"),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
