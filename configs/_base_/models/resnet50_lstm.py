"""ResNet-50 and an LSTM of three layers, the outputs of all 16 frames side by side."""

from mmengine.config import read_base

with read_base():
    from .resnet18_lstm import *

method, title = "resnet50_lstm", "ResNet-50 and LSTM"
model.backbone.trunk = "resnet50"
