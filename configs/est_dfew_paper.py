"""EST on DFEW, its authors' recipe: python tools/train.py configs/est_dfew_paper.py --fold 1

CEFLNet's 7 clips of 5 frames at 224 x 224, values 0..1, no augmentation; CEFLNet's schedule, but of 160 epochs.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.est import *
    from ._base_.runtime import *
    from ._base_.schedules.ceflnet_paper import *

track = "paper"
train_cfg.max_epochs = 160
data_preprocessor.update(size=224, augment=None, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
train_dataloader.update(batch_size=8, drop_last=True)
train_dataloader.dataset.pipeline[0].size = 224
train_dataloader.dataset.pipeline[1].scheme = "ceflnet"
val_dataloader.dataset.pipeline[0].size = 224
val_dataloader.dataset.pipeline[1].scheme = "ceflnet"
test_dataloader = val_dataloader
model.num_clips = None
model.backbone.update(init_cfg=dict(timm="resnet18"), trunk_args=dict(zero_init_last=False))
model.aggregator.num_clips = 7
departs_from_released_code = [
    "initial weights: theirs are of a ResNet-18 trained on the faces of FER+; here ImageNet's, named in result.json",
    "shuffling: theirs shuffles the clips and their positions as they are read; here what tells the order sees them so",
    "length: a video is stretched to 105 frames; theirs takes the first 105 and fails below 104 (timeline='fixed')",
]
