"""NR-DFERNet on DFEW, fair track: python tools/train.py configs/nr_dfernet_dfew.py

At the track's learning rate it diverged in the first epoch, on rendered faces (docs/board.md);
nr_dfernet_dfew_paper.py has the rate of its authors, a tenth of that.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.nr_dfernet import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *
