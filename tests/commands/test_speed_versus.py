"""tools/speed.py --versus-usual: needs no data, and both ways train the same model on the same clips."""

import json
import time

import numpy as np
import pytest
import torch
from helpers.run import SYNTHETIC, TINY
from torch import nn

from cefl_bench.commands.speed_versus import VersusOptions, make_corpus, versus_table, versus_usual
from cefl_bench.commands.usual import UsualTraining, UsualVideos, usual_network
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.functional.loss_options import with_class_weights
from cefl_bench.media.images import frame_files, read_image
from cefl_bench.records import Entry
from cefl_bench.registry import MODELS

SLOWER = 1.0
"""Seconds that are added to an epoch of the usual way."""


@pytest.fixture
def config():
    return load_config(SYNTHETIC, parse_options(TINY) | {"train_dataloader.num_workers": 0})


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    root = tmp_path_factory.mktemp("frames")
    make_corpus(root, ["happy", "sad"], clips=1)
    return Entry(name="one", label=1, path=str(root / "frames" / "video_00000"), num_frames=-1)


def test_without_any_data_both_ways_are_timed(config, tmp_path, monkeypatch):
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr("cefl_bench.commands.speed_versus.FRAMES", 16)
    usual_epoch = UsualTraining.epoch

    def slow(self):
        time.sleep(SLOWER)
        return usual_epoch(self)

    monkeypatch.setattr(UsualTraining, "epoch", slow)
    config.train_dataloader.batch_size = 2
    (result,) = versus_usual([config], VersusOptions(clips=5, rounds=1), str(tmp_path / "versus.json"))
    assert (result["clips"], result["batch"], result["workers"]) == (4, 2, 0)
    assert result["usual_clips_per_s"] < 4 / SLOWER
    assert result["ratio"] == pytest.approx(result["clips_per_s"] / result["usual_clips_per_s"])
    assert json.loads((tmp_path / "versus.json").read_text()) == [result]
    table = versus_table([result])
    assert f"{result['ratio']:.2f}" in table and "4 made-up videos of 16 JPEG frames" in table


def test_the_usual_network_is_the_same_model(config):
    head = with_class_weights(config.model.head, [1] * 7)
    ours = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor, "head": head}).eval()
    usual = usual_network(config)
    usual.load_state_dict(ours.state_dict())
    assert usual.backbone.frame_batches == "per_position" and ours.backbone.frame_batches == "joint"
    assert all(one.weight.is_contiguous() for one in usual.modules() if isinstance(one, nn.Conv2d))
    video = torch.randn(2, 1, 3, 16, 32, 32)
    torch.testing.assert_close(usual.eval()(video), ours(video), atol=1e-5, rtol=1e-4)


def test_usual_frames_are_the_frames_of_the_test_in_its_own_way(config, frames):
    sample = config.test_dataloader.dataset.pipeline[1]
    plain = config.data_preprocessor | {"size": 224, "augment": None}
    videos = UsualVideos([frames], sample, plain)
    video, label = videos[0]
    assert video.shape == (1, 3, 16, 224, 224) and label == 1
    shown = (video.movedim(1, -1) * torch.tensor(plain["std"]) + torch.tensor(plain["mean"])) * 255
    images = np.stack([read_image(file) for file in frame_files(videos.files[0][0].parent)])
    for frame in shown[0].numpy():
        # of a pair, and random which: one of the frames of its segment; decoders may differ by a grey level or two
        assert min(abs(images - frame).max(axis=(1, 2, 3))) < 4
    augmented, _ = UsualVideos([frames], sample, config.data_preprocessor)[0]
    assert augmented.shape == (1, 3, 16, 32, 32) and augmented.std() > 0.3
