"""CEFLNet on CREMA-D, fair track: python tools/train.py configs/ceflnet_cremad.py --fold 1"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.cremad import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

model.head.num_classes = 6
model.head.hidden_dims = (128, 64)
