"""What the literature reports: published.csv, each number with its source."""

import csv
from pathlib import Path
from typing import NamedTuple

CSV = Path(__file__).with_name("published.csv")


class Published(NamedTuple):
    """A reported result; UAR and WAR in percent as printed, empty where the source does not give one."""

    dataset: str
    method: str
    uar: str
    war: str
    source: str
    note: str


def published(dataset: str) -> list[Published]:
    """The reported results on a dataset, by its key in config names, the best WAR last."""
    with open(CSV, newline="", encoding="utf-8") as file:
        rows = [Published(**row) for row in csv.DictReader(file)]
    return sorted((row for row in rows if row.dataset == dataset), key=lambda row: float(row.war or row.uar))
