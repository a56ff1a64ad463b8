"""What the search for faces left: `faces.csv`, with `name,path,num_frames,num_faces` of every video."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cefl_bench.doctor.corpus import ListedCorpus
from cefl_bench.doctor.findings import Examination, Finding
from cefl_bench.tables import read_table

FACES_CSV = "faces.csv"
COLUMNS = ("name", "path", "num_frames", "num_faces")


class FaceCounts(NamedTuple):
    """Of a video: its frames, and those in which its face was found."""

    num_frames: int
    num_faces: int


def faces(examination: Examination) -> Iterator[Finding]:
    """A face was found in every frame of every video."""
    corpus = examination.corpus
    reports = find_reports(corpus)
    if not reports:
        yield Finding("unknown", f"no {FACES_CSV} at the data root or beside the videos: nobody has looked for faces")
        return
    counted: dict[str, FaceCounts] = {}
    for report in reports:
        try:
            counted |= _read(report)
        except ValueError as error:  # a UserError, or a cell that is no number
            yield Finding("warning", f"{corpus.relative(str(report))} cannot be read ({error})", [str(report)])
    without, uncounted, num_frames, num_faces = [], [], 0, 0
    for clip in corpus.clips:
        counts = counted.get(clip.name)
        if counts is None:
            uncounted.append(clip.name)
            continue
        num_frames += counts.num_frames
        num_faces += counts.num_faces
        if not counts.num_faces:
            without.append(clip.name)
    if without:
        advice = "look at them: scores count them, and there is nothing in them to learn from"
        yield Finding("warning", "videos without a face", without, advice)
    if num_faces < num_frames:
        share = 1 - num_faces / num_frames
        yield Finding("note", f"no face in {num_frames - num_faces} of {num_frames} frames ({share:.1%})")
    if uncounted:
        yield Finding("unknown", f"videos that {FACES_CSV} does not name", uncounted, "prepare the faces again")


def find_reports(corpus: ListedCorpus) -> list[Path]:
    """The reports at the data root and in the folders between it and the videos."""
    places = {Path(clip.path).parent for clip in corpus.clips} | {corpus.data_root}
    for place in list(places):
        places |= {above for above in place.parents if above.is_relative_to(corpus.data_root)}
    return [place / FACES_CSV for place in sorted(places) if (place / FACES_CSV).is_file()]


def _read(path: Path) -> dict[str, FaceCounts]:
    """The counts of every video by its name.

    Raises:
        ValueError: when it is no such report.
    """
    counted = {}
    for _, row in read_table(path, *COLUMNS):
        counted[row["name"]] = FaceCounts(int(row["num_frames"] or 0), int(row["num_faces"] or 0))
    return counted
