"""Checks of videos against each other: the same file, or the same pictures in another encoding."""

from collections.abc import Iterator, Sequence

import numpy as np

from cefl_bench.doctor.corpus import Clip, ListedCorpus
from cefl_bench.doctor.findings import Examination, Finding, Severity
from cefl_bench.functional.likeness import MIN_CONTRAST, are_copies, close_pairs, contrast


def same_content(examination: Examination) -> Iterator[Finding]:
    """No video is there twice, byte for byte."""
    groups: dict[str, list[Clip]] = {}
    for clip, probe in examination.probed():
        groups.setdefault(probe.digest, []).append(clip)
    twice = [group for group in groups.values() if len(group) > 1]
    yield from _findings(examination.corpus, twice, "the same content", "error")


def same_pictures(examination: Examination) -> Iterator[Finding]:
    """No video is there twice, encoded in another way."""
    found = examination.probed()
    if not found:
        return
    pictures = np.stack([probe.pictures for _, probe in found])
    comparable = np.flatnonzero(contrast(pictures) >= MIN_CONTRAST)
    hashes = np.stack([probe.hashes for _, probe in found])
    pairs = comparable[close_pairs(hashes[comparable])]
    pairs = pairs[are_copies(pictures, pairs)]
    groups = []
    for one, other in pairs:
        (clip, probe), (other_clip, other_probe) = found[one], found[other]
        if probe.digest != other_probe.digest:
            groups.append([clip, other_clip])
    yield from _findings(examination.corpus, groups, "the same pictures in another encoding", "warning")


def _findings(corpus: ListedCorpus, groups: Sequence[list[Clip]], what: str, severity: Severity) -> Iterator[Finding]:
    """Findings on groups of copies, by what they do: leak into the test, contradict each other, or nothing much.

    Args:
        severity: of copies on both sides of a fold.
    """
    leaks, contradictions, repetitions = [], [], []
    for group in groups:
        names = " = ".join(sorted(corpus.shown(clip) for clip in group))
        if _leaks(group):
            leaks.append(names)
        elif len({clip.label for clip in group}) > 1:
            contradictions.append(names)
        else:
            repetitions.append(names)
    if leaks:
        advice = "keep one of each, or put them on one side"
        yield Finding(severity, f"{what} in training and in test of a fold", leaks, advice)
    if contradictions:
        advice = "decide which label is right"
        yield Finding("warning", f"{what} with different labels on one side", contradictions, advice)
    if repetitions:
        yield Finding("note", f"{what} on one side", repetitions)


def _leaks(group: Sequence[Clip]) -> bool:
    """Whether one of them is in training and another in test of the same fold."""
    trained: dict[int, set[int]] = {}
    for index, clip in enumerate(group):
        for place in clip.labels:
            if place.side == "train":
                trained.setdefault(place.fold, set()).add(index)
    for index, clip in enumerate(group):
        for place in clip.labels:
            others = trained.get(place.fold, set())
            if place.side == "test" and len(others) > (index in others):
                return True
    return False
