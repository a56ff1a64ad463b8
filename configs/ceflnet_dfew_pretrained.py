"""CEFLNet on DFEW, pretrained track: python tools/train.py configs/ceflnet_dfew_pretrained.py

The trunk starts from ImageNet, with the weights that timm calls `resnet18.a1_in1k`; all else from scratch.
"""

from mmengine.config import read_base

with read_base():
    from .ceflnet_dfew import *

track = "pretrained"
model.backbone.init_cfg = dict(timm="resnet18.a1_in1k")
