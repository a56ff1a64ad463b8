"""MC3-18 on DFEW, pretrained track: python tools/train.py configs/mc3_18_dfew_pretrained.py

MC3-18 starts from Kinetics-400, with torchvision's weights. Frames are as in the fair track: with ImageNet's mean and
deviation, and not with those of the weights.
"""

from mmengine.config import read_base

with read_base():
    from .mc3_18_dfew import *

track = "pretrained"
model.backbone.init_cfg = dict(torchvision="mc3_18")
