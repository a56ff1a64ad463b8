"""Shows what a trained model saw: a figure per test video with the activation of every clip."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from cefl_bench.commands.pack import decode_always
from cefl_bench.commands.setup import RunOptions, build_dataset, of_checkpoint
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.functional.clips import regroup
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.registry import MODELS
from cefl_bench.report.activation import Explanation, draw_explanation
from cefl_bench.runs import checkpoints


def explain(
    options: RunOptions, checkpoint: str, names: Sequence[str] = (), num: int = 4, out: str | None = None
) -> list[Path]:
    """Draw `activation_<name>.png` for the named test videos, else for the first one of each of `num` classes.

    Returns:
        The figures, in the folder `out`, else `explain` beside the checkpoint.
    """
    options, config = of_checkpoint(options, checkpoint)
    if options.no_pack:
        decode_always(config)
    dataset = build_dataset(config, "test_dataloader")
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    checkpoints.load_into(model, checkpoint)
    folder = Path(out or Path(checkpoint).parent / "explain")
    figures = []
    for index in tqdm(_chosen(dataset, names, num), desc="explaining", unit="video", disable=None):
        video = explain_video(model.eval(), dataset, index)
        figures.append(folder / f"activation_{video.name.replace('/', '_')}.png")
        draw_explanation(video, figures[-1])
    return figures


@torch.no_grad()
def explain_video(model: Recognizer, dataset: VideoDataset, index: int) -> Explanation:
    """Run one video of a dataset through the model.

    Raises:
        UserError: when the model's aggregator has no clip weights to show.
    """
    entry, sample = dataset.get_data_info(index), dataset[index]
    batch = model.data_preprocessor({"video": torch.from_numpy(sample["video"])[None]}, training=False)
    feature, weights = model.extract(batch["video"])
    if weights is None:
        raise UserError(
            f"{type(model.aggregator).__name__} weighs no clips: an explanation needs one that does, like EIAN"
        )
    num_clips = weights.shape[1]
    logits = model.head(feature)[0]
    if "allowed_classes" in sample:
        logits[~torch.from_numpy(sample["allowed_classes"])] = -torch.inf
    frames = sample["video"].reshape(num_clips, -1, *sample["video"].shape[2:])
    return Explanation(
        name=entry["name"],
        frames=frames,
        frame_indices=regroup(sample["frame_indices"], num_clips),
        num_frames=max(entry["num_frames"], int(sample["frame_indices"].max()) + 1),
        clip_weights=weights[0].cpu().numpy(),
        probabilities=logits.softmax(0).cpu().numpy(),
        classes=tuple(dataset.label_classes),
        label=entry["label"],
        intensity=entry.get("intensity"),
        apex=entry.get("apex"),
    )


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
