"""Frames of the synthetic corpus: the 16 of the fair track at 48 x 48, small enough for a CPU; batches of 8."""

from mmengine.config import read_base

with read_base():
    from .fair import *

data_preprocessor.update(
    size=48, augment=dict(crop_scale=(0.85, 1.0), flip=0.5, brightness=0.2, contrast=0.2, saturation=0.2)
)
train_dataloader.update(batch_size=8, num_workers=2)
train_dataloader.pop("pin_memory")
train_dataloader.dataset.pipeline[0].size = 56
val_dataloader.update(batch_size=16, num_workers=2)
val_dataloader.pop("pin_memory")
val_dataloader.dataset.pipeline[0].size = 56
test_dataloader = val_dataloader
