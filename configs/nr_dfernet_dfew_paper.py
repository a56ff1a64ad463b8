"""NR-DFERNet on DFEW, its authors' recipe: python tools/train.py configs/nr_dfernet_dfew_paper.py --fold 1

Two consecutive frames from each of 8 segments, values 0..1, random-resized crop, flip, brightness, small rotations.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.nr_dfernet import *
    from ._base_.runtime import *
    from ._base_.schedules.nr_dfernet_paper import *

track = "paper"
data_preprocessor.augment.update(crop_scale=(0.08, 1.0), crop_ratio=(0.75, 1.333), crop_fit="redraw")
data_preprocessor.augment.update(brightness=0.6, rotation=4.0)
data_preprocessor.update(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
train_dataloader.update(batch_size=32, drop_last=True)
train_dataloader.dataset.pipeline[0].size = 224
train_dataloader.dataset.pipeline[1].update(num_segments=8, num_frames_per_segment=2, whole_steps=True)
val_dataloader.dataset.pipeline[0].size = 224
val_dataloader.dataset.pipeline[1].update(num_segments=8, num_frames_per_segment=2)
test_dataloader = val_dataloader
departs_from_released_code = [
    "short videos: theirs leaves out those of fewer than 16 frames, in training and in test; here none is left out",
    "snippets: theirs, in tests, means to rule neutral out by a filter, which cannot run; here there is none",
    "length: theirs may run 1000 epochs, all after the 100th at under a ten-thousandth of the rate; here 100",
    "rotation: theirs turns the finished crop, to the nearest pixel; here the frame, before the crop, between pixels",
    "crops: the ratio is drawn evenly in its logarithm, at any place; theirs evenly, then turned, in whole pixels",
    "rounding: theirs rounds scaled frames to 8 bits; here they stay float",
]
