"""How fast a config's data loader reads: clips per second, its dataset, pipeline and workers as in training."""

import copy
import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from mmengine.config import Config
from torch.utils.data import DataLoader
from tqdm import tqdm

from cefl_bench.commands.machine import fit_to_machine
from cefl_bench.commands.pack import decode_always, store_of
from cefl_bench.commands.setup import build_dataset
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.feeding.feed import Feed, build_feed
from cefl_bench.feeding.residence import Residence
from cefl_bench.files import check_writable, write_json
from cefl_bench.parallel.distributed import keep_freed_memory
from cefl_bench.transforms.read import Reader


def measure_loaders(
    configs: Sequence[Config],
    num_clips: int = 256,
    repeats: int = 5,
    no_pack: bool = False,
    json_path: str | None = None,
) -> list[dict[str, Any]]:
    """Clips per second through the train loader of every config; of packed frames, where there are some, and decoded.

    One pass over the clips warms the workers and the system's file cache, then `repeats` timed ones follow; those of
    several loaders take turns, so that what else the machine does slows all alike.

    Args:
        num_clips: of the training split, evenly spread over it; all when it has fewer.
        no_pack: leave packed frames alone.
    """
    for name, value in (("clips", num_clips), ("repeats", repeats)):
        if value < 1:
            raise UserError(f"--{name} is {value}: expected 1 or more")
    check_writable("--json", json_path)
    keep_freed_memory()  # as in training
    names, loaders = [], []
    for original in configs:
        for packed in (False,) if no_pack else (True, False):
            config = copy.deepcopy(original)
            fit_to_machine(config)
            if not packed:
                decode_always(config)
            loader = _loader(config, num_clips)
            if packed and store_of(_videos(loader)) is None:
                continue
            names.append(config.config_name)
            loaders.append(loader)
    seconds, clips = np.zeros((len(loaders), repeats + 1)), [0] * len(loaders)
    with tqdm(total=seconds.size, desc="reading", unit="pass", disable=None, leave=False) as bar:
        for turn in range(repeats + 1):
            for which, loader in enumerate(loaders):
                seconds[which, turn], clips[which] = _pass(loader, turn)
                if not clips[which]:
                    raise UserError(
                        f"--clips is {num_clips}, and drop_last leaves out what fills no batch: expected "
                        f"{loader.batch_size} or more, and as many in the training split"
                    )
                bar.update()
    results = [
        {"config": name} | _describe(loader) | _rates(times[1:], read)
        for name, loader, times, read in zip(names, loaders, seconds, clips, strict=True)
    ]
    write_json(json_path, results)
    return results


def speed_data_table(results: list[dict[str, Any]]) -> str:
    """A line per config, then what the columns mean."""
    width = max(len(result["config"]) for result in results)
    columns = f"{'clips/s':>9}{'ms/clip':>9}{'IQR ms':>8}{'workers':>9}{'batch':>7}{'clips':>7}"
    lines = [f"{'':{width}}{columns}  {'reader':12}{'frames':9}frames of a video -> of a clip, in pixels"]
    for r in results:
        clips, frames, rows, pixels, _ = r["clip_shape"]
        listed = "?" if r["video_frames"] is None else f"{r['video_frames']:g}"
        lines.append(
            f"{r['config']:{width}}{r['clips_per_s']:9.1f}{r['ms_per_clip']:9.2f}{r['iqr_ms_per_clip']:8.2f}"
            f"{r['workers']:9d}{r['batch']:7d}{r['clips']:7d}  {r['reader']:12}"
            f"{'packed' if r['packed'] else 'decoded':9}{listed} -> {clips} x {frames} of {rows} x {pixels}"
        )
    legend = (
        "A clip is one sample of the training split, all frames of one video; ms/clip is 1000 / (clips/s).",
        f"Medians of {results[0]['repeats']} passes; the files are in the system's cache by then.",
    )
    return "\n".join([*lines, "", *legend])


def _loader(config: Config, num_clips: int) -> Feed | DataLoader:
    dataset = build_dataset(config, "train_dataloader")
    if len(dataset) > num_clips:
        dataset.get_subset_(np.linspace(0, len(dataset) - 1, num_clips).astype(int).tolist())
    loader = config.train_dataloader | {"dataset": dataset}
    return build_feed(loader, config.randomness.seed, Residence("mmap", torch.device("cpu")))


def _videos(loader: Feed | DataLoader) -> VideoDataset:
    return cast(VideoDataset, loader.dataset)


def _pass(loader: Feed | DataLoader, epoch: int) -> tuple[float, int]:
    """Seconds of one pass over the loader, its first batch and its last included, and the clips that it gave."""
    _videos(loader).set_epoch(0, epoch)
    start, clips = time.perf_counter(), 0
    for batch in loader:
        clips += len(batch["label"])
    return time.perf_counter() - start, clips


def _rates(seconds: np.ndarray, clips: int) -> dict[str, Any]:
    per_clip = seconds / clips * 1e3
    quarter, median, three_quarters = np.percentile(per_clip, (25, 50, 75))
    return {
        "clips": clips,
        "repeats": len(seconds),
        "clips_per_s": 1e3 / median,
        "ms_per_clip": median,
        "iqr_ms_per_clip": three_quarters - quarter,
    }


def _describe(loader: Feed | DataLoader) -> dict[str, Any]:
    dataset = _videos(loader)
    steps = dataset.pipeline.transforms
    reader = next((step for step in steps if isinstance(step, Reader)), steps[0])
    frames = [dataset.get_data_info(index)["num_frames"] for index in range(len(dataset))]
    return {
        "dataset": dataset.METAINFO["name"],
        "reader": type(reader).__name__,
        "packed": store_of(dataset) is not None,
        "workers": loader.num_workers,
        "batch": loader.batch_size,
        "clip_shape": list(dataset[0]["video"].shape),
        "video_frames": None if min(frames) < 0 else float(np.median(frames)),
    }
