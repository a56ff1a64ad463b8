"""VideoMAE ViT-B on DFEW, pretrained track: python tools/train.py configs/videomae_b_dfew_pretrained.py

It starts from faces, with the weights of S4D's authors (Apache-2.0), and is fine-tuned. Download them first, from
cyinen/S4D on the Hugging Face hub, or name another file: --cfg-options model.backbone.init_cfg.checkpoint=FILE
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.dfew import *
    from ._base_.loaders.fair import *
    from ._base_.models.videomae_b import *
    from ._base_.runtime import *
    from ._base_.schedules.finetune import *

track = "pretrained"
model.backbone.init_cfg = dict(checkpoint="vit_base_voxceleb2+affectnet_100.pt", start="VoxCeleb2 + AffectNet")
