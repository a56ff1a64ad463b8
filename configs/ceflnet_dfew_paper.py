"""CEFLNet on DFEW, its authors' recipe: python tools/train.py configs/ceflnet_dfew_paper.py --fold 1

7 clips of 5 frames at 224 x 224, values 0..1, no augmentation, the trunk run once per clip and frame position.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.ceflnet_paper import *

track = "paper"
randomness.seed = 3456
data_preprocessor.update(size=224, augment=None, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
train_dataloader.update(batch_size=8, drop_last=True)
train_dataloader.dataset.pipeline[0].size = 224
train_dataloader.dataset.pipeline[1].scheme = "ceflnet"
val_dataloader.dataset.pipeline[0].size = 224
val_dataloader.dataset.pipeline[1].scheme = "ceflnet"
test_dataloader = val_dataloader
model.num_clips = None
model.backbone.update(
    init_cfg=dict(timm="resnet18"), trunk_args=dict(zero_init_last=False), frame_batches="per_position"
)
departs_from_released_code = [
    "initial weights: theirs are a face network's, not stated which; here ImageNet's, named in result.json",
    "length: a video is stretched to 105 frames; theirs takes the first 105 and fails below 104 (timeline='fixed')",
    "scaling: frames of another size than 224 x 224 are scaled bilinearly; theirs as Pillow does by default",
]
