"""Checkpoints load without running code, and say what is wrong with those that do not."""

import argparse
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from helpers.fuzz import in_a_process_of_its_own, load, load_mutated
from mmengine.runner.checkpoint import CheckpointLoader

from cefl_bench.errors import UserError
from cefl_bench.runs import checkpoints


class Malicious:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.fixture(params=["zip", "legacy", "bare pickle"])
def malicious(request, tmp_path):
    path, payload = tmp_path / "evil.pth", {"state_dict": Malicious(tmp_path / "pwned")}
    if request.param == "bare pickle":
        path.write_bytes(pickle.dumps(payload))
    else:
        torch.save(payload, path, _use_new_zipfile_serialization=request.param == "zip")
    return path


def test_the_pickle_is_malicious(malicious):
    torch.load(malicious, weights_only=False) if malicious.read_bytes()[:2] == b"PK" else None
    assert (malicious.parent / "pwned").exists() == (malicious.read_bytes()[:2] == b"PK")


def test_a_malicious_pickle_is_refused(malicious):
    with pytest.raises(UserError, match=r"evil\.pth.*(refused|damaged)"):
        checkpoints.load(malicious)
    assert not (malicious.parent / "pwned").exists()


def test_what_is_refused_is_named_without_the_advice_of_torch(malicious):
    with pytest.raises(UserError) as refused:
        checkpoints.load(malicious)
    told = str(refused.value)
    assert "weights_only" not in told and told.isprintable() and "save its state_dict alone" in told
    # of a pickle of a newer form torch does not tell the name
    assert "such as posix.system, which could run code" in told or malicious.read_bytes()[:2] == b"\x80\x04"


@pytest.mark.parametrize(
    "content",
    [
        b"from cefl_bench.config import Corpus\n",
        b"name,label\n1,0\n",
        b'{"a": 1}',
        b"\x08\x08\x12\x07pytorch",
        b"\x1b[31m",
    ],
    ids=["config", "table", "json", "onnx", "escapes"],
)
def test_another_kind_of_file_is_no_checkpoint(tmp_path, content):
    (tmp_path / "a.py").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.py' is not a checkpoint: expected a \.pth file, .* or demo") as refused:
        checkpoints.load(tmp_path / "a.py")
    assert str(refused.value).isprintable()


def test_a_malicious_pickle_is_refused_by_mmengine_too(malicious):
    with pytest.raises(UserError):
        CheckpointLoader.load_checkpoint(str(malicious), map_location="cpu")
    assert not (malicious.parent / "pwned").exists()


@pytest.mark.parametrize("prefix", ["http://", "https://", "torchvision://", "open-mmlab://", "s3://"])
def test_mmengine_downloads_nothing(prefix):
    with pytest.raises(UserError, match="only local files"):
        CheckpointLoader.load_checkpoint(f"{prefix}anything")


def test_what_is_saved_comes_back(tmp_path):
    saved = {"meta": {"epoch": 3, "config": {"a": [1, "b", None]}}, "state_dict": {"w": torch.arange(3.0)}}
    checkpoints.save(tmp_path / "last.pth", saved)
    loaded = checkpoints.load(tmp_path / "last.pth")
    assert loaded["meta"] == saved["meta"] and torch.equal(loaded["state_dict"]["w"], saved["state_dict"]["w"])
    assert [file.name for file in tmp_path.iterdir()] == ["last.pth"]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    checkpoints.save(tmp_path / "last.pth", {"epoch": 1})
    with pytest.raises((AttributeError, pickle.PicklingError)):
        checkpoints.save(tmp_path / "last.pth", {"epoch": lambda: None})
    assert checkpoints.load(tmp_path / "last.pth") == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.pth"]


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None], ids=["empty", "text", "truncated"])
def test_a_damaged_checkpoint_names_itself(tmp_path, content):
    path = tmp_path / "last.pth"
    checkpoints.save(path, {"w": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:1500] if content is None else content)
    with pytest.raises(UserError, match=r"last\.pth"):
        checkpoints.load(path)


def test_weights_of_another_model_name_the_keys(tmp_path):
    checkpoints.save(tmp_path / "last.pth", {"state_dict": torch.nn.Linear(2, 3).state_dict()})
    with pytest.raises(UserError, match=r"does not fit the model.*size mismatch"):
        checkpoints.load_into(torch.nn.Linear(2, 4), tmp_path / "last.pth")


