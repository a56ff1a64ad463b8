"""tools/export.py: one file with all that a prediction needs, and nothing of the machine that made it."""

import getpass
import json
import os
import socket
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from helpers.exports import coloured, exported_of, random_model
from helpers.run import ROOT, TINY, run_tool
from helpers.untrained import untrained

from cefl_bench.commands.export import ExportOptions, export
from cefl_bench.errors import UserError
from cefl_bench.export.onnx_file import onnx_bytes
from cefl_bench.predict.predictor import Predictor

PROTOCOL = {"data": {"train": {"crops": {"size": 96, "margin": 0.2}}}}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Of a CEFLNet; calibrated, so that its scores are probabilities."""
    path = tmp_path_factory.mktemp("run") / "last.pth"
    return untrained(path, protocol=PROTOCOL, calibration={"temperature": 2.0})


@pytest.fixture(scope="module")
def exported(checkpoint):
    """The .onnx file of it, twice."""
    other = checkpoint.parent / "again" / "other.onnx"
    return export(str(checkpoint), ExportOptions()), export(str(checkpoint), ExportOptions(out=str(other)))


@pytest.fixture(scope="module")
def program(checkpoint):
    """The .pt2 file of it."""
    return export(str(checkpoint), ExportOptions(format="torch-export"))


def words_of_this_machine():
    """What a file must not hold: folders of the code, of packages and of the user, and the names of both."""
    folders = [ROOT, Path(torch.__file__).parents[1], Path(os.__file__).parent, Path.home(), Path.cwd()]
    words = {str(folder) for folder in folders if len(folder.parts) > 1} | {f"/{getpass.getuser()}/", "/site-packages/"}
    return {word.encode() for word in words | {socket.gethostname(), "Traceback", ".py"}}


def test_one_file_without_a_word_of_this_machine(exported, program):
    assert sorted(path.name for path in program.parent.iterdir()) == ["again", "last.onnx", "last.pt2", "last.pth"]
    contents = [exported[0].read_bytes()]
    with zipfile.ZipFile(program) as archive:
        contents += [archive.read(name) for name in archive.namelist()]
        contents.append(" ".join(archive.namelist()).encode())
    for content in contents:
        assert not [word for word in words_of_this_machine() if word in content]
    assert program.stat().st_size < 3 * exported[0].stat().st_size, "what it was made with is in it"


def test_the_same_weights_give_the_same_bytes(exported):
    assert exported[0].read_bytes() == exported[1].read_bytes()
    onnx.checker.check_model(onnx.load(exported[0]), full_check=True)


def test_a_program_without_this_toolkit_knows_what_goes_in_and_what_comes_out(exported):
    session = onnxruntime.InferenceSession(exported[0], providers=["CPUExecutionProvider"])
    (video,) = session.get_inputs()
    assert (video.name, video.type, video.shape) == ("video", "tensor(uint8)", ["batch", 1, 16, 56, 56, 3])
    outputs = {output.name: output.shape for output in session.get_outputs()}
    assert outputs == {"logits": ["batch", 7], "probabilities": ["batch", 7], "clip_weights": ["batch", 4]}
    told = {name: json.loads(text) for name, text in session.get_modelmeta().custom_metadata_map.items()}
    assert told["input_shape"] == [1, 16, 56, 56, 3] and len(told["protocol_id"]) == 12
    assert told["sampling"]["scheme"] == "segments" and told["sampling"]["options"]["num_segments"] == 16
    about = told["about"]
    assert about["classes"][0] == "angry" or len(about["classes"]) == 7
    assert (about["temperature"], about["rendered"], about["frame_size"]) == (2.0, True, 56)


def test_it_is_the_model_of_the_checkpoint(checkpoint, exported, program):
    """The same frames chosen, the same scores; of the .pt2 file too."""
    trained, again = Predictor.load(checkpoint).model, Predictor.load(exported[0]).model
    assert again.about == trained.about and again.about.crop.margin == 0.2

    class Noise:
        def __len__(self):
            return 37

        def fetch(self, indices):
            return np.random.default_rng(0).integers(0, 256, (37, 56, 56, 3), dtype=np.uint8)[indices]

    chosen, expected = again.sample(Noise()), trained.sample(Noise())
    assert np.array_equal(chosen.video, expected.video)
    assert np.array_equal(chosen.frame_indices, expected.frame_indices)
    videos = np.stack([chosen.video, chosen.video[:, ::-1] // 3, 255 - chosen.video])
    answers, wanted = again.classify(videos), trained.classify(videos)
    assert np.abs(answers.logits - wanted.logits).max() <= 1e-5 * np.abs(wanted.logits).max()
    assert np.abs(answers.clip_weights - wanted.clip_weights).max() <= 1e-5
    assert np.ptp(wanted.logits, axis=0).max() > 0.01, "all videos score the same: nothing was compared"
    logits, probabilities, _ = torch.export.load(program).module()(torch.from_numpy(videos))
    assert np.abs(logits.numpy() - wanted.logits).max() <= 1e-5 * np.abs(wanted.logits).max()
    torch.testing.assert_close(probabilities, (torch.from_numpy(wanted.logits) / 2).softmax(1))
