"""CEFLNet on CREMA-D -> RAVDESS, fair track: python tools/train.py configs/ceflnet_cremad_on_ravdess.py --fold 1

Trained on the folds of CREMA-D, tested on all videos of RAVDESS that show an emotion of CREMA-D. Only the test differs
from ceflnet_dfew.py --dataset cremad.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.cremad import *
    from ._base_.loaders.fair import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

from cefl_bench.datasets.cremad import CREMAD
from cefl_bench.datasets.ravdess import RAVDESS

test_corpus = dict(
    type=RAVDESS,
    data_root="ravdess",
    frames="faces_224",
    split="all",
    classes_as=CREMAD,
    label_map=dict(angry="anger", disgust="disgust", fearful="fear", happy="happy", neutral="neutral", sad="sad"),
)
