"""Several views of a video: each is scored alone, their softmax averaged, and both are told."""

import json

import numpy as np
import torch
from helpers.run import SYNTHETIC, TINY

from cefl_bench.commands.facts import config_cost
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import train
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.functional.recall import recall_scores
from cefl_bench.functional.views import view_scores
from cefl_bench.registry import MODELS
from cefl_bench.runs.predictions import read_predictions


def network(**changes):
    config = load_config(SYNTHETIC, parse_options(TINY))
    torch.manual_seed(0)
    return MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor, "num_clips": None} | changes)


def sample(label):
    count = len(label)
    return {"label": label, "unreadable": [""] * count, "name": [str(n) for n in range(count)]}


@torch.no_grad()
def test_scores_are_the_mean_of_the_softmax_of_views_that_know_nothing_of_each_other():
    model = network(views=True).eval()
    video = torch.randn(3, 2, 3, 4, 32, 32)
    alone = torch.stack([network().eval()(video[:, [view]]).softmax(dim=1) for view in (0, 1)], dim=1)
    torch.testing.assert_close(model(video).exp(), alone.mean(dim=1))
    label = torch.tensor([0, 1, 2])
    for number, prediction in enumerate(model(video, mode="predict", **sample(label))):
        torch.testing.assert_close(prediction["scores"].exp(), alone[number].mean(dim=0))
        torch.testing.assert_close(prediction["view_scores"].exp(), alone[number])
        assert "clip_weights" not in prediction
    merged = network().eval()(video).softmax(dim=1)
    assert (merged - alone.mean(dim=1)).abs().max() > 1e-4, "joined clips are something else"


def test_in_training_every_view_has_a_loss():
    video, label = torch.randn(4, 2, 3, 4, 32, 32), torch.tensor([0, 1, 2, 3])
    both = network(views=True).eval()(video, mode="loss", label=label)["loss_class"]
    each = [network().eval()(video[:, [view]], mode="loss", label=label)["loss_class"] for view in (0, 1)]
    config = load_config(SYNTHETIC, parse_options(TINY))
    assert not config.model.head.get("class_weights"), "else the mean would be a weighted one"
    torch.testing.assert_close(both, sum(each) / 2)


def test_an_unreadable_video_and_a_class_not_allowed_count_for_every_view():
    model = network(views=True).eval()
    batch = sample(torch.tensor([0, 1])) | {"unreadable": ["broken", ""]}
    batch["allowed_classes"] = torch.tensor([[True] * 7, [False] + [True] * 6])
    with torch.no_grad():
        broken, other = model(torch.randn(2, 2, 3, 4, 32, 32), mode="predict", **batch)
    assert broken["scores"].isnan().all() and broken["view_scores"].isnan().all()
    assert other["scores"][0] == -torch.inf and (other["view_scores"][:, 0] == -torch.inf).all()


def test_views_are_counted_that_differ_and_scored_alone():
    right, wrong = [5.0, 0.0, 0.0], [0.0, 5.0, 0.0]
    predictions = [
        {"label": 0, "view_scores": np.array([right, wrong]), "frame_indices": np.array([[0, 1], [2, 3]])},
        {"label": 2, "view_scores": np.array([[0, 0, 1.0]] * 2), "frame_indices": np.array([[0, 1], [0, 1]])},
    ]
    found = view_scores(predictions, 3)
    assert found["alone"] == [{"uar": 1.0, "war": 1.0}, {"uar": 0.5, "war": 0.5}]
    assert (found["distinct"], found["most_distinct"]) == (1.5, 2)


def test_a_run_reports_views_alone_and_merged_and_their_cost(with_data, tmp_path):
    views = []
    for loader in ("train", "val", "test"):
        for option in ("scheme=dense", "num_frames_per_clip=4", "stride=1", "num_views=3"):
            views.append(f"{loader}_dataloader.dataset.pipeline.1.{option}")
    changes = (*TINY, *views, "model.views=True", "model.num_clips=None", "train_cfg.max_epochs=1")
    cost = config_cost(load_config(SYNTHETIC, parse_options(changes)))
    assert cost["views"] == 3 and cost["macs"] == 3 * cost["macs_per_view"] and cost["num_frames"] == 12
    folder = train(RunOptions(SYNTHETIC, work_dir=str(tmp_path / "run"), cfg_options=changes))
    result = json.loads((folder / "result.json").read_text())
    last, told = result["metrics"]["last"], read_predictions(folder / "predictions.csv")
    assert last["war"] == recall_scores(told.label, told.pred, told.num_classes)["war"], "merged ones are the result"
    assert len(last["views"]["alone"]) == 3 and 1 <= last["views"]["distinct"] <= last["views"]["most_distinct"] <= 3
