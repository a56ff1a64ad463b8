"""Checks of videos against each other: the same file, or the same pictures in another encoding."""

from collections.abc import Iterator, Sequence

import numpy as np

from cefl_bench.doctor.findings import Examination, Finding
from cefl_bench.doctor.listing import Clip, Listing
from cefl_bench.functional.likeness import MIN_CONTRAST, are_copies, close_pairs, contrast


def same_content(examination: Examination) -> Iterator[Finding]:
    """No video stands twice, byte for byte."""
    groups: dict[str, list[Clip]] = {}
    for clip, probe in examination.probed():
        groups.setdefault(probe.digest, []).append(clip)
    twice = [group for group in groups.values() if len(group) > 1]
    yield from _findings(examination.listing, twice, "the same content", "error")


def same_pictures(examination: Examination) -> Iterator[Finding]:
    """No video stands twice, encoded in another way."""
    found = examination.probed()
    if not found:
        return
    pictures = np.stack([probe.pictures for _, probe in found])
    comparable = np.flatnonzero(contrast(pictures) >= MIN_CONTRAST)
    hashes = np.stack([probe.hashes for _, probe in found])
    pairs = comparable[close_pairs(hashes[comparable])]
    pairs = pairs[are_copies(pictures, pairs)]
    groups = [
        [found[one][0], found[other][0]] for one, other in pairs if found[one][1].digest != found[other][1].digest
    ]
    yield from _findings(examination.listing, groups, "the same pictures in another encoding", "warning")


def _findings(listing: Listing, groups: Sequence[list[Clip]], what: str, severity: str) -> Iterator[Finding]:
    """Findings on groups of copies, by what they do: leak into the test, contradict each other, or nothing much.

    Args:
        severity: of copies on both sides of a split.
    """
    kinds: dict[str, list[str]] = {"leak": [], "contradiction": [], "repetition": []}
    for group in groups:
        different = len({clip.label for clip in group}) > 1
        kind = "leak" if _leaks(group) else "contradiction" if different else "repetition"
        kinds[kind].append(" = ".join(sorted(listing.shown(clip) for clip in group)))
    for kind, how_bad, where, advice in (
        ("leak", severity, "in training and in test of a fold", "keep one of each, or put them on one side"),
        ("contradiction", "warning", "with different labels on one side", "decide which label is right"),
        ("repetition", "note", "on one side", ""),
    ):
        if kinds[kind]:
            yield Finding(how_bad, f"{what} {where}", kinds[kind], advice)


def _leaks(group: Sequence[Clip]) -> bool:
    """Whether one of them is in training and another in test of the same fold."""
    places = [(index, *place) for index, clip in enumerate(group) for place in clip.labels]
    trains = {(fold, index) for index, fold, split in places if split == "train"}
    return any(
        fold == other_fold and index != other
        for index, fold, split in places
        if split == "test"
        for other_fold, other in trains
    )
