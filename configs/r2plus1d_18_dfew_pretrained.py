"""R(2+1)D-18 on DFEW, pretrained track: python tools/train.py configs/r2plus1d_18_dfew_pretrained.py

R(2+1)D-18 starts from Kinetics-400, with torchvision's weights. Frames are as in the fair track: with ImageNet's mean
and deviation, and not with those of the weights.
"""

from mmengine.config import read_base

with read_base():
    from .r2plus1d_18_dfew import *

track = "pretrained"
model.backbone.init_cfg = dict(torchvision="r2plus1d_18")
