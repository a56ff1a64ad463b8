"""Batches are the same, bit for bit, wherever their frames wait, and as long as anybody keeps them."""

import gc
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.run import SYNTHETIC, TINY, dataset
from mmengine.runner import Runner

from cefl_bench.commands import runner as runner_module
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import train
from cefl_bench.config import load_config
from cefl_bench.errors import UserError
from cefl_bench.feeding.buffers import Buffers
from cefl_bench.feeding.feed import Feed, build_feed
from cefl_bench.feeding.residence import Residence

CPU = torch.device("cpu")
PLAIN = "mmengine's"
"""The loader without a `Feed`."""


def loader(kind, workers=0, device=CPU, name="train_dataloader", batch_size=3, change=None, **options):
    """A loader of the corpus at home: mmengine's, or a `Feed` whose frames wait in one place or another."""
    config = load_config(SYNTHETIC)[name]
    config.update(num_workers=workers, persistent_workers=workers > 0, batch_size=batch_size)
    videos = dataset(loader=name, **options)
    if change is not None:
        videos.pipeline.transforms.append(change)
    videos.set_epoch(0, 2)
    config = config | {"dataset": videos}
    made = Runner.build_dataloader(config, seed=0) if kind == PLAIN else build_feed(config, 0, Residence(kind, device))
    assert isinstance(made, Feed) == (kind != PLAIN)
    return made


def assert_same(batches, others):
    assert len(batches) == len(others) > 1
    for one, other in zip(batches, others, strict=True):
        assert list(one) == list(other) or set(one) == set(other)
        for key, value in other.items():
            if torch.is_tensor(value):
                assert one[key].dtype == value.dtype and one[key].shape == value.shape, key
                assert np.array_equal(one[key].cpu().numpy(), value.numpy(), equal_nan=value.is_floating_point()), key
            else:
                assert one[key] == value, key


@pytest.mark.parametrize("name", ["train_dataloader", "test_dataloader"])
@pytest.mark.parametrize(
    ("kind", "workers", "packed"), [("mmap", 0, True), ("mmap", 2, True), ("device", 1, True), ("mmap", 1, False)]
)
def test_batches_are_those_of_a_plain_loader(home, kind, workers, packed, name):
    """All of an epoch at once, the last batch smaller than the others: none is written over while it is kept."""
    assert_same(list(loader(kind, workers, name=name, packed=packed)), list(loader(PLAIN, name=name)))


def test_an_epoch_left_early_costs_no_memory_and_no_batch(home):
    feed = loader("mmap", workers=1)
    for _ in range(8):  # more often than there are buffers
        next(iter(feed))
    assert_same(list(feed), list(loader(PLAIN)))
    assert sorted(feed._buffers._free) == list(range(len(feed._buffers._memory)))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_memory_of_batches_is_used_again(home, workers):
    feed = loader("mmap", workers, batch_size=1)
    places = set()
    for _ in range(3):
        for batch in feed:
            places.add(batch["video"].data_ptr())
    assert len(places) <= len(feed._buffers._memory) == 3 + 2 * workers < 3 * len(feed)


def test_memory_that_is_looked_at_is_not_used_again_though_its_batch_is_gone(home):
    feed = loader("mmap", workers=1, batch_size=1)
    part = next(iter(feed))["video"][0, 0, 3:]
    before = part.clone()
    for _ in range(3):
        for batch in feed:
            assert batch["video"].data_ptr() != part.data_ptr()
    assert torch.equal(part, before)


def test_where_all_memory_is_in_use_batches_are_sent(home):
    feed = loader("mmap", workers=1, batch_size=1)
    kept = list(feed)
    assert len(kept) > len(feed._buffers._memory) and not feed._buffers._free
    assert_same(kept, list(loader(PLAIN, batch_size=1)))


def negative(results):
    """A transform behind `Pack`."""
    return results | {"video": 255 - results["video"]}


def test_a_transform_behind_pack_counts(home):
    assert_same(list(loader("mmap", 1, change=negative)), list(loader(PLAIN, change=negative)))
    with pytest.raises(UserError, match="--data-on device: a transform behind Pack needs the frames on the host"):
        loader("device", change=negative)


