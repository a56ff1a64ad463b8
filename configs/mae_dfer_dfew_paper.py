"""MAE-DFER on DFEW, its authors' recipe: python tools/train.py configs/mae_dfer_dfew_paper.py --fold 1

16 frames, every fourth, at 160 x 160; mixed videos; lower rates in lower layers; tests merge two views. With
--cfg-options model.backbone.init_cfg.checkpoint=FILE model.backbone.init_cfg.start=VoxCeleb2 from the authors' weights.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.mae_dfer import *
    from ._base_.runtime import *
    from ._base_.schedules.finetune import *

track = "paper"
data_preprocessor.augment.update(crop_scale=(0.08, 1.0), crop_ratio=(0.75, 1.333), crop_fit="redraw", erasing=0.25)
data_preprocessor.update(size=160, mix=dict(mixup=0.8, cutmix=1.0, chance=1.0, cutmix_chance=0.5))
train_dataloader.update(batch_size=96, drop_last=True)
train_dataloader.dataset.pipeline[0].size = 224
train_dataloader.dataset.pipeline[1].update(scheme="dense", stride=4, short="held")
val_dataloader.dataset.pipeline[0].size = 224
val_dataloader.dataset.pipeline[1].update(scheme="dense", stride=4, short="held", num_views=2)
test_dataloader = val_dataloader
optim_wrapper.optimizer.lr = 3.75e-4
model.views = True
model.backbone.update(size=160, region=(2, 5, 10))
model.head.label_smoothing = 0.1
departs_from_released_code = [
    "initial weights: theirs are pretrained on VoxCeleb2; here drawn at random, unless their file is named",
    "frames: theirs are cut out of the videos anew, at 256 pixels; here those that DFEW distributes, at 224",
    "RandAugment: theirs changes a video by four operations of it, magnitude 7; here by none",
    "erasing: theirs fills the box with noise; here with the mean colour",
    "mixing: theirs draws one share and one box for a batch; here for each video",
    "views: theirs are two in time by two in place, which are equal in square frames; here two in time",
    "classifier: theirs starts at a thousandth of its usual size; here as PyTorch's do",
    "precision: theirs is float16; here float32, or what --amp takes",
]
