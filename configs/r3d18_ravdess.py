"""R3D-18 on RAVDESS, fair track: python tools/train.py configs/r3d18_ravdess.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.ravdess import *
    from ._base_.models.r3d18 import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

model.head.num_classes = 8