def test_weights_of_wrapped_models_fit(tmp_path):
    weights = {f"module.{name}": tensor for name, tensor in torch.nn.Linear(2, 3).state_dict().items()}
    checkpoints.save(tmp_path / "last.pth", {"state_dict": weights})
    model = torch.nn.Linear(2, 3)
    checkpoints.load_into(model, tmp_path / "last.pth")
    assert torch.equal(model.weight, weights["module.weight"])


def test_what_training_scripts_save_beside_weights_comes_as_plain_numbers_or_nothing(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    options = argparse.Namespace(lr=1e-3, root="somewhere")
    beside = {"best": np.float64(0.5), "curve": array, "flags": np.array([True, False]), "args": options}
    torch.save(
        {"model": {"module.weight": torch.ones(2, 3), "module.bias": torch.zeros(2)}} | beside, tmp_path / "a.pth"
    )
    loaded = checkpoints.load(tmp_path / "a.pth")
    assert loaded["best"] == 0.5 and loaded["curve"].values.tolist() == [0, 1, 2, 3, 4, 5]
    assert loaded["flags"].values.tolist() == [True, False] and not vars(loaded["args"])
    model = torch.nn.Linear(3, 2)
    checkpoints.fill(model, loaded, "a.pth")
    assert torch.equal(model.weight, torch.ones(2, 3))


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(2, dtype=complex),
        np.array([object()]),
        np.zeros(2, dtype="i4,f8"),
        np.array(["text"]),
        np.datetime64(1, "s"),
    ],
    ids=["complex", "object", "structured", "text", "date"],
)
def test_arrays_of_more_than_plain_numbers_are_refused(value, tmp_path):
    torch.save({"w": torch.ones(1), "beside": value}, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"a\.pth.*(refused|damaged)"):
        checkpoints.load(tmp_path / "a.pth")


def test_a_file_cannot_make_an_array_over_memory_that_is_not_its_own(tmp_path):
    """numpy.ndarray(shape, 'O', buffer) would read eight bytes of the file as an address."""

    def named(module, name):
        return b"c" + module.encode() + b"\n" + name.encode() + b"\n"

    def text(words):
        return b"X" + struct.pack("<I", len(words)) + words.encode()

    address = b"c_codecs\nencode\n" + text("AAAAAAAA") + text("latin1") + b"\x86R"
    array = named("numpy", "ndarray") + b"((J" + struct.pack("<i", 1) + b"t" + text("O") + address + b"tR"
    content = b"\x80\x02}" + text("state_dict") + named("numpy", "ndarray") + array + b"\x85Rs."
    with zipfile.ZipFile(tmp_path / "evil.pth", "w") as archive:
        for name, data in (
            ("archive/data.pkl", content),
            ("archive/version", b"3\n"),
            ("archive/byteorder", b"little"),
        ):
            archive.writestr(name, data)
    assert in_a_process_of_its_own(load, tmp_path / "evil.pth") == "refused"


def test_two_thousand_damaged_checkpoints_end_in_one_line_each(tmp_path):
    linear = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(linear.parameters())
    linear(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    meta = {"epoch": 1, "iter": 3, "seed": 0, "config": {"train_dataloader": {"dataset": {"fold": 1}}}}
    beside = {"optimizer": optimizer.state_dict(), "curve": np.arange(5.0), "best": np.float32(1)}
    torch.save({"meta": meta, "state_dict": linear.state_dict()} | beside, tmp_path / "a.pth")
    seen = in_a_process_of_its_own(load_mutated, tmp_path / "a.pth", 2000)
    assert seen.total() == 2000 and seen["refused"] > 1000 and seen["loaded"] > 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda meta: 5,
        lambda meta: meta | {"config": None},
        lambda meta: meta | {"epoch": "x"},
        lambda meta: {"config": {}},
    ],
    ids=["no dict", "no config", "no number", "nothing else"],
)
def test_a_checkpoint_that_says_nonsense_of_its_training_is_named(spoil):
    meta = {"epoch": 1, "iter": 3, "seed": 0, "config": {"train_dataloader": {"dataset": {"fold": 1}}}}
    assert checkpoints.meta_of({"meta": meta}, "a.pth")["epoch"] == 1
    with pytest.raises(UserError, match=r"a\.pth.*says of its training"):
        checkpoints.meta_of({"meta": spoil(meta)}, "a.pth")
