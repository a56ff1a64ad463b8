"""Video Swin-T of torchvision; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.torchvision_video import TorchvisionVideo
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "swin3d_t", "Video Swin-T"
model = dict(
    type=Recognizer,
    backbone=dict(type=TorchvisionVideo, name="swin3d_t"),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
