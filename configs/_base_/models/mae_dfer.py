"""MAE-DFER's LGI-Former; sees the 16 frames of the fair track as one clip."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.lgi_former import LGIFormer
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "mae_dfer", "MAE-DFER's LGI-Former"
model = dict(
    type=Recognizer,
    backbone=dict(type=LGIFormer),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
