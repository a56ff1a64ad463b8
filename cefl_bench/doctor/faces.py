"""What the search for faces left: `faces.csv`, with `name,path,num_frames,num_faces` of every video."""

from collections.abc import Iterator
from pathlib import Path

from cefl_bench.doctor.findings import Examination, Finding
from cefl_bench.doctor.listing import Listing
from cefl_bench.tables import read_table

REPORT = "faces.csv"
COLUMNS = ("name", "path", "num_frames", "num_faces")


def faces(examination: Examination) -> Iterator[Finding]:
    """A face was found in every frame of every video."""
    listing = examination.listing
    reports = find_reports(listing)
    if not reports:
        yield Finding("unknown", f"no {REPORT} at the data root or beside the videos: nobody has looked for faces")
        return
    found: dict[str, tuple[int, int]] = {}
    for report in reports:
        try:
            found |= _read(report)
        except ValueError as error:  # a UserError, or a cell that is no number
            yield Finding("warning", f"{listing.relative(str(report))} cannot be read ({error})", [str(report)])
    here = {clip.name: found[clip.name] for clip in listing.clips if clip.name in found}
    if without := [name for name, (_, with_face) in here.items() if not with_face]:
        advice = "look at them: scores count them, and there is nothing in them to learn from"
        yield Finding("warning", "videos without a face", without, advice)
    frames, with_face = (sum(counts) for counts in zip(*here.values(), strict=True)) if here else (0, 0)
    if with_face < frames:
        yield Finding("note", f"no face in {frames - with_face} of {frames} frames ({1 - with_face / frames:.1%})")
    if unseen := [clip.name for clip in listing.clips if clip.name not in found]:
        yield Finding("unknown", f"videos that {REPORT} does not name", unseen, "prepare the faces again")


def find_reports(listing: Listing) -> list[Path]:
    """The reports at the data root and in the folders between it and the videos."""
    places = {Path(clip.path).parent for clip in listing.clips} | {listing.data_root}
    places |= {above for place in places for above in place.parents if above.is_relative_to(listing.data_root)}
    return [place / REPORT for place in sorted(places) if (place / REPORT).is_file()]


def _read(path: Path) -> dict[str, tuple[int, int]]:
    """Frames, and frames with a face, by the name of the video.

    Raises:
        ValueError: when it is no such report.
    """
    counts = {}
    for _, row in read_table(path, *COLUMNS):
        counts[row["name"]] = (int(row["num_frames"] or 0), int(row["num_faces"] or 0))
    return counts
