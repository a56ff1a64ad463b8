"""SVFAP's TPSBT on DFEW, fair track: python tools/train.py configs/svfap_dfew.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.svfap import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *
