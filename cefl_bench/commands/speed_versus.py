"""This toolkit's training beside the usual way: the same model and clips, in turns, in one run."""

import contextlib
import copy
import csv
import io
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from PIL import Image
from tqdm import tqdm

from cefl_bench.commands.machine import device_type
from cefl_bench.commands.pack import pack, store_of
from cefl_bench.commands.setup import build_dataset
from cefl_bench.commands.speed import device_name
from cefl_bench.commands.speed_clock import Clock, in_training
from cefl_bench.commands.usual import UsualTraining, UsualVideos
from cefl_bench.compute.switches import compute_of
from cefl_bench.config import LOADERS, SPLIT_KEYS, classes_of
from cefl_bench.cost.stopwatch import synchronise
from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.errors import UserError
from cefl_bench.files import check_writable, write_json
from cefl_bench.parallel.distributed import keep_freed_memory
from cefl_bench.transforms.read import ReadAny

FRAMES, FRAME_SIZE, JPEG_QUALITY = 32, 224, 90
"""Frames of a made-up video, their height and width in pixels as in DFEW, and the quality that they are saved in."""
TEXTURE = 28
"""Height and width of the random picture that is blown up to a frame, so that a JPEG has about a face's size."""
LISTS = "videos.csv"


@dataclass(frozen=True)
class VersusOptions:
    """How many videos an epoch has (None: two batches), and how many rounds are timed."""

    clips: int | None = None
    rounds: int = 5

    def __post_init__(self) -> None:
        for name, value in (("clips", self.clips), ("repeats", self.rounds)):
            if value is not None and value < 1:
                raise UserError(f"--{name} is {value}: expected 1 or more")


class Versus(TypedDict):
    """Both ways of training one config."""

    config: str
    device_name: str
    threads: int
    torch: str
    compute: dict[str, Any]
    """The switches of this toolkit's way; the usual way has none."""
    corpus: str
    batch: int
    workers: int
    clips: int
    rounds: int
    clips_per_s: float
    usual_clips_per_s: float
    ratio: float
    """This toolkit's clips a second over the usual way's, median of the rounds."""
    ratio_iqr: float


def versus_usual(configs: Sequence[Config], options: VersusOptions, json_path: str | None = None) -> list[Versus]:
    """Train every config in both ways, in turns, after an epoch of each that is not counted.

    Where the config's own corpus is there as folders of images, and packed, it is used; else videos are made up and
    packed in a temporary folder.
    """
    check_writable("--json", json_path)
    keep_freed_memory()  # as in training
    results = []
    for config in configs:
        results.append(_compare(copy.deepcopy(config), options))
        write_json(json_path, results)
    return results


def _compare(config: Config, options: VersusOptions) -> Versus:
    batch = config.train_dataloader.batch_size
    clips = max(options.clips or 2 * batch, batch)
    clips -= clips % batch
    rows: list[tuple[float, float]] = []
    original = copy.deepcopy(config)
    with (
        _with_corpus(config, clips) as corpus,
        tqdm(total=options.rounds, desc=config.config_name, unit="round", disable=None, leave=False) as bar,
    ):

        def rounds(clock: Clock) -> None:
            dataset = clock.loader.dataset
            videos = UsualVideos(
                dataset.entries(), original.train_dataloader.dataset.pipeline[1], original.data_preprocessor
            )
            original.train_dataloader.num_workers = clock.loader.num_workers
            model: Any = clock.runner.model
            usual = UsualTraining(original, videos, model.state_dict(), clock.device)
            for turn in range(options.rounds + 1):
                seconds = clock.epoch()[0]
                start = time.perf_counter()
                usual.epoch()
                synchronise(clock.device)
                if turn:
                    rows.append((seconds, time.perf_counter() - start))
                    bar.update()
            usual.loader._iterator = None  # left to the garbage collector, its workers would wait five seconds

        original.model.head = copy.deepcopy(config.model.head)
        loader = in_training(config, clips, options.rounds + 1, rounds).train_dataloader
        clips = len(loader.dataset)
    ours, usual = np.array(rows).T
    quarter, median, three_quarters = np.percentile(usual / ours, (25, 50, 75))
    return Versus(
        config=config.config_name,
        device_name=device_name(torch.device(device_type())),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        compute=compute_of(original).changed(),
        corpus=corpus,
        batch=batch,
        workers=loader.num_workers,
        clips=clips,
        rounds=options.rounds,
        clips_per_s=clips / float(np.median(ours)),
        usual_clips_per_s=clips / float(np.median(usual)),
        ratio=float(median),
        ratio_iqr=float(three_quarters - quarter),
    )


