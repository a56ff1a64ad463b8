"""ResNet-18 frame mean on DFEW, pretrained track: python tools/train.py configs/resnet18_frames_dfew_pretrained.py

ResNet-18 starts from ImageNet, with the weights that timm calls `resnet18.a1_in1k`.
"""

from mmengine.config import read_base

with read_base():
    from .resnet18_frames_dfew import *

track = "pretrained"
model.backbone.init_cfg = dict(timm="resnet18.a1_in1k")
