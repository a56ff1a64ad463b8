"""Shows what a trained model saw: a figure per test video with the worth of every clip or frame."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from cefl_bench.commands.pack import decode_always
from cefl_bench.commands.setup import RunOptions, build_dataset, of_checkpoint
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import check_folder
from cefl_bench.functional.clips import regroup
from cefl_bench.functional.occlusion import occluded, worth
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.registry import MODELS
from cefl_bench.report.explanation import Explanation, draw_explanation
from cefl_bench.runs import checkpoints
from cefl_bench.runs.built_in import folder_beside
from cefl_bench.runs.folder import EXPLAIN, EXPLANATION

VIDEOS_AT_A_TIME = 4
"""How many copies of a video go through the network together: as many as fit in little memory."""


def explain(
    options: RunOptions, checkpoint: str, names: Sequence[str] = (), num: int = 4, out: str | None = None
) -> list[Path]:
    """Draw `explanation_<name>.png` for the named test videos, else for the first one of each of `num` classes.

    Returns:
        The figures, in the folder `out`, else `explain` beside the checkpoint.

    Raises:
        UserError: when `num` is below 1, or a name is that of no test video.
    """
    if num < 1:
        raise UserError(f"--num is {num}: expected 1 or more")
    folder = Path(out or folder_beside(checkpoint) / EXPLAIN)
    check_folder(folder)
    options, config = of_checkpoint(options, checkpoint)
    if options.no_pack:
        decode_always(config)
    dataset = build_dataset(config, "test_dataloader")
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    checkpoints.load_into(model, checkpoint)
    figures: list[Path] = []
    for index in tqdm(_chosen(dataset, names, num), desc="explaining", unit="video", disable=None):
        video = explain_video(model.eval(), dataset, index)
        stem = f"{EXPLANATION}{video.name.replace('/', '_')}"
        path, copies = folder / f"{stem}.png", 1
        while path in figures:  # of p0/happy_0 and p0_happy_0
            copies += 1
            path = folder / f"{stem}_{copies}.png"
        draw_explanation(video, path)
        figures.append(path)
    return figures


@torch.no_grad()
def explain_video(model: Recognizer, dataset: VideoDataset, index: int) -> Explanation:
    """Run one video of a dataset through the model, whole and with each of its parts taken away.

    Its parts are the model's clips, of all views; where the model sees the video as one clip, they are its frames.

    Raises:
        UserError: when the video cannot be read, or is a single frame.
    """
    entry, sample = dataset.get_data_info(index), dataset[index]
    if sample["unreadable"]:
        raise UserError(f"{entry['name']} cannot be explained: {sample['unreadable']}")
    batch = model.data_preprocessor({"video": torch.from_numpy(sample["video"])[None]}, training=False)
    num_sampled = sample["video"].shape[0]
    num_clips = model.num_clips or num_sampled
    if model.views:  # each is regrouped by itself
        num_clips = num_sampled * (model.num_clips or 1)
    num_parts = num_clips if num_clips > 1 else sample["frame_indices"].size
    allowed = torch.from_numpy(sample["allowed_classes"]) if "allowed_classes" in sample else None
    probabilities, weights = _classify(model, batch["video"], allowed)
    if num_clips == 1:
        weights = None  # the parts are frames, and the weight of the only clip is of none of them
    without = [
        _classify(model, videos, allowed)[0]
        for videos in occluded(batch["video"][0], num_parts).split(VIDEOS_AT_A_TIME)
    ]
    return Explanation(
        name=entry["name"],
        frames=sample["video"].reshape(num_parts, -1, *sample["video"].shape[2:]),
        frame_indices=regroup(sample["frame_indices"], num_parts),
        num_frames=max(entry["num_frames"], int(sample["frame_indices"].max()) + 1),
        worth=worth(probabilities[0], torch.cat(without)).cpu().numpy(),
        clip_weights=None if weights is None else weights[0].cpu().numpy(),
        probabilities=probabilities[0].cpu().numpy(),
        classes=tuple(dataset.label_classes),
        label=entry["label"],
        intensity=entry.get("intensity"),
        apex=entry.get("apex"),
    )


def _classify(model: Recognizer, video_BNCTHW: Tensor, allowed_K: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Videos -> probabilities (B, K) of the allowed classes, and the clip weights (B, N) where there are any."""
    outputs = model.classify(video_BNCTHW)
    logits = outputs.scores
    if allowed_K is not None:
        logits = logits.masked_fill(~allowed_K.to(logits.device), -torch.inf)
    return logits.softmax(dim=1), outputs.clip_weights


def _chosen(dataset: VideoDataset, names: Sequence[str], num: int) -> list[int]:
    place = {dataset.get_data_info(index)["name"]: index for index in range(len(dataset))}
    if missing := [name for name in names if name not in place]:
        raise UserError(
            f"no test video is called {missing[0]!r}: expected names such as {', '.join(list(place)[:3])}; they stand "
            "in predictions.csv"
        )
    if names:
        return [place[name] for name in names]
    first: dict[int, int] = {}
    for index in place.values():
        first.setdefault(dataset.get_data_info(index)["label"], index)
    return [first[label] for label in sorted(first)][:num]
