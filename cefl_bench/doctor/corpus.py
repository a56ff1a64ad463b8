"""What the lists of a config say of a corpus, over all folds: every video once, and where it stands."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.doctor.probe import Source
from cefl_bench.errors import UserError
from cefl_bench.files import corpus_root
from cefl_bench.functional.protocol import is_other_corpus
from cefl_bench.registry import DATASETS
from cefl_bench.transforms.read import Reader
from cefl_bench.transforms.sample_clips import SampleClips

LOADERS = {"train": "train_dataloader", "test": "test_dataloader"}
"""By side of a fold, the loader that reads it."""


class Place(NamedTuple):
    """A side of a fold."""

    fold: int
    side: str
    """`train` or `test`."""


@dataclass
class Clip:
    """A video of the corpus, and where it stands with which label."""

    name: str
    source: Source
    num_frames: int
    subject: str | None
    origin: str | None
    """Which film or recording it is from."""
    labels: dict[Place, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.source[0]

    @property
    def label(self) -> int:
        return next(iter(self.labels.values()))

    def is_in(self, side: str) -> bool:
        """Whether it stands on that side of any fold."""
        return any(place.side == side for place in self.labels)


@dataclass
class Split:
    """One side of one fold."""

    num_clips: int
    class_counts: list[int]
    official_clips: int | None
    fingerprint: str


@dataclass
class ListedCorpus:
    """All folds of a corpus, as far as the config reads them and the lists could be read."""

    meta: dict[str, Any]
    data_root: Path
    folds: list[int]
    loaders: dict[str, str]
    """`LOADERS`, without the side that the config reads of another corpus."""
    classes: list[str] = field(default_factory=list)
    """What labels count: the classes of the model, which may be those of another corpus."""
    labels: set[int] = field(default_factory=set)
    """Those of them that this corpus can have."""
    clips: list[Clip] = field(default_factory=list)
    splits: dict[Place, Split] = field(default_factory=dict)
    refusals: dict[str, list[Place]] = field(default_factory=dict)
    """What an adapter refused, and in which places."""
    notes: list[str] = field(default_factory=list)
    readers: dict[str, Reader] = field(default_factory=dict)
    """By side, what reads its videos in training."""
    samplings: list[SampleClips] = field(default_factory=list)
    """What chooses frames in training and in test; empty where the pipeline does not say."""

    @property
    def all_folds(self) -> bool:
        """Whether both sides of all folds are here."""
        return not self.refusals and len(self.folds) == self.meta["num_folds"] and len(self.loaders) == len(LOADERS)

    @property
    def is_whole(self) -> bool:
        """Whether every video of the corpus is here, so that they can be counted."""
        both_sides = len(self.loaders) == len(LOADERS)
        over_all_folds = 1 < len(self.folds) == self.meta["num_folds"]
        unmapped = len(self.labels) == len(self.meta["classes"])
        return not self.refusals and (both_sides or over_all_folds) and unmapped

    @property
    def unread_folds(self) -> list[int]:
        """The folds of which a side was refused."""
        folds: set[int] = set()
        for places in self.refusals.values():
            folds.update(place.fold for place in places)
        return sorted(folds)

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


def list_corpora(config: Config, fold: int | None = None) -> list[ListedCorpus]:
    """The corpus that a config trains and tests on; or the two, when it tests on another than it trains on."""
    if is_other_corpus(config["test_dataloader"]["dataset"]):
        return [_list_corpus(config, {side: loader}, fold) for side, loader in LOADERS.items()]
    return [_list_corpus(config, LOADERS, fold)]


def _list_corpus(config: Config, loaders: dict[str, str], fold: int | None) -> ListedCorpus:
    """Build the datasets of all folds (or of one), as training does. Whatever an adapter refuses is in `refusals`."""
    settings = config[next(reversed(loaders.values()))].dataset
    kind = settings["type"]
    # an adapter whose folds the config counts takes them as an argument of that name
    meta = kind.METAINFO | {"num_folds": settings.get("num_folds", kind.METAINFO["num_folds"])}
    if settings.get("split") == "all":
        folds = [1]  # the same videos in every fold
    elif fold is not None:
        folds = [fold]
    else:
        folds = list(range(1, meta["num_folds"] + 1))
    corpus = ListedCorpus(meta, corpus_root(settings["data_root"]), folds, loaders)
    clips: dict[tuple[str, Source], Clip] = {}
    for number in folds:
        for side, loader in loaders.items():
            place = Place(number, side)
            try:
                dataset = DATASETS.build(config[loader].dataset | {"fold": number})
            except UserError as error:
                corpus.refusals.setdefault(str(error), []).append(place)
                continue
            except Exception as error:  # an unexpected error in an adapter must not hide the findings on the rest
                reason = f"{kind.__name__}: {type(error).__name__}: {error}"
                corpus.refusals.setdefault(reason, []).append(place)
                continue
            _add(corpus, clips, dataset, place)
    corpus.clips = list(clips.values())
    return corpus


def _add(corpus: ListedCorpus, clips: dict[tuple[str, Source], Clip], dataset: VideoDataset, place: Place) -> None:
    """Take in what a dataset lists in its place."""
    corpus.meta, corpus.data_root = dataset.METAINFO, Path(dataset.data_root)
    corpus.classes, corpus.labels = list(dataset.label_classes), dataset.possible_labels()
    corpus.notes += [note for note in dataset.notes if note not in corpus.notes]
    counts: Counter[int] = Counter()
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        images = entry.get("images")
        source = (entry["path"], None if images is None else tuple(images))
        new = Clip(entry["name"], source, entry["num_frames"], entry.get("subject"), entry.get("source"))
        clips.setdefault((new.name, source), new).labels[place] = entry["label"]
        counts[entry["label"]] += 1
    official = dataset.num_official_clips() if place.side == "test" else None
    by_class = [counts[label] for label in range(len(corpus.classes))]
    corpus.splits[place] = Split(len(dataset), by_class, official, dataset.fingerprint())
    for step in getattr(dataset.pipeline, "transforms", ()):
        if isinstance(step, Reader):
            corpus.readers[place.side] = step
        if isinstance(step, SampleClips):
            known = [(other.scheme, other.options) for other in corpus.samplings]
            if (step.scheme, step.options) not in known:
                corpus.samplings.append(step)
