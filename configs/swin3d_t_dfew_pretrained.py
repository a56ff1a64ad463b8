"""Video Swin-T on DFEW, pretrained track: python tools/train.py configs/swin3d_t_dfew_pretrained.py

Video Swin-T starts from Kinetics-400, with torchvision's weights, which saw frames with the mean and deviation that the
fair track has too.
"""

from mmengine.config import read_base

with read_base():
    from .swin3d_t_dfew import *

track = "pretrained"
model.backbone.init_cfg = dict(torchvision="swin3d_t")
