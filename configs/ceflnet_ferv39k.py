"""CEFLNet on FERV39k, fair track: python tools/train.py configs/ceflnet_ferv39k.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.ferv39k import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

model.head.num_classes = 7
