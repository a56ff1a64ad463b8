"""ConvNeXt-Tiny frame mean on DFEW, fair track: python tools/train.py configs/convnext_tiny_frames_dfew.py"""

from mmengine.config import read_base

with read_base():
    from .resnet18_frames_dfew import *

method, title = "convnext_tiny_frames", "ConvNeXt-Tiny frame mean"
model.backbone.name = "convnext_tiny"
