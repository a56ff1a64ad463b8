"""A prediction is what a test would say: the same frames, the same pixels, the same scores."""

import math

import numpy as np
from helpers.face_clips import read
from helpers.media import write_csv, write_video
from helpers.untrained import untrained

from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.test import test as score
from cefl_bench.faces.crop import CropRule, crop_video
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.predict.predictor import Predictor
from cefl_bench.runs.predictions import read_predictions
from cefl_bench.sources import CROP_RECORD

WHOLE = dict(window=math.inf, batch_size=3)
CORPUS = """
from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.metrics.recall import Recall

corpus = dict(
    type=CSVVideos, name="own", classes=("glad", "sad"), num_folds=1, lists="videos.csv",
    data_root={root!r}, frames="faces",
)
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
"""


def assert_same(predictor, videos, tested, **options):
    """Predictions of videos are those of a test, `tested`, to 1e-5 of the largest score; and they do differ."""
    expected = tested.scores
    found = []
    for video in videos:
        (window,) = predictor(video, **WHOLE, **options).windows
        found.append(window.scores)
    assert np.abs(np.array(found) - expected).max() <= 1e-5 * np.abs(expected).max()
    assert np.ptp(expected, axis=0).max() > 0.01, "all videos score the same: nothing was compared"


def test_clips_that_show_nothing_but_a_face_score_as_in_a_test(with_data, tmp_path):
    options = ("test_dataloader.num_workers=0", "test_dataloader.batch_size=5")
    checkpoint = untrained(tmp_path / "last.pth")
    score(RunOptions(cfg_options=options), str(checkpoint), str(tmp_path / "test"))
    tested = read_predictions(tmp_path / "test" / "predictions.csv")
    videos = [with_data / "synthetic_demo" / "videos" / f"{name}.mp4" for name in tested.name]
    assert_same(Predictor.load(checkpoint), videos, tested, faces="none")


def test_faces_are_cut_out_of_whole_videos_as_for_a_training(tmp_path):
    """The rule of the crops comes out of the checkpoint; the crops through the whole road, JPEG included."""
    root, rule = tmp_path / "own", CropRule(size=96, margin=0.1, detect_size=192)
    rows = []
    for place, (clip, first) in enumerate([("smile", 0), ("laugh", 0), ("laugh", 40), ("smile", 30)]):
        write_video(root / f"{place}.mp4", read(clip, stop=first + 14)[first:])
        rows.append([str(place), f"{place}.mp4", "glad" if clip == "laugh" else "sad"])
        rows[-1] += ["test" if place else "train", clip if place < 3 else ""]
    write_csv(root / "videos.csv", "name,path,label,split,group", rows)
    for name, video, *_ in rows:
        (root / "faces" / name).mkdir(parents=True)
        crop_video(root / video, root / "faces" / name, rule, FaceDetector(rule.detect_size))
        (root / "faces" / name / CROP_RECORD).write_text("{}")
    write_csv(root / "faces" / "faces.csv", "name,path", [[name, f"faces/{name}"] for name, *_ in rows])
    corpus = tmp_path / "corpus.py"
    corpus.write_text(CORPUS.format(root=str(root)))
    options = ("test_dataloader.num_workers=0",)
    protocol = {"data": {"train": {"crops": rule.as_dict()}}}
    checkpoint = untrained(tmp_path / "last.pth", dataset=str(corpus), protocol=protocol)
    score(RunOptions(cfg_options=options), str(checkpoint), str(tmp_path / "test"))
    tested = read_predictions(tmp_path / "test" / "predictions.csv")
    assert tested.group == ["laugh", "laugh", ""], "of whom nobody says it, no group is told"
    predictor = Predictor.load(checkpoint)
    assert predictor.about.crop == rule and predictor.about.classes == ("glad", "sad")
    assert_same(predictor, [root / f"{name}.mp4" for name in tested.name], tested, find_every=0.0)
    assert_same(predictor, [root / "faces" / name for name in tested.name], tested)  # crops are known for such
