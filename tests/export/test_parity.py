"""Exported networks score as PyTorch does: some pairs here, every backbone with every aggregator by `-m long`."""

import itertools

import numpy as np
import pytest
import torch
from helpers.exports import coloured, exported_of, random_model, run_onnx

from cefl_bench.export.onnx_file import onnx_bytes
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.backbones.c3d import C3D
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder
from cefl_bench.models.backbones.former_dfer import FormerDFER
from cefl_bench.models.backbones.lgi_former import LGIFormer
from cefl_bench.models.backbones.resnet_lstm import ResNetLSTM
from cefl_bench.registry import MODELS, registered

BACKBONES, AGGREGATORS = (list(registered(MODELS, kind).values()) for kind in (Backbone, Aggregator))
PAIRS = [(backbone, MeanClips) for backbone in (ClipFeatureEncoder, FormerDFER, LGIFormer, ResNetLSTM)]
PAIRS += [(C3D, aggregator) for aggregator in AGGREGATORS if aggregator is not MeanClips]
"""Those that do more than convolve; an export takes five to twenty seconds, and `-m long` makes all."""
OTHERS = [pair for pair in itertools.product(BACKBONES, AGGREGATORS) if pair not in PAIRS]
BATCHES = (1, 3)
"""Other numbers of videos than a graph is made with."""


def check_parity(backbone, aggregator):
    graph = exported_of(random_model(backbone, aggregator))
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
    check_parity(backbone, aggregator)


@pytest.mark.long
@pytest.mark.parametrize(("backbone", "aggregator"), named(OTHERS))
def test_scores_of_every_other_pair_are_those_of_pytorch(backbone, aggregator):
    check_parity(backbone, aggregator)
