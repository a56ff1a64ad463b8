"""Large batches in parts: accumulated gradients are those of the whole, and each process has videos of its own."""

import pytest
import torch
from helpers.run import SYNTHETIC, TINY
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.runner import Runner

from cefl_bench.commands.setup import build_dataset
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.functional.loss_options import with_class_weights
from cefl_bench.registry import MODELS


def trained(parts):
    """The weights after a step on eight videos, given in so many parts; in float64, with frozen batch statistics."""
    config = load_config(SYNTHETIC, parse_options(TINY))
    head = with_class_weights(config.model.head, [1] * 7)
    torch.manual_seed(0)
    network = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor, "head": head})
    network.double().eval()  # no statistics of a batch, no dropout
    settings = dict(type=OptimWrapper, optimizer=dict(type=torch.optim.SGD, lr=0.1), accumulative_counts=parts)
    wrapper = build_optim_wrapper(network, settings)
    wrapper.initialize_count_status(network, 0, parts)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    video, label = torch.randn(8, 1, 3, 16, 32, 32, dtype=torch.float64), torch.arange(8) % 7
    for some_video, some_label in zip(video.chunk(parts), label.chunk(parts), strict=True):
        with wrapper.optim_context(network):
            losses = network(some_video, label=some_label, mode="loss")
        wrapper.update_params(network.parse_losses(losses)[0])
    return before, [parameter.detach() for parameter in network.parameters()]


def test_accumulated_gradients_are_those_of_the_large_batch():
    before, whole = trained(1)
    _, in_parts = trained(4)
    assert max((one - other).abs().max() for one, other in zip(before, whole, strict=True)) > 1e-3, "it learnt"
    for one, other in zip(whole, in_parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("processes", [2, 3])
def test_each_process_reads_its_part_of_the_videos_alone(processes, with_data, monkeypatch):
    config = load_config(SYNTHETIC, parse_options(TINY) | {"train_dataloader.num_workers": 0})
    config.train_dataloader.persistent_workers = False
    config.train_dataloader.batch_size = 5
    read, together = [], []
    for rank in range(processes):
        monkeypatch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, processes))
        dataset = build_dataset(config, "train_dataloader")
        loader = Runner.build_dataloader(config.train_dataloader | {"dataset": dataset}, seed=0)
        names = []
        for batch in loader:
            names += batch["name"]
        read.append(names)
        together += names
    assert len({len(names) for names in read}) == 1, "all have as many steps"
    assert set(together) == {entry["name"] for entry in dataset.entries()}
    assert len(together) - len(set(together)) < processes, "only the last round is filled up"
