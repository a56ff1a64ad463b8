"""Explanations of trained models: every one has one, and it points to where a model looks."""

import numpy as np
import pytest
import torch
from helpers.run import ROOT
from helpers.scenes import edit_rows
from helpers.untrained import untrained
from PIL import Image

from cefl_bench.commands.explain import explain, explain_video
from cefl_bench.commands.setup import RunOptions, build_dataset
from cefl_bench.config import load_config
from cefl_bench.errors import UserError
from cefl_bench.registry import MODELS
from cefl_bench.report.explanation import ACTIVE, draw_explanation

CONFIGS = ROOT / "configs"
METHODS = ("ceflnet", "c3d", "former_dfer", "resnet18_lstm", "resnet18_frames_eian")
"""Of every kind: with clip weights and without, one clip and several."""


def built(name, **options):
    config = load_config(CONFIGS / f"{name}_synthetic.py", options)
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor}).eval()
    return model, build_dataset(config, "test_dataloader")


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_explained(name, with_data):
    model, dataset = built(name)
    found = explain_video(model, dataset, 3)
    parts = model.num_clips or 16
    assert found.worth.shape == (parts,) and np.isfinite(found.worth).all() and found.worth.any()
    assert found.frames.shape[:2] == found.frame_indices.shape == (parts, 16 // parts)
    assert (found.clip_weights is None) == (type(model.aggregator).__name__ != "EIAN")


@pytest.mark.parametrize("name", ["ceflnet", "c3d"])
def test_what_counts_most_stands_out_in_the_figure(name, with_data, tmp_path):
    draw_explanation(explain_video(*built(name), 3), tmp_path / "seen.png")
    colours = {colour for _, colour in Image.open(tmp_path / "seen.png").convert("RGB").getcolors(1 << 24)}
    assert tuple(bytes.fromhex(ACTIVE.removeprefix("#"))) in colours, "the part that counts most has a frame"


def test_an_explanation_points_to_the_one_frame_that_a_model_looks_at(with_data, monkeypatch):
    model, dataset = built("c3d")
    monkeypatch.setattr(model.backbone, "forward", lambda clip: clip[:, :1, 5].flatten(1)[:, : model.backbone.feat_dim])
    found = explain_video(model, dataset, 3)
    assert found.part == "frame" and np.abs(found.worth).argmax() == 5
    assert np.abs(np.delete(found.worth, 5)).max() < 1e-6


def test_an_explanation_points_to_the_one_clip_that_a_model_looks_at(with_data, monkeypatch):
    model, dataset = built("ceflnet")
    monkeypatch.setattr(model.aggregator, "forward", lambda feature: (feature[:, 2], None))
    found = explain_video(model, dataset, 3)
    assert found.part == "clip" and found.clip_weights is None
    assert found.worth[2] != 0 and np.abs(np.delete(found.worth, 2)).max() < 1e-6


def test_every_video_has_a_file_of_its_own(sick, tmp_path):
    names = {"s1_happy_0": "p0/happy_0", "s1_sad_0": "p0_happy_0"}
    for lists in ("labels.csv", "intensities.csv"):
        edit_rows(sick / lists, lambda row: row.update(name=names.get(row["name"], row["name"])))
    options = RunOptions(cfg_options=(f"corpus.data_root={sick}",))
    figures = explain(options, str(untrained(tmp_path / "last.pth")), list(names.values()))
    assert [path.name for path in figures] == ["explanation_p0_happy_0.png", "explanation_p0_happy_0_2.png"]
    assert sorted((tmp_path / "explain").iterdir()) == figures
    assert figures[0].read_bytes() != figures[1].read_bytes()


def test_the_weight_of_a_single_clip_is_not_that_of_its_frames(with_data):
    found = explain_video(*built("ceflnet", **{"model.num_clips": 1}), 3)
    assert found.part == "frame" and found.worth.shape == (16,) and found.clip_weights is None


def test_the_clips_of_views_are_those_that_the_model_makes_of_each(with_data, monkeypatch):
    model, dataset = built("ceflnet", **{"model.views": True})
    whole = dataset[3]
    in_views = {name: whole[name].reshape(2, 8, *whole[name].shape[2:]) for name in ("video", "frame_indices")}
    monkeypatch.setattr(type(dataset), "__getitem__", lambda *_: whole | in_views)
    seen = []
    encode = model.backbone.encode_videos
    monkeypatch.setattr(model.backbone, "encode_videos", lambda video: seen.append(video.shape) or encode(video))
    found = explain_video(model, dataset, 3)
    (num_views, num_clips, _, num_frames), *_ = [shape[:4] for shape in seen]
    assert (num_views, num_clips, num_frames) == (2, 4, 2)
    assert found.frames.shape[:2] == found.frame_indices.shape == (8, 2) and found.worth.shape == (8,)
    assert found.clip_weights is None


def test_classes_that_may_not_be_predicted_are_never_explained(with_data):
    model, dataset = built("c3d")
    sample = dataset[3] | {"allowed_classes": np.arange(7) == 6}

    class One:
        label_classes = dataset.label_classes
        get_data_info = staticmethod(dataset.get_data_info)

        def __getitem__(self, index):
            return sample

    found = explain_video(model, One(), 3)
    assert found.probabilities.tolist() == [0, 0, 0, 0, 0, 0, 1] and not found.worth.any()


def test_a_video_that_cannot_be_read_is_refused(with_data, monkeypatch):
    model, dataset = built("c3d")
    monkeypatch.setattr(type(dataset), "__getitem__", lambda *_: {"unreadable": "s1_fear_0: cut short", "video": torch})
    with pytest.raises(UserError, match="cannot be explained: s1_fear_0: cut short"):
        explain_video(model, dataset, 3)


@pytest.mark.parametrize("num", [0, -1])
def test_a_number_of_figures_below_one_is_refused(num, tmp_path):
    with pytest.raises(UserError, match=f"--num is {num}: expected 1 or more"):
        explain(RunOptions(), "demo", num=num, out=str(tmp_path))
