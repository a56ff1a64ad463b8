"""ResNet-18 and an LSTM, the other common reading: two layers, the output of the last frame."""

from mmengine.config import read_base

with read_base():
    from .resnet18_lstm import *

method, title = "resnet18_lstm_last", "ResNet-18 and last LSTM state"
model.backbone.readout = "last"
