"""The weights that come with the toolkit: found by their name, small, and honest about what they are."""

import json

import pytest
from safetensors import safe_open

from cefl_bench.errors import UserError
from cefl_bench.files import sha256_of
from cefl_bench.models.start import init_source
from cefl_bench.predict.predictor import Predictor
from cefl_bench.runs import checkpoints
from cefl_bench.runs.built_in import DEMO, FOLDER, check_checkpoint, checkpoint_file, folder_beside

MAX_BYTES = 1_000_000


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_name_leads_to_weights_that_say_what_they_are():
    check_checkpoint(DEMO)
    about = Predictor.load(DEMO).about
    assert (about.method, about.trained_on, about.rendered) == ("CEFLNet", "synthetic faces", True)
    assert len(about.classes) == 7 and about.temperature is None
    assert "trained on synthetic faces: do not rely on it for real people" in about.warnings


def test_its_file_is_small_and_holds_nothing_of_a_machine():
    path = checkpoint_file(DEMO)
    assert path.stat().st_size < MAX_BYTES
    with safe_open(path, framework="pt") as file:
        meta = json.loads(file.metadata()["cefl_bench"])
    card = (path.parent / "README.md").read_text(encoding="utf-8")
    assert "do not rely on it for real people" in card and "float16" in card
    for name in ("/tmp", "/home", "/work", "/root"):
        assert name not in card and name not in json.dumps(meta)


def test_a_file_of_the_same_name_goes_first(elsewhere):
    assert folder_beside(DEMO) == (elsewhere / "work_dirs" / DEMO).relative_to(elsewhere)
    (elsewhere / DEMO).mkdir()
    assert checkpoint_file(DEMO).is_relative_to(FOLDER), "a folder is no checkpoint"
    (elsewhere / DEMO).rmdir()
    checkpoints.save(DEMO, {"state_dict": {}})
    assert str(checkpoint_file(DEMO)) == DEMO and str(folder_beside(DEMO)) == "."
    assert checkpoints.load(DEMO) == {"state_dict": {}}


def test_a_training_may_start_from_it():
    source = init_source({"checkpoint": DEMO}).source
    assert source == f"demo (sha256 {sha256_of(checkpoint_file(DEMO))[:12]})"


def test_another_name_is_a_path():
    with pytest.raises(UserError, match=r"'demo2' does not exist: expected a \.pth .* or demo, which is built in"):
        check_checkpoint("demo2")


def test_a_folder_is_called_a_folder_with_the_checkpoint_in_it(elsewhere):
    (elsewhere / "held").mkdir()
    with pytest.raises(UserError, match=r"'held' is a folder: expected a \.pth file"):
        check_checkpoint("held")
    checkpoints.save("held/last.pth", {"state_dict": {}})
    with pytest.raises(UserError, match=r"'held' is a folder: name the file in it, held/last\.pth$"):
        checkpoints.load("held")
