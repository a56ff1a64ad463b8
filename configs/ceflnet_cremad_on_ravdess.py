"""CEFLNet on CREMA-D -> RAVDESS, fair track: python tools/train.py configs/ceflnet_cremad_on_ravdess.py --fold 1

Trained like ceflnet_cremad.py, tested on all of RAVDESS that shows an emotion of CREMA-D; nothing but the test differs.
"""

from mmengine.config import read_base

with read_base():
    from .ceflnet_cremad import *

from cefl_bench.datasets.cremad import CREMAD
from cefl_bench.datasets.ravdess import RAVDESS

val_dataloader.dataset.update(
    type=RAVDESS,
    data_root="ravdess",
    split="all",
    classes_as=CREMAD,
    label_map=dict(angry="anger", disgust="disgust", fearful="fear", happy="happy", neutral="neutral", sad="sad"),
)
test_dataloader = val_dataloader
