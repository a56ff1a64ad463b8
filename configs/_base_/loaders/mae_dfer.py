"""MAE-DFER's frames: 16, four apart, at 160 x 160; two views at test; mixed videos in batches of 96."""

from mmengine.config import read_base

with read_base():
    from .fair import *

data_preprocessor.update(size=160, mix=dict(mixup=0.8, cutmix=1.0, chance=1.0, cutmix_chance=0.5))
data_preprocessor.augment.update(crop_scale=(0.08, 1.0), crop_ratio=(0.75, 1.3333), crop_fit="redraw", erasing=0.25)
data_preprocessor.augment.update(brightness=0.0, contrast=0.0, saturation=0.0)
# Theirs draws 4 of 15 changes, and does each with a chance of 0.5. Here are 9 of these, each as often as there:
# 4 x 0.3 / 9 = 4 x 0.5 / 15.
data_preprocessor.augment.colour_ops = dict(number=4, magnitude=7.0, spread=0.5, chance=0.3)
train_dataloader.update(batch_size=96, drop_last=True)
train_dataloader.dataset.pipeline[0].size = 224
train_dataloader.dataset.pipeline[1].update(scheme="dense", stride=4, short="held")
val_dataloader.dataset.pipeline[0].size = 224
val_dataloader.dataset.pipeline[1].update(scheme="dense", stride=4, short="held", num_views=2)
test_dataloader = val_dataloader
