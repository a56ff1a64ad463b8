"""ResNet-18 and a GRU of three layers, the outputs of all 16 frames side by side."""

from mmengine.config import read_base

with read_base():
    from .resnet18_lstm import *

method, title = "resnet18_gru", "ResNet-18 and GRU"
model.backbone.cell = "gru"
