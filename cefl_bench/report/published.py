"""What the literature reports: published.csv, each number with its source, in groups that may be compared."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

CSV = Path(__file__).with_name("published.csv")
SCRATCH, UNKNOWN = "scratch", "unknown"
"""Starts that have a group of their own; any other names the data that the weights came from."""
MODALITIES = {
    "video": "Video",
    "single frames": "Single frames",
    "video and audio": "Video and audio",
    "video and language": "Video and a language model",
    "video, audio and language": "Video, audio and a language model",
}
"""What a method sees or knows, in the order of a page -> in a heading."""
STARTS = {SCRATCH: "from scratch", "": "from weights of other data", UNKNOWN: "start unknown"}
"""In the order of a page."""


class Published(NamedTuple):
    """A reported result; UAR and WAR in percent as printed, empty where the source does not give one."""

    dataset: str
    method: str
    uar: str
    war: str
    pretraining: str
    """`scratch`, the data that the initial weights were trained on, or `unknown` where no source of ours says it."""
    modality: str
    """What is classified: one of `MODALITIES`."""
    source: str
    note: str


def published(dataset: str) -> list[Published]:
    """The reported results on a dataset, by its key in config names, the best WAR last; every row has a WAR."""
    with open(CSV, newline="", encoding="utf-8") as file:
        rows = [Published(**row) for row in csv.DictReader(file)]
    return sorted((row for row in rows if row.dataset == dataset), key=lambda row: float(row.war))


def grouped(rows: Sequence[Published]) -> Iterator[tuple[str, list[Published]]]:
    """Rows of one modality and kind of start, with a heading: only within such a group are numbers of a kind."""
    for modality, seen in MODALITIES.items():
        for start, words in STARTS.items():
            group = [row for row in rows if row.modality == modality and _kind(row.pretraining) == start]
            if group:
                yield f"{seen}, {words}", group


def _kind(pretraining: str) -> str:
    return pretraining if pretraining in STARTS else ""
