"""Asks a trained model whether it uses time: its test with frames reordered and left out, and what that costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor
from tqdm import tqdm

from cefl_bench.commands.machine import fit_to_machine, switch_test, told_of_network
from cefl_bench.commands.pack import decode_always
from cefl_bench.commands.setup import RunOptions, build_dataset, of_checkpoint, say, taken_data_on
from cefl_bench.commands.speed import device_from
from cefl_bench.commands.unseen import check_unseen
from cefl_bench.compute.switches import compute_of
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.feeding.feed import Feed, build_feed
from cefl_bench.feeding.residence import Residence
from cefl_bench.files import check_folder, sha256_of, write_json
from cefl_bench.functional.protocol import is_other_corpus
from cefl_bench.functional.recall import predicted_class
from cefl_bench.functional.time_changes import (
    APEX,
    AS_SAMPLED,
    MIDDLE,
    Change,
    Layout,
    apex_of,
    changes_for,
    generator_of,
    keep_predictions,
    moved,
)
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.parallel.distributed import keep_freed_memory
from cefl_bench.registry import MODELS
from cefl_bench.report.audit import audit_table
from cefl_bench.report.audit_figure import draw_audit
from cefl_bench.report.collect import ACROSS
from cefl_bench.report.time_costs import with_costs
from cefl_bench.runs import checkpoints
from cefl_bench.runs.audit import SCHEMA_VERSION, ApexFrames, Audit, Checkpoint
from cefl_bench.runs.built_in import checkpoint_file, folder_beside
from cefl_bench.runs.environment import environment
from cefl_bench.runs.folder import AUDIT, AUDIT_FIGURE
from cefl_bench.runs.result import Environment


@dataclass
class AuditOptions:
    """How a model is asked.

    Raises:
        UserError: when a number is out of its range.
    """

    shuffle_seed: int = 0
    device: str | None = None
    batch: int | None = None
    """Videos that go through the network together; None for the config's when testing."""

    def __post_init__(self) -> None:
        if not 0 <= self.shuffle_seed < 2**32:
            raise UserError(f"--shuffle-seed is {self.shuffle_seed}: expected 0 or more, and less than 4294967296")
        if self.batch is not None and self.batch < 1:
            raise UserError(f"--batch is {self.batch}: expected 1 or more")


def audit(options: RunOptions, checkpoint: str, how: AuditOptions, out: str | None = None) -> Path:
    """Test a checkpoint with its frames as sampled and with each change, and leave `audit.json` and `audit.png`.

    Returns:
        The folder they are in: `out`, else that of the checkpoint.
    """
    folder = Path(out or folder_beside(checkpoint))
    check_folder(folder)
    device = device_from(how.device)
    options, config = of_checkpoint(options, checkpoint)
    data_on = taken_data_on(options, config)
    if options.no_pack:
        decode_always(config)
    if how.batch is not None:
        config.test_dataloader.batch_size = how.batch
    dataset = build_dataset(config, "test_dataloader")
    check_unseen(dataset, "test_dataloader", config, checkpoint)
    fit_to_machine(config)
    keep_freed_memory()
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    loaded = checkpoints.load_into(model, checkpoint)
    switch_test(config, model)
    model.to(device).eval()
    feed = build_feed({**config.test_dataloader, "dataset": dataset}, None, Residence(data_on, device))
    answers = Answers(how.shuffle_seed)
    with (
        told_of_network(config, model, "in the audit"),
        tqdm(desc="audit", total=len(dataset), unit="video", disable=None) as bar,
    ):
        for batch in feed:
            answers.ask(model, batch)
            bar.update(len(batch["name"]))
    if isinstance(feed, Feed):
        feed.end_workers()
    found = _audit(config, dataset, answers, how, _facts(checkpoint, loaded))
    say(audit_table(found))
    write_json(folder / AUDIT, found)
    draw_audit(found, folder / AUDIT_FIGURE)
    return folder


