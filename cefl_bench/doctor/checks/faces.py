"""What the search for faces left: `faces.csv`, a row for every video; older ones do not count shots and people."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cefl_bench.doctor.corpus import ListedCorpus
from cefl_bench.doctor.findings import Examination, Finding
from cefl_bench.sources import CROP_RECORD, MISSING, identities
from cefl_bench.tables import read_table

FACES_CSV = "faces.csv"
COLUMNS = ("name", "path", "num_frames", "num_faces")
COUNTS = ("num_frames", "num_faces", "num_shots", "num_people")


class Row(NamedTuple):
    """What a report says of a video."""

    num_frames: int
    num_faces: int
    num_shots: int
    num_people: int
    changed: bool
    """Whether the video is another one than the crops were made of."""


def faces(examination: Examination) -> Iterator[Finding]:
    """A face was found in every frame of every video, always the same person's, and the crops are of this video."""
    corpus = examination.corpus
    reports = find_reports(corpus)
    if not reports:
        yield Finding("unknown", f"no {FACES_CSV} at the data root or beside the videos: faces were not looked for")
        return
    found: dict[str, Row] = {}
    for report in reports:
        try:
            found |= _read(report)
        except ValueError as error:  # a UserError, or a cell that is no number
            yield Finding("warning", f"{corpus.relative(str(report))} cannot be read ({error})", [str(report)])
    here = {clip.name: found[clip.name] for clip in corpus.clips if clip.name in found}
    if changed := [name for name, row in here.items() if row.changed]:
        yield Finding("warning", "videos that have changed since their crops were made", changed, "prepare them again")
    if without := [name for name, row in here.items() if not row.num_faces]:
        advice = "look at them: scores count them, and there is nothing in them to learn from"
        yield Finding("warning", "videos without a face", without, advice)
    if changing := [f"{name} ({row.num_people})" for name, row in here.items() if row.num_people > 1]:
        advice = "look at them: a label is of one person; who is seen again after a cut counts as another"
        yield Finding("warning", "videos in which the person whose face is followed changes", changing, advice)
    if cut := [f"{name} ({row.num_shots})" for name, row in here.items() if row.num_shots > 1]:
        yield Finding("note", "videos of more than one shot", cut)
    frames, with_face = (sum(row[at] for row in here.values()) for at in (0, 1))
    if with_face < frames:
        yield Finding("note", f"no face in {frames - with_face} of {frames} frames ({1 - with_face / frames:.1%})")
    if unseen := [clip.name for clip in corpus.clips if clip.name not in found]:
        yield Finding("unknown", f"videos that {FACES_CSV} does not name", unseen, "prepare the faces again")


def find_reports(corpus: ListedCorpus) -> list[Path]:
    """The reports at the data root and in the folders between it and the videos."""
    places = {Path(clip.path).parent for clip in corpus.clips} | {corpus.data_root}
    for place in list(places):
        places |= {above for above in place.parents if above.is_relative_to(corpus.data_root)}
    return [place / FACES_CSV for place in sorted(places) if (place / FACES_CSV).is_file()]


def _read(path: Path) -> dict[str, Row]:
    """What a report says, by the name of the video.

    Raises:
        ValueError: when it is no such report.
    """
    rows = [row for _, row in read_table(path, *COLUMNS)]
    changed = _changed(path.parents[1], rows)
    found = {}
    for row in rows:
        counts = {column: int(row.get(column) or 0) for column in COUNTS}
        found[row["name"]] = Row(**counts, changed=row["name"] in changed)
    return found


def _changed(root: Path, rows: list[dict[str, str]]) -> set[str]:
    """The videos that are not what their crops were made of; one that is gone is not among them."""
    made_of = {}
    for row in rows:
        record = root / row["path"] / CROP_RECORD
        if row.get("video") and record.is_file():
            made_of[row["name"]] = json.loads(record.read_text(encoding="utf-8")).get("video")
    named = [row for row in rows if row["name"] in made_of]
    now = identities(root, [{"path": str(root / row["video"])} for row in named])
    return {
        row["name"] for row, identity in zip(named, now, strict=True) if identity not in (MISSING, made_of[row["name"]])
    }
