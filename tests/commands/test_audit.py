"""`tools/audit.py`: the frames that a model gets, what it leaves, and what CEFLNet must not notice."""

import json

import numpy as np
import pytest
import torch
from helpers.audits import add_audit
from helpers.run import SYNTHETIC, TINY, run_tool
from helpers.simulated import Corpus, Method, simulate
from helpers.untrained import untrained
from mmengine.dataset import default_collate

from cefl_bench.commands.audit import Answers, AuditOptions, audit
from cefl_bench.commands.setup import RunOptions, build_dataset, of_checkpoint
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.errors import UserError
from cefl_bench.files import sha256_of
from cefl_bench.functional.recall import UNANSWERED, predicted_class
from cefl_bench.functional.time_changes import AS_SAMPLED, MAX_ROUNDING, keep_predictions, moved
from cefl_bench.registry import MODELS
from cefl_bench.runs import checkpoints
from cefl_bench.runs.audit import read_audit
from cefl_bench.runs.built_in import DEMO, checkpoint_file, folder_beside


class Watching:
    """In the place of a model: keeps the frames it gets, and scores a video by the brightness of one of them."""

    def __init__(self, num_clips, looks_at):
        self.num_clips, self.looks_at, self.seen = num_clips, looks_at, []

    def test_step(self, batch):
        place = batch["video"].flatten(1, 2).double().mean(dim=(2, 3, 4))
        self.seen.append(place.tolist())
        predictions = []
        for number, frames in enumerate(place):
            scores = torch.stack([frames[self.looks_at], torch.tensor(8.5)])
            fields = {key: batch[key][number] for key in ("name", "label", "subject")}
            predictions.append(fields | {"scores": scores})
        return predictions


def batch_of(videos=2, clips=4, frames=4):
    """Videos whose n-th frame is n bright everywhere, with their apex at the seventh."""
    shown = torch.arange(clips * frames, dtype=torch.uint8).reshape(1, clips, frames, 1, 1, 1)
    indices = torch.arange(clips * frames).reshape(1, clips, frames).expand(videos, -1, -1)
    return {
        "video": shown.expand(videos, -1, -1, 2, 2, 3),
        "name": [f"v{number}" for number in range(videos)],
        "label": torch.zeros(videos, dtype=torch.int64),
        "subject": [""] * videos,
        "frame_indices": indices,
        "frame_intensity": torch.where(indices == 7, 1.0, 0.5),
        "apex": torch.full((videos, 2), -1),
    }


def test_a_model_gets_the_frames_that_a_change_names():
    """A model of one frame: it notices that another one is there, and nothing else."""
    answers, model = Answers(shuffle_seed=0), Watching(None, looks_at=0)
    answers.ask(model, batch_of())
    scores = answers.scores()
    seen = dict(zip(scores, model.seen, strict=True))
    assert seen[AS_SAMPLED][1] == [*range(16)] and seen["reversed"][0] == [*range(15, -1, -1)]
    assert seen["first frame"] == [[0.0] * 16] * 2 and seen["apex frame"] == [[7.0] * 16] * 2
    assert seen["shuffled"][0] != seen["shuffled"][1], "each video has an order of its own"
    within = np.sort(np.reshape(seen["shuffled within clips"], (2, 4, 4)), axis=2)
    assert (within == np.arange(16).reshape(4, 4)).all(), "the sampler's clips are the model's"
    assert [scores[change][0].argmax() for change in (AS_SAMPLED, "first frame", "reversed")] == [1, 1, 0]


def test_random_orders_do_not_depend_on_the_batch():
    answers = [Answers(0), Answers(0)]
    whole, batch = Watching(4, 5), batch_of(videos=2, clips=1, frames=16)
    answers[0].ask(whole, batch)
    for part in (slice(0, 1), slice(1, 2)):
        answers[1].ask(Watching(4, 5), {key: value[part] for key, value in batch.items()})
    for change, scores in answers[0].scores().items():
        np.testing.assert_array_equal(scores, answers[1].scores()[change])


def asked(name, clips, frames, *options):
    """A model with random weights, asked about videos of noise."""
    config = load_config(SYNTHETIC.replace("ceflnet_", f"{name}_"), parse_options(options))
    batch = batch_of(videos=3, clips=clips, frames=frames)
    size = config.data_preprocessor.size
    batch["video"] = torch.randint(256, (3, clips, frames, size, size, 3), dtype=torch.uint8)
    batch["unreadable"] = ["", "", "video 2: cut short"]
    answers = Answers(0)
    answers.ask(MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor}).eval(), batch)
    return answers.scores()


