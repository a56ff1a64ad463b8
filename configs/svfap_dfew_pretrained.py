"""SVFAP's TPSBT on DFEW, pretrained track: python tools/train.py configs/svfap_dfew_pretrained.py

It starts from the faces of VoxCeleb2, with its authors' weights (MIT licence), and is fine-tuned. Download them by
the links of https://github.com/sunlicai/SVFAP, and name the file:
--cfg-options model.backbone.init_cfg.checkpoint=FILE
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.svfap import *
    from ._base_.runtime import *
    from ._base_.schedules.finetune import *

track = "pretrained"
model.backbone.init_cfg = dict(checkpoint="svfap_voxceleb2.pth", start="VoxCeleb2")
