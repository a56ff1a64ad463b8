"""ResNet-LSTM and ResNet-GRU: the recurrent baseline of the field's benchmarks.

Jiang et al., DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions in the Wild, ACM MM 2020,
https://arxiv.org/abs/2008.05924; He et al., Deep Residual Learning, CVPR 2016, https://arxiv.org/abs/1512.03385;
Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 1997; Cho et al. (GRU), EMNLP 2014.

Two readings circulate under this one name, up to ten points of WAR apart. `readout='all'` is the benchmark's: three
recurrent layers of 256, the outputs of all T frames side by side. `readout='last'` is the other common one: two layers
of 256, the last frame's output.

Where we depart from the papers: there is no dropout, since none is reported.

Where we depart from the code that the benchmark released: its ResNet-18 is built from bottleneck blocks, so its LSTM
takes 2,048 values per frame where ours takes the 512 of ResNet-18 (timm calls theirs `resnet26`). Its blocks halve the
map in their first 1 x 1 convolution, ours in the 3 x 3. Its max-pooling has no padding and rounds the size up, ours
pads by one. From scratch a ResNet starts as timm's do, with the last BatchNorm of every residual block at zero; theirs
starts all at one (`trunk_args=dict(zero_init_last=False)`).

The trunk may be any network of timm, so VGG11 and LSTM, which DFEW's paper lists too, is a config of this class.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.frame_trunk import frame_trunk
from cefl_bench.registry import MODELS

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
NUM_LAYERS = {"all": 3, "last": 2}


@MODELS.register_module()
class ResNetLSTM(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, D): a ResNet on every frame, then a recurrent network over the frames.

    D is `num_frames * hidden_dim` for `readout='all'`, `hidden_dim` for `readout='last'`.

    Args:
        trunk: a timm network, `resnet18`, `resnet50` or `vgg11_bn` in the literature.
        trunk_args: further arguments of `frame_trunk`, which are those of `timm.create_model` and `pooled`.
        cell: `lstm` or `gru`.
        readout: `all` or `last`, see above.
        num_frames: T, which `readout='all'` needs to know.
    """

    tiny = dict(trunk="test_resnet", hidden_dim=8)

    def __init__(
        self,
        trunk: str = "resnet18",
        trunk_args: Mapping[str, Any] | None = None,
        cell: str = "lstm",
        readout: str = "all",
        hidden_dim: int = 256,
        num_frames: int = 16,
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        for name, value, allowed in (("cell", cell, CELLS), ("readout", readout, NUM_LAYERS)):
            if value not in allowed:
                raise UserError(f"ResNetLSTM: {name} is {value!r}: expected {' or '.join(map(repr, allowed))}")
        self.readout, self.num_frames = readout, num_frames
        self.feat_dim = hidden_dim * num_frames if readout == "all" else hidden_dim
        self.trunk, trunk_dim = frame_trunk(trunk, **(trunk_args or {}))
        self.recurrent = CELLS[cell](trunk_dim, hidden_dim, NUM_LAYERS[readout], batch_first=True)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        frame_BTCHW = clip_BCTHW.transpose(1, 2)
        frame_BTD = self.trunk(frame_BTCHW.flatten(0, 1)).unflatten(0, frame_BTCHW.shape[:2])
        state_BTD, _ = self.recurrent(frame_BTD)
        if self.readout == "last":
            return state_BTD[:, -1]
        if state_BTD.shape[1] != self.num_frames:
            raise UserError(
                f"ResNetLSTM is built for clips of {self.num_frames} frames and got {state_BTD.shape[1]}: set "
                "model.backbone.num_frames"
            )
        return state_BTD.flatten(1)
