"""C3D on DFEW, the benchmark's recipe: python tools/train.py configs/c3d_dfew_paper.py --fold 1

All 16 frames of the variant that DFEW's authors interpolated in time, at 112 x 112, from scratch. Of their schedule
nothing is known to us: it is the fair track's, without augmentation.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.c3d import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

track = "paper"
data_preprocessor.augment = None
corpus.frames = "clip_224x224_16f"
