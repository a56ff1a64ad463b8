"""M3DFEL: R3D-18 and DLIAM; sees the 16 frames of the fair track as 4 clips of 4."""

from cefl_bench.models.aggregators.dliam import DLIAM
from cefl_bench.models.backbones.r3d18 import R3D18
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "m3dfel", "M3DFEL"
model = dict(
    type=Recognizer,
    num_clips=4,
    backbone=dict(type=R3D18),
    aggregator=dict(type=DLIAM, num_clips=4),
    head=dict(type=LinearHead),
)
