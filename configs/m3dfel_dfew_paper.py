"""M3DFEL on DFEW, its authors' recipe: python tools/train.py configs/m3dfel_dfew_paper.py --fold 1

One frame from each of 16 segments as 4 clips of 4, values 0..1, random-resized crop, flip and colour jitter; R3D-18
from Kinetics-400.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.m3dfel import *
    from ._base_.runtime import *
    from ._base_.schedules.m3dfel_paper import *

track = "paper"
randomness.seed = 42
data_preprocessor.augment.update(crop_scale=(0.08, 1.0), crop_ratio=(0.75, 1.333), crop_fit="redraw")
data_preprocessor.augment.update(brightness=0.4, contrast=0.4, saturation=0.4)
data_preprocessor.update(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
train_dataloader.update(batch_size=256, drop_last=True)
train_dataloader.dataset.pipeline[0].size = 224
val_dataloader.dataset.pipeline[0].size = 224
test_dataloader = val_dataloader
model.backbone.init_cfg = dict(torchvision="r3d_18")
model.head.label_smoothing = 0.1
departs_from_released_code = [
    "training frames: theirs are the first of each sixteenth and 0 to 15 on; here one of each sixteenth",
    "test frames: theirs are drawn at random too; here the middle one of each sixteenth",
    "test videos: theirs leaves out those of a last batch that is not full; here all are scored",
    "colour: theirs varies the hue by up to 0.4 too, all in random order; here brightness, contrast, saturation",
    "batch statistics: theirs are of 64 videos on each of four GPUs; here of all 256 on one",
    "warm-up: theirs leaves the cosine out of its 20 epochs, and begins at 0; here up to 1 % lower",
    "crops: the ratio is drawn evenly in its logarithm, at any place; theirs evenly, then turned, in whole pixels",
]
