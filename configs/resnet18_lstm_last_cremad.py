"""ResNet-18 and last LSTM state on CREMA-D, fair track: python tools/train.py configs/resnet18_lstm_last_cremad.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.cremad import *
    from ._base_.models.resnet18_lstm_last import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

model.head.num_classes = 6