def test_a_video_that_cannot_be_read_is_as_in_a_plain_loader(home):
    (home / "synthetic_demo" / "videos" / "s1_sad_0.mp4").unlink()
    skipping = {"packed": False, "corpus.on_error": "skip"}
    for name in ("train_dataloader", "test_dataloader"):
        found = list(loader("mmap", 1, name=name, **skipping))
        assert_same(found, list(loader(PLAIN, name=name, **skipping)))
    notes = [
        note
        for name in ("train_dataloader", "test_dataloader")
        for b in loader("mmap", name=name, **skipping)
        for note in b["unreadable"]
    ]
    assert sum("s1_sad_0" in note for note in notes) >= 1


def test_frames_that_are_not_packed_stay_on_the_host(home):
    with pytest.raises(UserError, match=r"--data-on device: the videos of .* are not packed: run tools/pack.py"):
        loader("device", packed=False)
    assert Residence("auto", CPU).frames(dataset()) is None
    with pytest.raises(UserError, match="--data-on pinned locks memory for a GPU, and there is none"):
        Residence("pinned", CPU)


def test_frames_that_do_not_fit_are_refused_or_stay_on_the_host(home, monkeypatch):
    monkeypatch.setattr("cefl_bench.feeding.residence._free_bytes", lambda device: 10**6)
    with pytest.raises(UserError, match=r"the packed frames have 0.0 GB, and cpu has 0.0 GB free, .* 60%"):
        loader("device")


def test_splits_share_one_copy_on_the_device(home):
    residence = Residence("device", CPU)
    frames = [residence.frames(dataset(loader=name)) for name in ("train_dataloader", "test_dataloader")]
    assert frames[0] is frames[1] is not None


def losses(folder):
    result = json.loads((folder / "result.json").read_text())
    return [row["loss"] for row in result["history"]], (folder / "predictions.csv").read_bytes()


def test_a_training_is_the_same_wherever_its_frames_wait(home, tmp_path, monkeypatch):
    """To the last bit of 20 steps and of all predictions, and of what a plain loader gives."""
    options = RunOptions(SYNTHETIC, work_dir=str(tmp_path / "device"), data_on="device")
    options.cfg_options = (*TINY, "train_dataloader.batch_size=2", "train_cfg.max_epochs=5", "train_cfg.val_interval=5")
    train(options)
    config = (tmp_path / "device" / "config.py").read_text()
    assert "data_on" not in config
    monkeypatch.setattr(
        runner_module, "build_feed", lambda config, seed, residence, **_: Runner.build_dataloader(config, seed=seed)
    )
    train(replace(options, work_dir=str(tmp_path / "plain"), data_on=None))
    found, expected = (losses(tmp_path / name) for name in ("device", "plain"))
    assert found == expected and len(found[0]) * len(loader("mmap", batch_size=2)) >= 20


def test_a_place_that_does_not_exist_is_one_line(home, tmp_path):
    with pytest.raises(UserError, match="data_on is 'disk': expected one of auto, device, pinned, mmap"):
        train(RunOptions(SYNTHETIC, work_dir=str(tmp_path / "run"), data_on="disk"))
    assert not (tmp_path / "run").exists()


def test_memory_is_unlocked_when_nobody_looks_at_it_any_more(monkeypatch):
    """And not before: a batch may outlive its loader. Later, CUDA would read it in the place of something else."""
    locked = []
    cudart = SimpleNamespace(
        cudaHostRegister=lambda address, num_bytes, flags: locked.append(address) or 0,
        cudaHostUnregister=lambda address: locked.remove(address),
    )
    monkeypatch.setattr(torch.cuda, "cudart", lambda: cudart)
    buffers = Buffers(2, 5000, shared=True, pinned=True)
    video = buffers.lend(buffers.take())[16:]
    assert locked == [buffers.place(0).ctypes.data]
    del buffers
    gc.collect()
    assert len(locked) == 1
    del video
    gc.collect()
    assert not locked


@pytest.mark.gpu
@pytest.mark.parametrize(("kind", "workers"), [("pinned", 0), ("pinned", 2), ("device", 2), ("mmap", 2)])
def test_batches_on_a_gpu_are_the_same(home, kind, workers):
    for name in ("train_dataloader", "test_dataloader"):
        batches = list(loader(kind, workers, torch.device("cuda"), name=name))
        assert all(batch["video"].is_cuda for batch in batches)
        assert_same(batches, list(loader(PLAIN, name=name)))
