"""tools/export.py: one file with all that a prediction needs, and nothing of the machine that made it."""

import getpass
import json
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from helpers.exports import MeanColour, exported_of, random_model
from helpers.face_clips import read
from helpers.media import write_video
from helpers.run import ROOT, TINY, run_tool
from helpers.untrained import untrained

from cefl_bench.commands.export import ExportOptions, export
from cefl_bench.datasets.synthetic_faces import SyntheticFaces
from cefl_bench.errors import UserError
from cefl_bench.export.graph import graph_of
from cefl_bench.export.onnx_file import onnx_bytes
from cefl_bench.export.torch_file import torch_bytes
from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.predict.model import TrainedModel
from cefl_bench.predict.predictor import Predictor

NO_TORCH = "import runpy, sys; sys.modules['torch'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
"""Runs a tool where an import of torch is an ImportError."""
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
    """What a file must not hold: folders of the code, of packages and of the user, and how a stack trace begins."""
    folders = [ROOT, Path(torch.__file__).parents[1], Path(os.__file__).parent, Path.home(), Path.cwd()]
    words = {str(folder) for folder in folders if len(folder.parts) > 1} | {f"/{getpass.getuser()}/", "/site-packages/"}
    # a short word comes up by chance in the numbers of the weights
    return [word.encode() for word in words | {socket.gethostname(), 'File "', "Traceback"} if len(word) > 4]


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
    assert about["classes"] == list(SyntheticFaces.METAINFO["classes"])
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
    texts = {"about": ""}
    with torch.inference_mode():
        logits, probabilities, _ = torch.export.load(program, extra_files=texts).module()(torch.from_numpy(videos))
    assert tuple(json.loads(texts["about"])["classes"]) == trained.about.classes
    assert np.abs(logits.numpy() - wanted.logits).max() <= 1e-5 * np.abs(wanted.logits).max()
    torch.testing.assert_close(probabilities, (torch.from_numpy(wanted.logits) / 2).softmax(1))


def test_predict_takes_it_and_torch_is_not_there(checkpoint, exported, tmp_path):
    """A person is found in a video, and judged as by the checkpoint; all files are written."""
    write_video(tmp_path / "me.mp4", read("smile", stop=40, width=320))
    words = ["tools/predict.py", str(exported[0]), str(tmp_path / "me.mp4"), "--out", str(tmp_path), "--window", "1"]
    done = subprocess.run([sys.executable, "-c", NO_TORCH, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "trained on synthetic faces" in done.stderr and "not probabilities" not in done.stderr
    assert (tmp_path / "me" / "annotated.mp4").stat().st_size > 1000
    rows = json.loads((tmp_path / "me" / "timeline.json").read_text())["rows"]
    expected = Predictor.load(checkpoint)(tmp_path / "me.mp4", window=1.0)
    assert len(rows) == len(expected.windows) >= 2
    for row, window in zip(rows, expected.windows, strict=True):
        assert np.abs(np.subtract(row["logits"], window.logits)).max() <= 1e-5 * np.abs(window.logits).max()
        assert row["activation"] == pytest.approx(window.most_active.activation, abs=1e-4)


def test_what_cannot_be_exported_is_said_in_one_line(checkpoint, tmp_path, monkeypatch):
    folder, text = tmp_path / "there", tmp_path / "text.pth"
    folder.mkdir()
    text.write_text("weights")
    for words, told in {
        (text,): "is not a checkpoint",
        (checkpoint, "--out", folder): f"--out {str(folder)!r}: expected a name that ends in .onnx",
        (checkpoint, "--out", "/proc/x/y.onnx"): "--out '/proc/x/y.onnx' cannot be written",
        (checkpoint, "--format", "torch-export", "--out", "a.onnx"): "expected a name that ends in .pt2",
    }.items():
        done = run_tool("export.py", *words, check=False)
        assert done.returncode == 1 and told in done.stderr and done.stderr.count("\n") == 1, done.stderr
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UserError, match=r"package onnxscript, .*: pip install 'onnx>="):
        export(str(checkpoint), ExportOptions(out=str(tmp_path / "new.onnx")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.pth", "there"]


def test_sampling_that_refuses_short_videos_is_exported(tmp_path):
    """CEFLNet's own: seven clips of five frames, from a timeline of 105."""
    sampling = [f"test_dataloader.dataset.pipeline.1.{word}" for word in ("scheme=ceflnet", "timeline=fixed")]
    path = untrained(tmp_path / "last.pth", options=(*TINY, *sampling, "model.num_clips=None"))
    graph = graph_of(TrainedModel(path, device="cpu"))
    assert graph.exported.input_shape[:2] == (7, 5)
    assert graph.exported.sampling.options["timeline"] == "fixed"


@pytest.mark.parametrize("content_of", [torch_bytes, onnx_bytes])
def test_a_network_that_counts_its_videos_is_refused(content_of):
    class Counting(MeanClips):
        def forward(self, feature_BND):
            return feature_BND.mean(dim=1) + feature_BND.new_ones(1, 1).expand(len(feature_BND), 1), None

    with pytest.raises(UserError, match=r"the network cannot be exported .*(batch|2 videos)"):
        content_of(exported_of(random_model(MeanColour, Counting)))


def test_what_predict_refuses(exported, tmp_path, monkeypatch):
    (tmp_path / "damaged.onnx").write_bytes(exported[0].read_bytes()[:1000])
    other = onnx.load(exported[0])
    del other.metadata_props[:]
    onnx.save(other, tmp_path / "other.onnx")
    onnx.helper.set_model_props(other, {"sampling": '{"scheme": "all", "options": {}}'})
    onnx.save(other, tmp_path / "half.onnx")
    for name, told in {
        "damaged": "is damaged or not a network",
        "other": "was not exported by tools/export.py",
        "half": "missing required field `about`",
        "none": "does not exist: expected a .onnx file",
    }.items():
        with pytest.raises(UserError, match=told):
            Predictor.load(tmp_path / f"{name}.onnx")
    with pytest.raises(UserError, match="leave both options out"):
        Predictor.load(exported[0], device="cuda")
    with pytest.raises(UserError, match="for programs of PyTorch"):
        Predictor.load(tmp_path / "last.pt2")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"package onnxruntime, .*: pip install 'onnx>="):
        Predictor.load(exported[0])
