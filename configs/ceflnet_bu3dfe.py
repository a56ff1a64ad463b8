"""CEFLNet on BU-3DFE, fair track: python tools/train.py configs/ceflnet_bu3dfe.py --fold 1"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.bu3dfe import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

model.head.num_classes = 6
model.head.hidden_dims = (128, 64)
