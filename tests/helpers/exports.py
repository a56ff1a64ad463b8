"""Networks with random weights for exports, and what runs them."""

import functools

import onnxruntime
import torch
from torch.onnx._internal.exporter._registration import ONNXRegistry

from cefl_bench.export.graph import Graph, NamedScores
from cefl_bench.faces.crop import CropRule
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.predict.about import About
from cefl_bench.predict.exported import Exported, Sampling
from cefl_bench.predict.network import FramesToScores

# the same for every export, and a quarter of the time that one takes
ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))

NUM_CLIPS, NUM_FRAMES, FRAME_SIZE, SIZE = 3, 16, 120, 112
CLASSES = ("anger", "joy", "sorrow")


class MeanColour(Backbone):
    """A network of one layer, where no test asks what is exported: the exporters take seconds for each deep one."""

    def __init__(self) -> None:
        super().__init__()
        self.feat_dim = 4
        self.project = torch.nn.Linear(3, self.feat_dim)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        return self.project(clip_BCTHW.mean(dim=(2, 3, 4)))


def random_model(backbone, aggregator, **options):
    """The tiny copies of both, with weights that pass differences on, and numbers of its own for each BatchNorm."""
    torch.manual_seed(0)
    model = Recognizer(
        backbone=dict(type=backbone, **(backbone.tiny | options)),
        aggregator=dict(type=aggregator, **aggregator.tiny),
        head=dict(type=LinearHead, num_classes=len(CLASSES)),
        data_preprocessor=dict(type=VideoPreprocessor, size=SIZE, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25)),
    )
    for weight in (*model.backbone.parameters(), *model.head.parameters()):
        if weight.ndim > 1:
            torch.nn.init.kaiming_normal_(weight)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(std=0.1)
    return model.eval()


def exported_of(model, temperature=None, num_frames=NUM_FRAMES) -> Graph:
    about = About("Test", "noise", CLASSES, False, 1.0, FRAME_SIZE, CropRule(), temperature)
    shape = (NUM_CLIPS, num_frames, FRAME_SIZE, FRAME_SIZE, 3)
    exported = Exported(about, Sampling("segments", {}), shape, None, "0")
    return Graph(NamedScores(FramesToScores(model), temperature).eval(), exported)


def run_onnx(content: bytes, video):
    """The outputs of an ONNX file for frames."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"video": video})


def coloured(batch: int, graph: Graph) -> torch.Tensor:
    """Videos of large random patches, which differ more than noise does: each video is of another brightness."""
    generator = torch.Generator().manual_seed(1)
    clips, frames, size, *_ = graph.exported.input_shape
    patches = torch.rand(batch, clips, frames, 4, 4, 3, generator=generator)
    patches = patches * torch.linspace(255, 100, batch).reshape(-1, 1, 1, 1, 1, 1)
    side = size // 4
    return patches.to(torch.uint8).repeat_interleave(side, dim=3).repeat_interleave(side, dim=4)
