"""What is known of a run before it starts: the fields of a `Result` that no training changes."""

import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from math import prod
from typing import Any

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process

from cefl_bench.commands.pack import store_of
from cefl_bench.compute.switches import compute_of
from cefl_bench.config import HELD_OUT
from cefl_bench.cost.flops import cost_or_reason, model_cost
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import COMMAND, UserError
from cefl_bench.files import expanded, sha256_of
from cefl_bench.functional.protocol import SCRATCH, is_other_corpus, protocol_id, protocol_of, start_of
from cefl_bench.models.start import init_source
from cefl_bench.records import CountedCost
from cefl_bench.runs.built_in import checkpoint_file
from cefl_bench.runs.environment import environment
from cefl_bench.transforms.blank import blank_sample

SPLITS = {"train": "train_dataloader", "val": HELD_OUT, "test": "val_dataloader"}
"""What a training reads, and the loader of each in its config; `val` only where a part is held out."""


def known_before(
    config: Config,
    config_plain: dict[str, Any],
    datasets: Mapping[str, VideoDataset],
    known: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts of a run of a config on these datasets (`test`, and `train`, `val` when training).

    Args:
        config_plain: what the weights are trained by: the config as plain values, or that of a checkpoint.
        known: the protocol of the training, where a checkpoint that knows it is tested.
    """
    test_set, corpus, fold = datasets["test"], datasets["test"].METAINFO["name"], datasets["test"].fold
    trained_on = config.train_dataloader.dataset
    meta = trained_on.type.METAINFO
    if is_other_corpus(config.test_dataloader.dataset):
        corpus, fold = f"{trained_on.get('name', meta['name'])} -> {corpus}", trained_on.get("fold", 1)
    trained = known or {}
    start = trained.get("start") or start_facts(config.model.backbone.get("init_cfg"))
    protocol = protocol_of(
        config_plain | {"track": config.track}, start, _data_facts(datasets, trained.get("data", {}))
    )
    return {
        "config_name": config.config_name,
        "config": config_plain,
        "command": command_line(),
        "method": config.method,
        "title": config.title,
        "dataset": corpus,
        "trained_on": trained_on.get("name", meta["name"]),
        "classes": list(test_set.label_classes),
        "track": config.track,
        "protocol_id": protocol_id(protocol),
        "protocol": protocol,
        "fold": fold,
        "num_folds": trained_on.get("num_folds", meta["num_folds"]),
        "seed": config.randomness.seed,
        "clips": {"official": test_set.num_official_clips(), "official_counts": not counts_off(datasets)},
        "cost": cost_or_reason(*_model_and_shape(config)),
        "environment": environment(compute_of(config)),
        "data": {"packed": all(store_of(dataset) is not None for dataset in datasets.values())},
        "data_fingerprint": data_fingerprint(datasets),
    }


def data_fingerprint(datasets: Mapping[str, VideoDataset]) -> dict[str, str]:
    """The fingerprint of each split. One process takes them and tells the others, because all videos are read once."""
    told = [{split: dataset.fingerprint() for split, dataset in datasets.items()} if is_main_process() else {}]
    broadcast_object_list(told)
    return told[0]


def other_data(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The splits whose videos or labels are not what they were."""
    return sorted(split for split in {*before, *now} if before.get(split) != now.get(split))


def start_facts(init_cfg: Mapping[str, Any] | None) -> dict[str, Any]:
    """Where the initial weights come from: what they were trained on, and which they are exactly.

    Of a library the name with its tag, which stays the same where another version prefers other weights; of a file its
    hash, which tells it from others of any name.
    """
    if init_cfg is None or start_of({"backbone": {"init_cfg": init_cfg}}) == SCRATCH:
        return {"source": SCRATCH}
    file = init_cfg.get("checkpoint")
    if file is None:
        found = init_source(init_cfg)
        return {"start": found.start, "source": found.source}
    path = checkpoint_file(expanded(file))
    named = {"start": init_cfg["start"]} if init_cfg.get("start") else {}
    return named | {"source": "file", "sha256": sha256_of(path) if path.is_file() else None}


def counts_off(datasets: Mapping[str, VideoDataset]) -> list[str]:
    """A line for every number of videos, or of videos of a class, that is not the official one."""
    lines = []
    for split in ("train", "test"):
        if split in datasets:
            lines += datasets[split].counts_off()
    return lines


def _data_facts(datasets: Mapping[str, VideoDataset], trained: Mapping[str, Any]) -> dict[str, Any]:
    """What the files say of the corpus that is trained on, and of the one that is tested on where it says another."""
    facts = datasets["train"].all_facts() if "train" in datasets else trained.get("train", {})
    tested = datasets["test"].all_facts()
    data = {"train": facts} if facts else {}
    return data | ({"test": tested} if tested != facts else {})


def config_cost(config: Config) -> CountedCost:
    """What a test video costs the model of a config: `model_cost`, without data and without weights."""
    return model_cost(*_model_and_shape(config))


def video_shape(config: Config) -> tuple[int, tuple[int, int, int, int, int]]:
    """How many views a test takes of a video, and (N, C, T, H, W) of one as the network takes it.

    A view is one sampled set of frames that goes through the model. No data is read: the test pipeline samples blank
    videos.

    Raises:
        UserError: when the shape depends on the length of the video, so that there is no one cost.
    """
    pipeline = config.test_dataloader.dataset.pipeline
    shapes = {blank_sample(pipeline, 400)["video"].shape}
    with suppress(UserError):  # a sampling scheme may refuse short videos
        shapes.add(blank_sample(pipeline, 40)["video"].shape)
    if len(shapes) > 1:
        raise UserError(
            f"test_dataloader.dataset.pipeline gives {' and '.join(map(str, sorted(shapes)))} for a short and a long "
            "video: expected one shape, which a cost can be told of"
        )
    *views, clips, frames, _, _, channels = shapes.pop()
    size = config.data_preprocessor["size"]
    if config.model.get("views"):
        views, clips = [*views, clips], 1
    return prod(views), (clips, channels, frames, size, size)


def command_line() -> str:
    """The call that began this run, as it can be pasted into a shell."""
    first = sys.argv[0].split() if sys.argv[0].startswith(COMMAND) else ["python", sys.argv[0]]
    return shlex.join([*first, *sys.argv[1:]])


def _model_and_shape(config: Config) -> tuple[dict[str, Any], tuple[int, int, int, int, int], int]:
    views, shape = video_shape(config)
    return config.model | {"data_preprocessor": config.data_preprocessor}, shape, views
