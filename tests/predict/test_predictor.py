"""A predictor on real faces: who is in a video, where nobody is, and what stands out."""

import math
import sys

import numpy as np
import pytest
from helpers.face_clips import read
from helpers.ffmpeg import ffmpeg
from helpers.media import write_images, write_video
from helpers.stub_model import CLASSES, StubModel

from cefl_bench.errors import UserError
from cefl_bench.faces.several import Face, Sight
from cefl_bench.predict import predictor
from cefl_bench.predict.predictor import Choices, Predictor
from cefl_bench.predict.timeline import rows_of, timeline_of


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Two people beside each other for two seconds, the smaller one at the left; then a sky for one second."""
    smile, laugh, sky = read("smile", stop=50), read("laugh", stop=50), read("nobody", stop=25, width=640)
    both = np.concatenate([smile, laugh], axis=2)
    path = tmp_path_factory.mktemp("crowd") / "crowd.mp4"
    write_video(path, np.concatenate([both, np.resize(sky, (25, *both.shape[1:]))]))
    return path


@pytest.fixture(scope="module")
def prediction(crowd):
    return Predictor(StubModel())(crowd, window=1.0, stride=0.5, batch_size=3)


def test_several_people_are_named_the_largest_first(prediction):
    assert [track.name for track in prediction.tracks] == ["face 1", "face 2"]
    areas, lefts = [], []
    for track in prediction.tracks:
        areas.append(np.prod(track.boxes[:, 2:] - track.boxes[:, :2], axis=1).mean())
        lefts.append(track.boxes[:, 0].mean())
        assert track.start == 0 and track.end == pytest.approx(2.0, abs=0.05)
    assert areas[0] > areas[1] and lefts[0] > 320 > lefts[1]


def test_a_face_counts_by_seconds_and_not_by_frames(tmp_path, monkeypatch):
    """One frame with a face at the left is shown for 4 s, then 50 with one of the same size at the right for 2 s."""
    image = np.zeros((40, 40, 3), np.uint8)
    left, right = Face(0, True, (0, 0, 40, 40), image), Face(1, True, (50, 0, 90, 40), image)
    late = [Sight(4 + number / 25, 100, 100, 0.5, [right]) for number in range(50)]
    monkeypatch.setattr(predictor, "follow_faces", lambda *_: iter([Sight(0.0, 100, 100, 0.5, [left]), *late]))
    found = Predictor(StubModel()).watch([], tmp_path, Choices(window=2.0))
    assert [(track.name, track.boxes[0, 0]) for track in found.tracks] == [("face 1", 0), ("face 2", 50)]


def test_windows_have_scores_and_the_rest_of_the_video_says_why_not(prediction):
    assert [(window.start, window.face) for window in prediction.windows] == [
        (start, face) for start in (0.0, 0.5, 1.0) for face in ("face 1", "face 2")
    ]
    assert [(gap.start, gap.end, gap.reason) for gap in prediction.gaps] == [
        (1.5, 2.5, "a face in only 12 of 25 frames"),
        (2.0, 3.0, "no face found"),
    ]
    for window in prediction.windows:
        assert sum(window.scores) == pytest.approx(1) and window.score == window.scores[CLASSES.index(window.label)]
        assert window.label == CLASSES[int(np.argmax(window.logits))]
        assert np.mean([clip.activation for clip in window.clips]) == pytest.approx(1)
        assert window.clips[0].start >= window.start and window.clips[-1].end <= window.end + 1e-6
        for clip, after in zip(window.clips, window.clips[1:], strict=False):
            assert clip.end == after.start
    rows = rows_of(prediction)
    assert [row["start"] for row in rows] == sorted(row["start"] for row in rows) and len(rows) == 8


def test_a_batch_is_not_larger_than_asked_for(crowd):
    model = StubModel()
    Predictor(model)(crowd, window=1.0, stride=0.5, batch_size=4)
    assert model.batches == [4, 2]


def test_the_clips_that_stand_out_are_the_most_active_ones(tmp_path):
    """Of a face that is lit for a moment, around frame 33, and a little around frame 8: no two clips are as bright."""
    frames = read("smile", stop=24, width=320)[np.r_[0:24, 23:0:-1]] * 0.5
    number = np.arange(len(frames))
    light = 1 + 0.9 * np.exp(-(((number - 33) / 4) ** 2)) + 0.2 * np.exp(-(((number - 8) / 4) ** 2))
    frames = np.minimum(frames * light[:, None, None, None], 255)
    write_video(tmp_path / "lit.mp4", frames.astype(np.uint8))
    found = Predictor(StubModel())(tmp_path / "lit.mp4", window=1.0, stride=0.25)
    best = max(found.moments, key=lambda moment: moment.window.most_active.activation)
    assert best.seconds == pytest.approx(33 / 25, abs=0.2)
    assert best.image.mean() > 1.3 * found.moments[0].image.mean() and best.window.most_active.activation > 1.2


def test_a_model_without_clip_weights_has_no_activation(crowd):
    found = Predictor(StubModel(weighs=False))(crowd, window=1.0, stride=1.0)
    assert all(window.clips == () and window.most_active is None for window in found.windows)
    assert found.moments and rows_of(found)[0]["activation"] is None
    found.plot()


def test_images_of_a_folder_are_frames_of_a_video(tmp_path):
    write_images(tmp_path / "frames", read("smile", stop=26))
    found = Predictor(StubModel())(tmp_path / "frames")
    assert (found.num_frames, found.seconds) == (26, 26 / 25) and found.windows[0].face == "face 1"


def test_a_pause_before_the_last_frame_counts_once(tmp_path):
    path, pause = tmp_path / "pause.mp4", "setpts='if(eq(N,50),7/TB,PTS)'"
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=2.04:r=25:s=64x64", "-vf", pause, "-fps_mode", "vfr", path)
    found = Predictor(StubModel())(path, faces="none", window=2.0)
    assert found.num_frames == 51 and found.seconds == pytest.approx(7 + 1 / 25)
    assert found.windows[-1].end == found.tracks[0].end == found.seconds


def test_the_whole_frame_is_the_face_where_nobody_is_to_be_found(tmp_path):
    write_images(tmp_path / "sky", read("nobody", stop=20))
    found = Predictor(StubModel())(tmp_path / "sky", faces="none", window=math.inf)
    (window,) = found.windows
    assert window.box == (0, 0, found.width, found.height) == (0, 0, 320, 180)


def test_a_temperature_makes_scores_probabilities(tmp_path):
    write_images(tmp_path / "crops", read("smile", stop=12))
    plain, calibrated = (
        Predictor(StubModel(temperature=heat))(tmp_path / "crops", faces="none") for heat in (None, 4.0)
    )
    for before, after in zip(plain.windows, calibrated.windows, strict=True):
        assert before.logits == after.logits and before.label == after.label
        expected = np.exp(np.array(before.logits) / 4) / np.exp(np.array(before.logits) / 4).sum()
        np.testing.assert_allclose(after.scores, expected)
    told = [timeline_of(found)["values"] for found in (plain, calibrated)]
    assert told == ["score", "probability"]
    assert "not probabilities" in " ".join(plain.about.warnings) and not calibrated.about.warnings


def test_progress_is_told_and_can_stop_a_prediction(crowd):
    class Stop(Exception):
        pass

    told = []

    def progress(seconds):
        told.append(seconds)
        if seconds > 1:
            raise Stop

    with pytest.raises(Stop):
        Predictor(StubModel())(crowd, progress=progress)
    assert told == sorted(told) and 1 < told[-1] < 1.2


def test_a_table_for_pandas(prediction, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match="pandas"):
        prediction.to_frame()

    class Pandas:
        @staticmethod
        def DataFrame(cells, columns):
            return columns, cells

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    columns, cells = prediction.to_frame()
    assert columns[:5] == ["start", "end", "face", "label", "score_dark"]
    assert all(len(row) == len(columns) for row in cells) and cells[0][2] == "face 1" and cells[-1][2] is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (dict(faces="some"), "faces is 'some': expected one of auto, find, none"),
        (dict(window=0.0), "window is 0.0: expected seconds, 0.04 or more"),
        (dict(stride=math.nan), "stride is nan: expected seconds"),
        (dict(stride=math.inf), "stride is infinite: expected seconds"),
        (dict(batch_size=0), "batch size is 0: expected at least 1"),
    ],
)
def test_choices_that_make_no_sense(wrong, told):
    with pytest.raises(UserError, match=told):
        Choices(**wrong)


@pytest.mark.parametrize(("window", "told"), [(None, "window of 1 s"), (0.5, "window of 0.5 s")])
def test_windows_leave_nothing_out(window, told, tmp_path):
    """Also where the model says how long they are."""
    write_images(tmp_path / "crops", read("smile", stop=30))
    with pytest.raises(UserError, match=f"stride is 1.1, more than the {told}, and would leave parts of the video"):
        Predictor(StubModel())(tmp_path / "crops", faces="none", window=window, stride=1.1)
    found = Predictor(StubModel())(tmp_path / "crops", faces="none", window=math.inf, stride=1.1)
    assert [(window.start, window.end) for window in found.windows] == [(0, 1.2)]


@pytest.mark.parametrize(("clip", "there"), [("vanishes", (0.0, 2.4)), ("appears", (3.9, 6.4))])
def test_where_a_face_comes_and_goes(clip, there, tmp_path):
    """Every fifth frame of 26 a second, shown at 25."""
    write_images(tmp_path / clip, read(clip, step=5))
    (track,) = Predictor(StubModel())(tmp_path / clip, window=0.4).tracks
    assert (track.start, track.end) == pytest.approx([26.4 / 125 * seconds for seconds in there], abs=0.12)
