"""R(2+1)D-18 on DFEW, fair track: python tools/train.py configs/r2plus1d_18_dfew.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.r2plus1d_18 import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *
