"""Emotion-FAN: ResNet-18 on every frame, then frame attention; the 16 frames of the fair track are 16 clips of one."""

from mmengine.config import read_base

with read_base():
    from .resnet18_frames import *

from cefl_bench.models.aggregators.frame_attention import FrameAttention

method, title = "emotion_fan", "Emotion-FAN"
model.update(num_clips=16, aggregator=dict(type=FrameAttention))
model.head.dropout = 0.6
