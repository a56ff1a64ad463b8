"""CEFLNet on DFEW, its authors' recipe: python tools/train.py configs/ceflnet_dfew_paper.py --fold 1

7 clips of 5 frames at 224 x 224, values 0..1, no augmentation. The paper does not state the weights that its trunk
started from; here they are timm's ImageNet ones, and result.json names them.
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
train_dataloader.batch_size = 8
train_dataloader.dataset.pipeline[0].size = 224
train_dataloader.dataset.pipeline[1].scheme = "ceflnet"
val_dataloader.dataset.pipeline[0].size = 224
val_dataloader.dataset.pipeline[1].scheme = "ceflnet"
test_dataloader = val_dataloader
model.num_clips = None
model.backbone.update(init_cfg=dict(timm="resnet18"), frame_batches="per_position")
