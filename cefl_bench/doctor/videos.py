"""Checks of every video by itself: is it there, whole, long enough, and is there anything to see?"""

from collections.abc import Iterator, Sequence

from cefl_bench.doctor.findings import Examination, Finding
from cefl_bench.functional.likeness import MIN_CONTRAST, contrast

AGAIN = "copy or download them again"


def files(examination: Examination) -> Iterator[Finding]:
    """Every video that a list names is there."""
    if missing := _faulty(examination, "missing"):
        yield Finding("error", "videos that are not there", missing, f"{AGAIN}, or set the data root right")


def decodable(examination: Examination) -> Iterator[Finding]:
    """Every frame of every video is read, in time, and without harm to the process."""
    listing = examination.listing
    reasons = [listing.relative(probe.reason) for probe in examination.probes.values() if probe.fault == "unreadable"]
    if reasons:
        yield Finding("error", "videos that cannot be read", reasons, AGAIN)
    if hanging := _faulty(examination, "hangs"):
        advice = f"{AGAIN}; where the disk is only slow, give a longer --timeout"
        yield Finding("error", "videos that hang the decoder", hanging, advice)
    if killing := _faulty(examination, "kills"):
        yield Finding("error", "videos that kill the process that reads them", killing, AGAIN)


def reader(examination: Examination) -> Iterator[Finding]:
    """Videos are what the reader of the config reads: files or folders."""
    for split, transforms in examination.listing.readers.items():
        for reads, wants_folder, others in (("ReadVideo", False, "folders"), ("ReadFrames", True, "files")):
            wrong = [
                examination.listing.shown(clip)
                for clip, probe in examination.probed()
                if probe.is_folder != wants_folder and any(side == split for _, side in clip.labels)
            ]
            if reads in transforms and wrong:
                advice = "set the reader of the config to ReadAny"
                yield Finding("error", f"{others}, which {reads} of the {split} pipeline does not read", wrong, advice)


def frame_counts(examination: Examination) -> Iterator[Finding]:
    """As many frames can be read as the lists and the files themselves say."""
    listed, stated = [], []
    for clip, probe in examination.probed():
        path = examination.listing.shown(clip)
        if clip.num_frames >= 0 and clip.num_frames != probe.num_frames:
            listed.append(f"{path} ({probe.num_frames} instead of {clip.num_frames})")
        if probe.stated_frames not in (-1, probe.num_frames):
            stated.append(f"{path} ({probe.num_frames} instead of {probe.stated_frames})")
    if listed:
        yield Finding("error", "videos with other frames than the list says", listed, "one of the two is wrong")
    if stated:
        yield Finding("warning", "files with other frames than their header says, maybe cut off", stated, AGAIN)


def lengths(examination: Examination) -> Iterator[Finding]:
    """No video is shorter than what the pipeline takes of it."""
    wanted = examination.listing.frames_taken
    frames = {examination.listing.shown(clip): probe.num_frames for clip, probe in examination.probed()}
    if not wanted:
        yield Finding("unknown", "the pipeline does not say how many frames it takes")
    short = sorted((path for path, count in frames.items() if count < wanted), key=frames.__getitem__)
    if short:
        text = f"videos of fewer than {wanted} frames, which the pipeline takes: it repeats some; the shortest first"
        yield Finding("warning", text, [f"{path} ({frames[path]})" for path in short])


def blank(examination: Examination) -> Iterator[Finding]:
    """Every video shows something."""
    blank = [
        examination.listing.shown(clip)
        for clip, probe in examination.probed()
        if contrast(probe.pictures[None])[0] < MIN_CONTRAST
    ]
    if blank:
        yield Finding("warning", "videos of one colour", blank, AGAIN)


def _faulty(examination: Examination, fault: str) -> Sequence[str]:
    return [
        examination.listing.relative(source[0]) for source, probe in examination.probes.items() if probe.fault == fault
    ]
