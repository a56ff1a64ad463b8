"""Exported networks score as PyTorch does: some here, every backbone with every aggregator by `-m long`.

CEFLNet's is compared in tests/commands/test_export.py.
"""

import itertools

import numpy as np
import pytest
import torch
from helpers.exports import NUM_CLIPS, NUM_FRAMES, coloured, exported_of, random_model, run_onnx
from torch import nn

from cefl_bench.export.onnx_file import onnx_bytes
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.backbones.c3d import C3D
from cefl_bench.models.backbones.former_dfer import FormerDFER
from cefl_bench.models.backbones.lgi_former import LGIFormer
from cefl_bench.registry import MODELS, registered

BACKBONES, AGGREGATORS = (list(registered(MODELS, kind).values()) for kind in (Backbone, Aggregator))
PAIRS = [(LGIFormer, MeanClips)]
"""A backbone that shapes its tensors by the batch. An export takes five to ten seconds: `-m long` makes all of them."""
OTHERS = [pair for pair in itertools.product(BACKBONES, AGGREGATORS) if pair not in PAIRS]
BATCHES = (1, 3)
"""Other numbers of videos than a graph is made with."""
FEW_FRAMES = 4
SMALL = {
    FormerDFER: dict(num_frames=FEW_FRAMES),
    LGIFormer: dict(num_frames=FEW_FRAMES, region=(1, 7, 7), depth=1, readout="local"),
}
"""Arguments for a small graph, in which every layer of a block is read."""


class EveryAggregator(nn.Module):
    """uint8 (B, N, T, H, W, 3) -> what each aggregator makes of (B, N, 24), one value of each patch of the frames."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv3d(3, 24, (2, 60, 60), stride=(2, 60, 60))
        self.aggregators = nn.ModuleList(cls(**cls.tiny, in_dim=24) for cls in AGGREGATORS)

    def forward(self, video):
        clips = video.flatten(0, 1).movedim(-1, 1).float() / 255
        feature_BND = self.patches(clips).mean(dim=(2, 3, 4)).unflatten(0, (-1, NUM_CLIPS))
        outputs = []
        for aggregator in self.aggregators:
            outputs += [output for output in aggregator(feature_BND) if output is not None]
        return tuple(outputs)


def check_parity(graph):
    content = onnx_bytes(graph)
    for batch in BATCHES:
        video = coloured(batch, graph)
        with torch.inference_mode():
            expected = graph.module(video)
        given = run_onnx(content, video.numpy())
        assert len(given) == len(expected)
        for one, other in zip(given, expected, strict=True):
            assert np.abs(one - other.numpy()).max() <= 1e-5 * other.abs().max()
        if batch > 1:
            assert expected[0].std(dim=0).max() > 1e-3 * expected[0].abs().max(), "all videos score the same"


def named(pairs):
    return [pytest.param(*pair, id=f"{pair[0].__name__}-{pair[1].__name__}") for pair in pairs]


@pytest.mark.parametrize(("backbone", "aggregator"), named(PAIRS))
def test_scores_are_those_of_pytorch(backbone, aggregator):
    model = random_model(backbone, aggregator, **SMALL[backbone])
    check_parity(exported_of(model, num_frames=FEW_FRAMES))


def test_every_aggregator_gives_what_it_gives_in_pytorch():
    """All in one graph, since most of the time of an export goes by however small the network is."""
    graph = exported_of(random_model(C3D, MeanClips), num_frames=2)
    check_parity(graph._replace(module=EveryAggregator().eval()))


@pytest.mark.long
@pytest.mark.parametrize(("backbone", "aggregator"), named(OTHERS))
def test_scores_of_every_other_pair_are_those_of_pytorch(backbone, aggregator):
    check_parity(exported_of(random_model(backbone, aggregator), num_frames=NUM_FRAMES))
