"""What the lists of a config say, over all folds: every video once, and where it stands."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.doctor.probe import Source
from cefl_bench.errors import UserError
from cefl_bench.files import corpus_root
from cefl_bench.functional.protocol import is_other_corpus
from cefl_bench.registry import DATASETS
from cefl_bench.transforms.sample_clips import SampleClips

SPLITS = {"train": "train_dataloader", "test": "test_dataloader"}
LONG = 10_000
Place = tuple[int, str]
"""A fold, and `train` or `test`."""


@dataclass
class Clip:
    """A video of the corpus, and where it stands with which label."""

    name: str
    source: Source
    num_frames: int
    subject: str | None
    labels: dict[Place, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.source[0]

    @property
    def label(self) -> int:
        return next(iter(self.labels.values()))


@dataclass
class Split:
    """One split of one fold."""

    num_clips: int
    class_counts: list[int]
    official_clips: int | None
    fingerprint: str


@dataclass
class Listing:
    """All folds of a config, as far as they could be read."""

    meta: dict[str, Any]
    data_root: Path
    folds: list[int]
    clips: list[Clip] = field(default_factory=list)
    splits: dict[Place, Split] = field(default_factory=dict)
    refusals: dict[str, list[Place]] = field(default_factory=dict)
    """What an adapter refused, and in which places."""
    notes: list[str] = field(default_factory=list)
    readers: dict[str, set[str]] = field(default_factory=dict)
    """By split, the class names of the transforms of its pipeline."""
    frames_taken: int = 0
    """Different frames that the pipeline takes of a long video; 0 where it does not say."""

    @property
    def complete(self) -> bool:
        """Whether all folds of the corpus are here."""
        return not self.refusals and len(self.folds) == self.meta["num_folds"]

    @property
    def sources(self) -> list[Source]:
        return list(dict.fromkeys(clip.source for clip in self.clips))

    def of(self, place: Place) -> list[Clip]:
        return [clip for clip in self.clips if place in clip.labels]

    def relative(self, text: str) -> str:
        """A path, or a text with one in it, without the data root."""
        return text.replace(f"{self.data_root}/", "")

    def shown(self, clip: Clip) -> str:
        """What to call a video: its path, with its first image where a folder holds more than one video."""
        path, images = clip.source
        return self.relative(f"{path}/{images[0]}" if images else path)


def list_corpus(config: Config, fold: int | None = None) -> Listing:
    """Build the datasets of both splits of every fold (or of one), as training does.

    Whatever an adapter refuses is kept in `refusals`.

    Raises:
        UserError: when the config names two corpora.
    """
    settings = config["test_dataloader"].dataset
    kind, trained_on = settings["type"], config["train_dataloader"].dataset["type"]
    if is_other_corpus(config["test_dataloader"]["dataset"]):
        raise UserError(
            f"this config trains on {trained_on.METAINFO['name']} and tests on {kind.METAINFO['name']}: examine each "
            "with a config of its own"
        )
    # an adapter whose folds the config counts takes them as an argument of that name
    meta = kind.METAINFO | {"num_folds": settings.get("num_folds", kind.METAINFO["num_folds"])}
    folds = [fold] if fold is not None else list(range(1, meta["num_folds"] + 1))
    listing = Listing(meta, corpus_root(settings["data_root"]), folds)
    clips: dict[tuple[str, Source], Clip] = {}
    for place in ((number, split) for number in folds for split in SPLITS):
        try:
            dataset = DATASETS.build(config[SPLITS[place[1]]].dataset | {"fold": place[0]})
        except Exception as error:  # an adapter meets what nobody foresaw, and the rest still wants to be looked at
            reason = str(error) if isinstance(error, UserError) else f"{kind.__name__}: {type(error).__name__}: {error}"
            listing.refusals.setdefault(reason, []).append(place)
            continue
        listing.meta, listing.data_root = dataset.METAINFO, Path(dataset.data_root)
        listing.notes += [note for note in dataset.notes if note not in listing.notes]
        listing.splits[place] = _add(clips, dataset, place)
        _add_pipeline(listing, dataset)
    listing.clips = list(clips.values())
    return listing


def _add(clips: dict[tuple[str, Source], Clip], dataset: VideoDataset, place: Place) -> Split:
    counts: Counter[int] = Counter()
    for entry in _entries(dataset):
        images = entry.get("images")
        source = (entry["path"], None if images is None else tuple(images))
        new = Clip(entry["name"], source, entry["num_frames"], entry.get("subject"))
        clips.setdefault((new.name, source), new).labels[place] = entry["label"]
        counts[entry["label"]] += 1
    official = dataset.num_official_clips() if place[1] == "test" else None
    by_class = [counts[label] for label in range(len(dataset.classes))]
    return Split(len(dataset), by_class, official, dataset.fingerprint())


def _add_pipeline(listing: Listing, dataset: VideoDataset) -> None:
    transforms: Sequence = getattr(dataset.pipeline, "transforms", ())
    listing.readers[dataset.split] = {type(transform).__name__ for transform in transforms}
    for sample in (transform for transform in transforms if isinstance(transform, SampleClips)):
        indices = sample.transform({"frames": range(LONG), "rng": None})["frame_indices"]
        listing.frames_taken = max(listing.frames_taken, len(set(indices.reshape(-1).tolist())))


def _entries(dataset: VideoDataset) -> Iterator[dict]:
    return (dataset.get_data_info(index) for index in range(len(dataset)))
