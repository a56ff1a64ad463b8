"""What depends on the machine or fails at work: said in one line that names the network, or how a step is made up."""

import pytest
import torch
from helpers.run import SYNTHETIC, TINY
from mmengine.config import Config
from torch import nn

from cefl_bench.commands.machine import batch_in_words, told_of_network
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import train
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder
from cefl_bench.models.heads.mlp_head import MLPHead


class Network(nn.Module):
    """A head that needs more than one video in training, as one with batch normalisation does."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return self.head(video)


CONFIG = Config(dict(model=dict(head=dict(type=MLPHead, hidden_dim=4))))


def test_a_batch_of_one_names_the_part_and_what_to_change():
    network = Network().train()
    with pytest.raises(UserError) as told, told_of_network(CONFIG, network, "in training"):
        network(torch.zeros(1, 3))
    message = str(told.value)
    assert message.startswith("MLPHead(hidden_dim=4) fails in training, in head.1 (ValueError: Expected more than 1")
    assert message.endswith("train_dataloader.drop_last=True") and "\n" not in message
    with told_of_network(CONFIG, network.eval(), "in the test"):
        assert network(torch.zeros(1, 3)).shape == (1, 4)


def test_a_network_that_is_wrapped_for_many_processes_is_named_too():
    wrapped = nn.DataParallel(Network())
    with (
        pytest.raises(UserError, match=r"MLPHead\(hidden_dim=4\) fails in the test, in head.0 .RuntimeError: mat1 and"),
        told_of_network(CONFIG, wrapped, "in the test"),
    ):
        wrapped(torch.zeros(2, 5))


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ZeroDivisionError("of ours"), ZeroDivisionError),
        (UserError("of a video"), UserError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_does_not_come_out_of_the_network_goes_through(error, kept):
    with pytest.raises(kept) as told, told_of_network(CONFIG, Network(), "in training"):
        raise error
    assert told.value is error


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nGPU 0 has 1 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
        MemoryError(),
    ],
)
def test_missing_memory_is_told(error):
    with (
        pytest.raises(UserError, match=r"^the machine has not enough memory in training \("),
        told_of_network(CONFIG, Network(), "in training"),
    ):
        raise error


def test_a_training_whose_network_fails_in_training_alone_ends_in_one_line(with_data, tmp_path, monkeypatch):
    usual = ClipFeatureEncoder.forward

    def forward(self, clip):
        if self.training:
            raise IndexError("no such frame\nat all")
        return usual(self, clip)

    monkeypatch.setattr(ClipFeatureEncoder, "forward", forward)
    with pytest.raises(UserError, match=r"^ClipFeatureEncoder\(.* fails in training, in backbone .IndexError: no such"):
        train(RunOptions(SYNTHETIC, work_dir=str(tmp_path / "run"), cfg_options=TINY))


@pytest.mark.parametrize(
    ("steps", "processes", "words"),
    [
        (1, 1, "8 videos an optimiser step, learning rate 0.05"),
        (1, 4, "32 videos an optimiser step (8 a batch, 4 processes), learning rate 0.05"),
        (3, 1, "24 videos an optimiser step (8 a batch, 3 batches accumulated), learning rate 0.05"),
        (3, 2, "48 videos an optimiser step (8 a batch, 2 processes, 3 batches accumulated), learning rate 0.05"),
    ],
)
def test_how_many_videos_a_step_sees(steps, processes, words):
    wrapper = dict(accumulative_counts=steps, optimizer=dict(lr=0.05))
    config = Config(dict(train_dataloader=dict(batch_size=8), optim_wrapper=wrapper))
    assert batch_in_words(config, processes) == words
