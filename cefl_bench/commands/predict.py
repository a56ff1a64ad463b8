"""Predict videos of one's own: find them, put each through a model, and leave a folder of results for each."""

import glob
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from cefl_bench.errors import UserError
from cefl_bench.files import check_folder, described, list_folder, list_images
from cefl_bench.media.camera import camera_frames
from cefl_bench.media.videos import VIDEO_SUFFIXES, stated_seconds
from cefl_bench.predict.prediction import VideoPrediction
from cefl_bench.predict.predictor import Choices, Predictor
from cefl_bench.predict.saving import save

WEBCAM = "webcam"


class Source(NamedTuple):
    """Something to predict."""

    name: str
    """Of its folder of results."""
    path: Path
    camera: int | None = None


@dataclass(frozen=True)
class PredictOptions:
    """What the command line says."""

    sources: Sequence[str]
    out: str = "predictions"
    config: str | None = None
    choices: Choices = field(default_factory=Choices)
    annotate: bool = True
    seconds: float = 10.0
    """For how long a camera is watched."""


def predict(checkpoint: str, options: PredictOptions) -> list[Path]:
    """Predict every source, and leave `timeline.csv`, `.json`, `.png` and `annotated.mp4` in a folder for each.

    Returns:
        The folders.

    Raises:
        UserError: when nothing is there to predict, or nowhere to write to; when all others are done, how many sources
            failed.
    """
    sources = find_sources(options.sources)
    check_folder(options.out)
    for source in sources:
        _check_apart(source, Path(options.out))
    predictor = Predictor.load(checkpoint, options.config)
    for warning in predictor.about.warnings:
        print(f"note: {warning}", file=sys.stderr, flush=True)
    folders, failures = [], []
    for source in sources:
        folder = Path(options.out) / source.name
        try:
            prediction = _predicted(predictor, source, options)
            with _bar(f"drawing {source.name}", prediction.seconds) as progress:
                save(prediction, folder, options.annotate and source.camera is None, progress)
        except UserError as error:
            failures.append(str(error))
            if len(sources) > 1:
                print(f"error: {error}", file=sys.stderr, flush=True)
            continue
        print(f"{summary(prediction)}, in {folder}", flush=True)
        folders.append(folder)
    if failures:
        many = f"{len(failures)} of {len(sources)} sources could not be predicted, all others are done"
        raise UserError(failures[0] if len(sources) == 1 else many)
    return folders


def find_sources(words: Sequence[str]) -> list[Source]:
    """Files, folders of videos, folders of images, patterns and `webcam` -> what to predict, in this order.

    Raises:
        UserError: naming the word that leads to nothing.
    """
    found: list[tuple[Path, int | None]] = []
    for word in words:
        name, _, number = word.partition(":")
        if name == WEBCAM and not Path(word).exists():
            if number and not number.isdigit():
                raise UserError(f"source {word!r}: expected webcam, or webcam:1 for the second camera")
            found.append((Path(WEBCAM), int(number or 0)))
        else:
            found += [(path, None) for path in _paths_of(word)]
    sources: list[Source] = []
    taken: set[str] = set()
    for path, camera in found:
        stem = path.resolve().name if path.is_dir() else path.stem
        if not stem.strip("."):  # that of ...mkv is the folder above
            stem = path.name
        name, copies = stem, 1
        while name in taken:
            copies += 1
            name = f"{stem}_{copies}"
        taken.add(name)
        sources.append(Source(name, path, camera))
    return sources


def summary(prediction: VideoPrediction) -> str:
    """A line about a video, for people."""
    head = f"{prediction.source.name}: {prediction.seconds:.1f} s"
    if not prediction.tracks:
        reasons = list(dict.fromkeys(gap.reason for gap in prediction.gaps))
        return f"{head}, no face judged ({', '.join(reasons[:2])})"
    told = []
    for track in prediction.tracks[:3]:
        labels = [window.label for window in prediction.of(track.name)]
        most = max(sorted(set(labels)), key=labels.count)
        told.append(f"{track.name} {most} in {labels.count(most)} of {len(labels)} windows")
    more = len(prediction.tracks) - 3
    return f"{head}, {', '.join(told)}" + (f", {more} more faces" if more > 0 else "")


def _paths_of(word: str) -> list[Path]:
    path = Path(word)
    if path.is_dir():
        videos = [file for file in list_folder(path) if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file()]
        if videos:
            return videos
        if list_images(path):
            return [path]
        raise UserError(f"folder {word} holds neither videos nor images: expected either, or name the videos")
    if path.exists() or not glob.has_magic(word):
        if not path.exists():
            raise UserError(f"source {described(path)} does not exist: expected a video, a folder, a pattern or webcam")
        return [path]
    matches = sorted(Path(match) for match in glob.glob(word, recursive=True))  # noqa: PTH207, Path.glob takes no absolute pattern
    if not matches:
        raise UserError(f"no file fits the pattern {word!r}: expected at least one")
    found: list[Path] = []
    for match in matches:
        found += _paths_of(str(match)) if match.exists() else []
    return found


def _check_apart(source: Source, out: Path) -> None:
    """Refuse to write results among the frames of a source, or over it."""
    folder = (out / source.name).resolve()
    if source.camera is None and source.path.resolve().is_relative_to(folder):
        raise UserError(f"--out {str(out)!r}: the results of {source.path} would lie with it in {folder}: name another")


def _predicted(predictor: Predictor, source: Source, options: PredictOptions) -> VideoPrediction:
    if source.camera is not None:
        with _bar("watching", options.seconds) as progress:
            frames = camera_frames(source.camera, options.seconds)
            return predictor.watch(frames, source.path, options.choices, progress)
    total = stated_seconds(source.path) if source.path.is_file() else None
    with _bar(f"looking at {source.name}", total) as progress:
        return predictor(source.path, options.choices, progress)


@contextmanager
def _bar(what: str, seconds: float | None) -> Iterator[Callable[[float], None]]:
    """A bar over the seconds of a video, on a terminal."""
    shape = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s [{elapsed}<{remaining}]" if seconds else None
    with tqdm(total=seconds, desc=what, unit="s", bar_format=shape, disable=None, leave=False) as bar:

        def progress(done: float) -> None:
            bar.update(min(done, seconds or done) - bar.n)

        yield progress