@contextlib.contextmanager
def _with_corpus(config: Config, clips: int) -> Iterator[str]:
    """Let a config read a corpus of images that is packed: its own, or else a made-up one. Gives: which, in words."""
    if _is_usable(config):
        yield str(config.train_dataloader.dataset.data_root)
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        classes = list(classes_of(config.train_dataloader.dataset))
        make_corpus(root, classes, clips)
        for name in LOADERS:
            kept = {key: value for key, value in config[name].dataset.items() if key in SPLIT_KEYS}
            config[name].dataset = ConfigDict(
                kept | {"type": CSVVideos, "data_root": folder, "classes": classes, "lists": LISTS, "fold": 1}
            )
            config[name].dataset.pipeline[0].type = ReadAny
        with contextlib.redirect_stdout(io.StringIO()):
            pack(copy.deepcopy(config), config.train_dataloader.num_workers or 1)
        yield f"{clips} made-up videos of {FRAMES} JPEG frames of {FRAME_SIZE} x {FRAME_SIZE}"


def _is_usable(config: Config) -> bool:
    try:
        dataset = build_dataset(copy.deepcopy(config), "train_dataloader")
    except UserError:  # the corpus is not here
        return False
    return store_of(dataset) is not None and all(Path(entry["path"]).is_dir() for entry in dataset.entries())


def make_corpus(root: Path, classes: Sequence[str], clips: int) -> None:
    """Write so many training videos, and one to test, as folders of JPEG images: a random picture that drifts."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(clips + 1):
        name = f"video_{number:05d}"
        folder = root / "frames" / name
        folder.mkdir(parents=True)
        if number < 8:
            _write_frames(folder, rng)
        else:  # decoding takes as long, whatever is to be seen
            for file in sorted((root / "frames" / f"video_{number % 8:05d}").iterdir()):
                shutil.copy(file, folder / file.name)
        split = "test" if number == clips else "train"
        rows.append((name, f"frames/{name}", classes[number % len(classes)], split))
    with open(root / LISTS, "w", newline="", encoding="utf-8") as lists:
        writer = csv.writer(lists)
        writer.writerow(("name", "path", "label", "split"))
        writer.writerows(rows)


def _write_frames(folder: Path, rng: np.random.Generator) -> None:
    size = FRAME_SIZE + FRAMES
    texture = Image.fromarray(rng.integers(0, 256, (TEXTURE, TEXTURE, 3), dtype=np.uint8))
    picture = np.asarray(texture.resize((size, size), Image.Resampling.BICUBIC)).astype(np.int16)
    picture += rng.integers(-6, 7, picture.shape, dtype=np.int16)  # a camera's noise
    pixels = picture.clip(0, 255).astype(np.uint8)
    for place in range(FRAMES):
        frame = pixels[place : place + FRAME_SIZE, place : place + FRAME_SIZE]
        Image.fromarray(frame).save(folder / f"{place + 1:05d}.jpg", quality=JPEG_QUALITY)


def versus_table(results: Sequence[Versus]) -> str:
    """A line per config, then what the columns mean."""
    width = max(len(result["config"]) for result in results)
    lines = [f"{'':{width}}{'clips/s':>9}{'usual':>9}{'ratio':>7}{'IQR':>7}{'batch':>7}{'workers':>9}  corpus"]
    for r in results:
        lines.append(
            f"{r['config']:{width}}{r['clips_per_s']:9.2f}{r['usual_clips_per_s']:9.2f}{r['ratio']:7.2f}"
            f"{r['ratio_iqr']:7.2f}{r['batch']:7d}{r['workers']:9d}  {r['corpus']}"
        )
    first = results[0]
    switches = ", ".join(f"{name}={value}" for name, value in first["compute"].items()) or "no compute switch"
    legend = (
        f"On {first['device_name']}, {first['threads']} threads, torch {first['torch']}, {switches}; medians of "
        f"{first['rounds']} rounds, in turns. Training end to end, data included.",
        "usual: JPEG frames decoded with Pillow for every sample, torchvision transforms frame by frame, float32, "
        "eager, contiguous; CEFLNet's trunk once for every clip and frame position.",
    )
    return "\n".join([*lines, "", *legend])
