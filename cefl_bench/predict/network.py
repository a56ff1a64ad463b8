"""A recognizer and its preprocessing as one module."""

from typing import Any

import torch
from torch import nn


class FramesToScores(nn.Module):
    """uint8 (B, N, T, H, W, 3), RGB -> logits (B, K), and clip weights (B, N) or None, in float32, as in a test."""

    def __init__(self, recognizer: Any) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, video_BNTHWC: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        recognizer = self.recognizer
        batch = recognizer.data_preprocessor({"video": video_BNTHWC}, training=False)
        outputs = recognizer.classify(batch["video"])
        clip_weights = outputs.clip_weights
        return outputs.scores.float(), None if clip_weights is None else clip_weights.float()
