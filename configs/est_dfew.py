"""EST on DFEW, fair track: python tools/train.py configs/est_dfew.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.est import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *
