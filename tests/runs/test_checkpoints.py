"""Checkpoints load without running code, and say what is wrong with those that do not."""

import os
import pickle

import pytest
import torch
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
