"""MAE-DFER on DFEW, its authors' recipe: python tools/train.py configs/mae_dfer_dfew_paper.py --fold 1

It starts from VoxCeleb2, with the authors' weights: see mae_dfer_dfew_pretrained.py for where they are.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.mae_dfer import *
    from ._base_.models.mae_dfer import *
    from ._base_.runtime import *
    from ._base_.schedules.finetune import *

track = "paper"
model.views = True
model.backbone.update(size=160, region=(2, 5, 10))
model.backbone.init_cfg = dict(checkpoint="mae_dfer_voxceleb2.pth", start="VoxCeleb2")
model.head.label_smoothing = 0.1
optim_wrapper.optimizer.lr = 3.75e-4
departs_from_released_code = [
    "frames: theirs are extracted from the films' clips at 256 pixels; here the faces that DFEW's authors cut out",
    "RandAugment: theirs also turns, shears, moves and adds to dark parts, before the crop, each frame by itself; here "
    "the nine other changes of colour, as often and as strong, after the crop, all frames alike",
    "erasing: theirs fills the box with noise; here with the mean colour",
    "mixing: theirs draws one way and one share for a batch, and partners from its end; here each video draws its own",
    "views: theirs are 2 x 2, of which both crops of a square frame are the same; here 2",
    "precision: theirs is half precision; here float32, or half with --amp",
    "classifier: theirs starts at a thousandth of the usual weights; here as all heads do",
]
