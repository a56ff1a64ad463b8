"""ResNet-18 and an LSTM, as the benchmarks read it: three layers, the outputs of all 16 frames side by side."""

from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.resnet_lstm import ResNetLSTM
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.recognizer import Recognizer

method, title = "resnet18_lstm", "ResNet-18 and LSTM"
model = dict(
    type=Recognizer,
    backbone=dict(type=ResNetLSTM, trunk="resnet18", readout="all"),
    aggregator=dict(type=MeanClips),
    head=dict(type=LinearHead),
)
