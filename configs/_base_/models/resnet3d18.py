"""3D ResNet-18; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.resnet3d18 import ResNet3D18
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "resnet3d18", "3D ResNet-18"
model = dict(
    type=Recognizer,
    backbone=dict(type=ResNet3D18),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
