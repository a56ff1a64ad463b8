"""S3D of torchvision; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.torchvision_video import TorchvisionVideo
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "s3d", "S3D"
model = dict(
    type=Recognizer,
    backbone=dict(type=TorchvisionVideo, name="s3d"),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead, dropout=0.2),
)