class Answers:
    """What a model says of test videos, with their frames as sampled and with each change."""

    def __init__(self, shuffle_seed: int) -> None:
        self.shuffle_seed = shuffle_seed
        self.names: list[str] = []
        self.labels: list[int] = []
        self.subjects: list[str] = []
        self.sampled, self.num_clips = (0, 0), 0
        self.apex_frames: ApexFrames = {"known": 0, "middle": 0}
        self._scores: dict[str, list[np.ndarray]] = {}

    @torch.inference_mode()
    def ask(self, model: Recognizer, batch: Mapping[str, Any]) -> None:
        """Put a batch of `Sample`s through a model in eval mode, once as it is and once with each change."""
        video = batch["video"]  # (B, N, T, H, W, C)
        self.sampled = (video.shape[1], video.shape[2])
        self.num_clips = model.num_clips or video.shape[1]
        layouts = list(self._layouts(batch))
        predictions = model.test_step(batch)
        self.names += [prediction["name"] for prediction in predictions]
        self.labels += [int(prediction["label"]) for prediction in predictions]
        self.subjects += [prediction["subject"] for prediction in predictions]
        self._keep(AS_SAMPLED, predictions)
        for name, change in changes_for(self.sampled, self.num_clips).items():
            places = self._places(name, change, batch["name"], layouts)
            self._keep(name, model.test_step({**batch, "video": in_places(video, places)}))

    def scores(self) -> dict[str, np.ndarray]:
        """(n, K) of each change; the apex is called the middle where nothing tells the apex of any video."""
        middle = not self.apex_frames["known"]
        return {MIDDLE if name == APEX and middle else name: np.stack(rows) for name, rows in self._scores.items()}

    def _layouts(self, batch: Mapping[str, Any]) -> Iterator[Layout]:
        known = (np.asarray(batch[key]) for key in ("frame_intensity", "frame_indices", "apex"))
        for intensity, indices, apex in zip(*known, strict=True):
            place, told = apex_of(intensity, indices, (int(apex[0]), int(apex[1])))
            self.apex_frames["known" if told else "middle"] += 1
            yield Layout(self.sampled, self.num_clips, place)

    def _places(self, name: str, change: Change, videos: list[str], layouts: list[Layout]) -> Tensor:
        rows = []
        for video, layout in zip(videos, layouts, strict=True):
            rows.append(change(layout, generator_of(self.shuffle_seed, video, name)))
        return torch.from_numpy(np.stack(rows))

    def _keep(self, name: str, predictions: list[Any]) -> None:
        rows = [prediction["scores"].double().cpu().numpy() for prediction in predictions]
        self._scores.setdefault(name, []).extend(rows)


def in_places(video_BNTHWC: Tensor, places_BM: Tensor) -> Tensor:
    """(B, N, T, H, W, C) -> the same shape: in each of a video's M = N * T places the frame that is to be there."""
    frames = video_BNTHWC.flatten(1, 2)
    row = torch.arange(len(frames), device=frames.device)[:, None]
    return frames[row, places_BM.to(frames.device)].reshape(video_BNTHWC.shape)


def _facts(path: str, loaded: dict[str, Any]) -> Checkpoint:
    meta = checkpoints.meta_of(loaded, path)
    digest = sha256_of(checkpoint_file(path))
    return {"file": Path(path).name, "sha256": digest, "epoch": meta["epoch"] if meta else None}


def _audit(config: Config, dataset: VideoDataset, answers: Answers, how: AuditOptions, checkpoint: Checkpoint) -> Audit:
    scores = answers.scores()
    before = scores[AS_SAMPLED]
    trained_on = config.train_dataloader.dataset
    meta, corpus = trained_on.type.METAINFO, dataset.METAINFO["name"]
    if is_other_corpus(config.test_dataloader.dataset):
        corpus = f"{trained_on.get('name', meta['name'])}{ACROSS}{corpus}"
    found: Audit = {
        "schema_version": SCHEMA_VERSION,
        "config_name": config.config_name,
        "method": config.method,
        "title": config.title,
        "dataset": corpus,
        "classes": list(dataset.label_classes),
        "fold": trained_on.get("fold", 1),
        "seed": config.randomness.seed,
        "shuffle_seed": how.shuffle_seed,
        "checkpoint": checkpoint,
        "sampled": answers.sampled,
        "clips": answers.num_clips,
        "apex_frames": answers.apex_frames,
        "war": 0.0,
        "uar": 0.0,
        "war_interval": None,
        "uar_interval": None,
        "clustered_by": "clip",
        "costs": [],
        "score_movement": {name: float(moved(of, before).max()) for name, of in scores.items() if name != AS_SAMPLED},
        "names": answers.names,
        "labels": answers.labels,
        "subjects": answers.subjects,
        "predictions": {name: predicted_class(keep_predictions(of, before)).tolist() for name, of in scores.items()},
        "environment": cast(Environment, environment(compute_of(config))),
    }
    return with_costs(found, trained_on.get("num_folds", meta["num_folds"]))
