"""`tools/predict.py`: any source, files that can be opened, and one line for whatever is wrong."""

import csv
import json
import math
import os
import shutil
import signal
from dataclasses import replace

import av
import numpy as np
import pytest
import torch
from helpers.children import wait_until
from helpers.face_clips import read
from helpers.ffmpeg import ffmpeg
from helpers.media import write_images, write_video
from helpers.run import run_tool
from helpers.stub_model import StubModel
from helpers.untrained import untrained

from cefl_bench.commands.predict import PredictOptions, find_sources, predict
from cefl_bench.errors import UserError
from cefl_bench.predict.predictor import Predictor
from cefl_bench.predict.saving import CSV, FIGURE, JSON, VIDEO

FILES = {CSV, JSON, FIGURE, VIDEO}
WARNING = "trained on synthetic faces: do not rely on it for real people"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("model") / "last.pth")


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A smile of a second and a half, with sound, in a file whose name needs care."""
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "silent.mp4", read("smile", stop=38))
    path = folder / "=me & Ü.mp4"
    ffmpeg("-i", folder / "silent.mp4", "-f", "lavfi", "-i", "sine=d=1.5", "-c:v", "copy", "-c:a", "aac", path)
    return path


@pytest.fixture
def stub(monkeypatch):
    """A predictor in a moment, whatever the checkpoint."""
    predictor = Predictor(StubModel(rendered=True))
    monkeypatch.setattr(Predictor, "load", classmethod(lambda *_: predictor))
    return predictor


def run(*sources, out, **more):
    return predict("last.pth", PredictOptions([str(source) for source in sources], str(out), **more))


def test_a_video_becomes_a_folder_of_files_that_all_warn(checkpoint, video, tmp_path):
    done = run_tool("predict.py", checkpoint, video, "--out", tmp_path / "out", "--window", "1", cwd=tmp_path)
    folder = tmp_path / "out" / "=me & Ü"
    assert {file.name for file in folder.iterdir()} == FILES
    assert done.stdout.startswith("=me & Ü.mp4: 1.5 s, face 1 ") and str(folder) in done.stdout
    assert WARNING in done.stderr
    with open(folder / CSV, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = json.loads((folder / JSON).read_text())
    assert [(float(row["start"]), float(row["end"])) for row in rows] == [(0, 1), (0.5, 1.52)]
    for row, kept in zip(rows, told["rows"], strict=True):
        scores = {name: float(row[f"score_{name}"]) for name in told["classes"]}
        assert scores == kept["scores"] and sum(scores.values()) == pytest.approx(1, abs=1e-5)
        assert row["warning"] == WARNING and row["label"] == max(scores, key=scores.get)
        assert 0 <= float(row["x"]) <= 320 and float(row["activation"]) >= 1
    assert WARNING in told["warnings"] and told["values"] == "score" and told["video"] == "=me & Ü.mp4"
    assert str(tmp_path) not in (folder / JSON).read_text(), "no path of this machine"
    with av.open(str(folder / VIDEO)) as container:
        (picture,), (sound,) = container.streams.video, container.streams.audio
        assert picture.frames == 38 and picture.width == 480 and picture.height > 270
        assert sound.codec_context.name == "aac" and float(container.duration) / av.time_base > 1.4


def test_what_can_be_a_source(tmp_path, monkeypatch):
    clip = read("smile", stop=1)
    for name in ("a/one.mp4", "a/two.MOV", "b/one.mp4"):
        write_video((tmp_path / name).with_suffix(".mp4"), clip)
        (tmp_path / name).with_suffix(".mp4").rename(tmp_path / name)
    (tmp_path / "a" / "notes.txt").write_text("no video")
    (tmp_path / "a" / ".hidden.mp4").touch()
    write_images(tmp_path / "frames", clip)
    monkeypatch.chdir(tmp_path)
    found = find_sources(["a", "b/one.mp4", "frames", "*/*.mp4", "webcam:2"])
    assert [(source.name, str(source.path)) for source in found] == [
        ("one", "a/one.mp4"),
        ("two", "a/two.MOV"),
        ("one_2", "b/one.mp4"),
        ("frames", "frames"),
        ("one_3", "a/one.mp4"),
        ("one_4", "b/one.mp4"),
        ("webcam", "webcam"),
    ]
    assert [source.camera for source in found] == [None] * 6 + [2]


@pytest.mark.parametrize("name", ["..mkv", "...mkv"])
def test_a_name_of_dots_leads_nowhere_else(name, tmp_path, monkeypatch):
    (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert [source.name for source in find_sources([name, f"./{name}"])] == [name, f"{name}_2"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("nowhere.mp4", "source nowhere.mp4 does not exist"),
        ("*.mkv", "no file fits the pattern '*.mkv'"),
        ("empty", "folder empty holds neither videos nor images"),
        ("webcam:x", "source 'webcam:x': expected webcam"),
    ],
)
def test_a_source_that_is_none(word, told, tmp_path, monkeypatch, stub):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        run(word, out="out")
    assert told in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["clip", "clip/clip.mp4"])
def test_results_do_not_lie_in_their_own_source(source, tmp_path, monkeypatch):
    """Not even through a link; neither is another source begun."""
    clip = read("smile", stop=1)
    write_images(tmp_path / "clip", clip)
    write_video(tmp_path / "clip" / "clip.mp4", clip)
    if source == "clip":
        (tmp_path / "clip" / "clip.mp4").unlink()
    (tmp_path / "link").symlink_to(tmp_path)
    before = sorted((tmp_path / "clip").iterdir())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        run("webcam:1", source, out="link")
    assert str(error.value) == (
        f"--out 'link': the results of {source} would lie with it in {tmp_path / 'clip'}: name another"
    )
    assert sorted((tmp_path / "clip").iterdir()) == before and not (tmp_path / "webcam").exists()


def test_an_annotated_video_of_before_does_not_stay(tmp_path, stub, video):
    (folder,) = run(video, out=tmp_path)
    assert (folder / VIDEO).exists()
    run(video, out=tmp_path, annotate=False)
    assert {file.name for file in folder.iterdir()} == FILES - {VIDEO}


def test_a_video_is_not_replaced_by_its_own_annotated_one(tmp_path, stub, video):
    shutil.copy(video, tmp_path / VIDEO)
    for annotate in (True, False):
        with pytest.raises(UserError, match=r"annotated\.mp4 would be replaced by its own annotated video"):
            stub(tmp_path / VIDEO).save(tmp_path, annotate)
    assert (tmp_path / VIDEO).read_bytes() == video.read_bytes()


def test_a_broken_video_does_not_stop_the_others(tmp_path, stub, video, capsys):
    (tmp_path / "broken.mp4").write_bytes(video.read_bytes()[:3000])
    with pytest.raises(UserError, match="1 of 2 sources could not be predicted, all others are done"):
        run(tmp_path / "broken.mp4", video, out=tmp_path / "out", annotate=False)
    assert [folder.name for folder in (tmp_path / "out").iterdir()] == [video.stem]
    out, err = capsys.readouterr()
    assert "broken.mp4 cannot be decoded" in err and str(video.name) in out


def test_a_camera_is_watched_and_nothing_of_its_picture_is_kept(tmp_path, stub, video, monkeypatch, capsys):
    opened = []
    real = av.open

    def fake(name, format=None, **more):
        opened.append((name, format))
        return real(str(video))

    monkeypatch.setattr("cefl_bench.media.camera.av.open", fake)
    (folder,) = run("webcam:1", out=tmp_path, seconds=1.0)
    assert opened == [("/dev/video1", "v4l2")]
    assert {file.name for file in folder.iterdir()} == FILES - {VIDEO}
    told = json.loads((folder / JSON).read_text())
    assert (told["num_frames"], told["seconds"]) == (25, 1.0) and told["faces"][0]["name"] == "face 1"


def test_a_camera_that_is_not_there(tmp_path, stub):
    with pytest.raises(UserError, match=r"camera /dev/video77 gives no picture \(.*\): connect one"):
        run("webcam:77", out=tmp_path)


@pytest.mark.parametrize("at", ["looking", "drawing"])
def test_ctrl_c_leaves_nothing_half_written(at, checkpoint, video, tmp_path, start_tool):
    """A long video: the same smile again and again."""
    long = tmp_path / "long.mp4"
    ffmpeg("-stream_loop", "3" if at == "drawing" else "60", "-i", video, "-c", "copy", long)
    out = tmp_path / "out"
    child = start_tool("predict.py", checkpoint, long, "--out", out)
    if at == "drawing":
        wait_until(lambda: list(out.glob("*/.annotated*")))
    else:
        wait_until(lambda: WARNING in child.printed().stderr)
    os.kill(child.pid, signal.SIGINT)
    assert child.wait() == 130
    left = [file.name for file in out.rglob("*") if file.is_file()]
    assert set(left) <= FILES - {VIDEO}


@pytest.mark.parametrize("broken", ["logits", "clip_weights"])
def test_scores_that_are_no_numbers_are_refused(broken, stub, video, tmp_path, monkeypatch):
    classify = stub.model.classify

    def diverged(frames):
        answers = classify(frames)
        return answers._replace(**{broken: np.full_like(getattr(answers, broken), np.nan)})

    monkeypatch.setattr(stub.model, "classify", diverged)
    with pytest.raises(UserError, match="the scores of Stub are not finite: its training diverged, or"):
        run(video, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_of_what_json_cannot_hold(stub, video, tmp_path):
    found = stub(video)
    with pytest.raises(ValueError, match="JSON"):
        replace(found, seconds=math.nan).save(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_checkpoint_must_be(tmp_path, video):
    weights = untrained(tmp_path / "weights.pth")
    torch.save(torch.load(weights, weights_only=True)["state_dict"], weights)
    for checkpoint, told in ((weights, "does not say what it was trained with"), (video, "is not a checkpoint")):
        done = run_tool("predict.py", checkpoint, video, "--out", tmp_path / "out", check=False)
        assert done.returncode == 1 and told in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