@pytest.mark.parametrize(
    ("clips", "frames", "options"),
    [(1, 16, ()), (1, 16, ("model.backbone.variant=figure",)), (7, 5, ("model.num_clips=None",))],
    ids=["16", "figure", "7x5"],
)
def test_ceflnet_does_not_notice_the_order_within_a_clip_nor_that_of_the_clips(clips, frames, options):
    scores = asked("ceflnet", clips, frames, *TINY[:3], *options)
    before = scores[AS_SAMPLED]
    for change in ("shuffled within clips", "clips shuffled", "reversed"):
        assert (predicted_class(keep_predictions(scores[change], before)) == predicted_class(before)).all()
        assert moved(scores[change], before).max() < MAX_ROUNDING / 10
    assert moved(scores["shuffled"], before).max() > MAX_ROUNDING, "across clips, the order counts"
    assert predicted_class(before)[2] == UNANSWERED == predicted_class(scores["reversed"])[2]


def test_a_network_over_time_notices():
    """3D convolutions: no order leaves the scores where they are."""
    scores = asked("c3d", 1, 16, "model.backbone.width=2")
    for change in {*scores} - {AS_SAMPLED}:
        assert moved(scores[change], scores[AS_SAMPLED])[:2].min() > MAX_ROUNDING
    assert "clips shuffled" not in scores


def scored_by_hand(checkpoint):
    _, config = of_checkpoint(RunOptions(), str(checkpoint))
    test_set = build_dataset(config, "test_dataloader")
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor}).eval()
    checkpoints.load_into(model, checkpoint)
    return model.test_step(default_collate([test_set[place] for place in range(len(test_set))]))


def test_the_tool_leaves_the_scores_of_a_test_and_what_changes_cost(with_data, tmp_path):
    checkpoint = untrained(tmp_path / "last.pth", options=(*TINY, "test_dataloader.num_workers=0"))
    tested = scored_by_hand(checkpoint)
    words = ("--device", "cpu", "--batch", "3", "--shuffle-seed", "5", "--no-pack", "--out", tmp_path / "out")
    done = run_tool("audit.py", checkpoint, *words)
    found = read_audit(tmp_path / "out" / "audit.json")
    assert found["names"] == [prediction["name"] for prediction in tested]
    assert found["predictions"][AS_SAMPLED] == [int(prediction["scores"].argmax()) for prediction in tested]
    hits = [prediction["scores"].argmax() == prediction["label"] for prediction in tested]
    assert found["war"] == np.mean(hits) and found["shuffle_seed"] == 5 and {*found["subjects"]} == {"s1"}
    assert found["apex_frames"] == {"known": 12, "middle": 2} and found["checkpoint"]["epoch"] == 3
    costs = {cost["change"]: cost for cost in found["costs"]}
    assert (costs["shuffled within clips"]["war_difference"], costs["reversed"]["uar_difference"]) == (0, 0)
    assert "reversed: exactly 0, no prediction is another" in done.stdout and "apex frame: of 2 videos" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["audit.json", "audit.png"]


def test_the_built_in_weights_are_asked_too(with_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = RunOptions(None, cfg_options=("test_dataloader.num_workers=0",), no_pack=True)
    folder = audit(options, DEMO, AuditOptions(device="cpu"))
    found = read_audit(folder / "audit.json")
    assert folder == folder_beside(DEMO) and found["checkpoint"]["sha256"] == sha256_of(checkpoint_file(DEMO))


@pytest.mark.parametrize(("name", "value"), [("shuffle_seed", -1), ("batch", 0)])
def test_a_number_out_of_range_is_refused(name, value):
    with pytest.raises(UserError, match=rf"--{name.replace('_', '-')} is {value}: expected"):
        AuditOptions(**{name: value})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda audit: audit["predictions"].pop("reversed"), "expected a prediction of every clip"),
        (lambda audit: audit["predictions"]["reversed"].pop(), "expected a prediction of every clip"),
        (lambda audit: audit.update(schema_version=2), "schema_version is '2'"),
        (lambda audit: audit.pop("costs"), "there is no"),
    ],
    ids=["change", "clip", "version", "field"],
)
def test_a_damaged_audit_is_refused_in_one_line(change, told, tmp_path):
    simulate(tmp_path, [Method("c3d_dfew", 0.5)], Corpus(folds=(1,), clips=9), [0])
    file = add_audit(tmp_path / "c3d_dfew" / "fold1_seed0", reversed=1)
    damaged = json.loads(file.read_text())
    change(damaged)
    file.write_text(json.dumps(damaged))
    with pytest.raises(UserError, match=told) as error:
        read_audit(file)
    assert "\n" not in str(error.value)
