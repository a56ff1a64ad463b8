"""ResNet-18 and last LSTM state on RAVDESS, fair track: python tools/train.py configs/resnet18_lstm_last_ravdess.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.ravdess import *
    from ._base_.models.resnet18_lstm_last import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

model.head.num_classes = 8
