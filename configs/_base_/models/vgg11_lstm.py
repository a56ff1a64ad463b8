"""VGG11 and an LSTM of three layers, the outputs of all 16 frames side by side.

DFEW's paper fits VGG11 to 112 x 112 and does not say how. Here its linear layers are left out, with BatchNorm between
the convolutions, and the last map of a frame is averaged: 512 values. `trunk_args=dict(pooled=False)` keeps the linear
layers: 4,096 values per frame, and twelve times the parameters.
"""

from mmengine.config import read_base

with read_base():
    from .resnet18_lstm import *

method, title = "vgg11_lstm", "VGG11 and LSTM"
model.backbone.update(trunk="vgg11_bn", trunk_args=dict(pooled=True))
