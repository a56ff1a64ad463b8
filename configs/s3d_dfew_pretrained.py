"""S3D on DFEW, pretrained track: python tools/train.py configs/s3d_dfew_pretrained.py

S3D starts from Kinetics-400, with torchvision's weights. Frames are as in the fair track: with ImageNet's mean and
deviation, and not with those of the weights.
"""

from mmengine.config import read_base

with read_base():
    from .s3d_dfew import *

track = "pretrained"
model.backbone.init_cfg = dict(torchvision="s3d")
