"""Checks of every video by itself: is it there, whole, long enough, and is there anything to see?"""

from collections.abc import Iterator
from pathlib import Path

from cefl_bench.doctor.corpus import ListedCorpus
from cefl_bench.doctor.findings import Examination, Finding
from cefl_bench.errors import UserError
from cefl_bench.functional.likeness import MIN_CONTRAST, contrast
from cefl_bench.functional.sampling import LONG_VIDEO, sampler
from cefl_bench.transforms.sample_clips import SampleClips

COPY_AGAIN = "copy or download them again"


def files(examination: Examination) -> Iterator[Finding]:
    """Every video that a list names is there; links that lead out of the data root are told."""
    missing = _faulty(examination, "missing")
    if missing:
        yield Finding("error", "videos that are not there", missing, f"{COPY_AGAIN}, or set the data root right")
    links = _links(examination.corpus)
    if links:
        yield Finding("note", "links on the way to videos, which are followed", links)


def _links(corpus: ListedCorpus) -> list[str]:
    """The links below the data root that lead to videos, and where to."""
    places = {Path(clip.path) for clip in corpus.clips}
    for place in list(places):
        places |= {above for above in place.parents if corpus.data_root in above.parents}
    links = sorted(place for place in places if place.is_symlink())
    return [f"{corpus.relative(str(link))} -> {link.readlink()}" for link in links]


def decodable(examination: Examination) -> Iterator[Finding]:
    """Every frame of every video is read as in training, in time, and without harm to the process."""
    corpus = examination.corpus
    reasons = [corpus.relative(probe.reason) for probe in examination.probes.values() if probe.fault == "unreadable"]
    if reasons:
        yield Finding("error", "videos that cannot be read", reasons, COPY_AGAIN)
    hanging = _faulty(examination, "hangs")
    if hanging:
        advice = f"{COPY_AGAIN}; where the disk is only slow, give a longer --timeout"
        yield Finding("error", "videos that hang the decoder", hanging, advice)
    killing = _faulty(examination, "kills")
    if killing:
        yield Finding("error", "videos that kill the process that reads them", killing, COPY_AGAIN)
    joined = [corpus.shown(clip) for clip, probe in examination.probed() if probe.num_joints]
    if joined:
        text = "streams that were put together, or have gaps: every frame that can be decoded is read"
        yield Finding("note", text, joined)


def formats(examination: Examination) -> Iterator[Finding]:
    """The images of a folder are of one format: another one may be a preview, or a mask."""
    mixed = []
    for clip, probe in examination.probed():
        if len(probe.suffixes) > 1:
            mixed.append(f"{examination.corpus.shown(clip)} ({', '.join(probe.suffixes)})")
    if mixed:
        advice = "every image is a frame: take out those that are none"
        yield Finding("warning", "folders with images of several formats", mixed, advice)


def frame_counts(examination: Examination) -> Iterator[Finding]:
    """As many frames can be read as the lists and the files themselves say."""
    listed, stated = [], []
    for clip, probe in examination.probed():
        path = examination.corpus.shown(clip)
        if clip.num_frames >= 0 and clip.num_frames != probe.num_frames:
            listed.append(f"{path} ({probe.num_frames} instead of {clip.num_frames})")
        if probe.stated_frames not in (-1, probe.num_frames):
            stated.append(f"{path} ({probe.num_frames} instead of {probe.stated_frames})")
    if listed:
        yield Finding("error", "videos with other frames than the list says", listed, "one of the two is wrong")
    if stated:
        yield Finding("warning", "files with other frames than their header says, maybe cut off", stated, COPY_AGAIN)


def lengths(examination: Examination) -> Iterator[Finding]:
    """Every video gives as many different frames as a long one does, and the pipeline takes it."""
    samplings = examination.corpus.samplings
    if not samplings:
        yield Finding("unknown", "the pipeline does not say how many frames it takes")
        return
    in_views = bool(examination.config.model.get("views"))
    frames = {examination.corpus.shown(clip): probe.num_frames for clip, probe in examination.probed()}
    most = max(_num_different(step, LONG_VIDEO, in_views) for step in samplings)
    refused: dict[int, str] = {}
    repeated: set[int] = set()
    for step in samplings:
        of_long = _num_different(step, LONG_VIDEO, in_views)
        for length in set(frames.values()):  # most videos have the length of others
            try:
                if _num_different(step, length, in_views) < of_long:
                    repeated.add(length)
            except UserError as error:
                refused[length] = str(error)
    too_short = [f"{path} ({refused[length]})" for path, length in frames.items() if length in refused]
    if too_short:
        yield Finding("error", "videos that the pipeline refuses", too_short, "take them out, or sample in another way")
    short = sorted((path for path, length in frames.items() if length in repeated), key=frames.__getitem__)
    if short:
        text = f"videos too short for {most} different frames, which the pipeline takes of a long one: it repeats some"
        yield Finding("warning", f"{text}; the shortest first", [f"{path} ({frames[path]})" for path in short])


def _num_different(step: SampleClips, num_frames: int, in_views: bool) -> int:
    """Different frames that are taken of a video at test; where clips are views, of the view that has the fewest.

    Raises:
        UserError: when the video is too short to be sampled so.
    """
    clips = sampler(step.scheme, step.options)(num_frames, None)
    shown_at_once = clips if in_views else clips.reshape(1, -1)
    return min(len(set(indices)) for indices in shown_at_once.tolist())


def blank(examination: Examination) -> Iterator[Finding]:
    """Every video shows something."""
    blank = []
    for clip, probe in examination.probed():
        if contrast(probe.pictures[None])[0] < MIN_CONTRAST:
            blank.append(examination.corpus.shown(clip))
    if blank:
        yield Finding("warning", "videos of one colour", blank, COPY_AGAIN)


def _faulty(examination: Examination, fault: str) -> list[str]:
    """The paths of the videos with a fault."""
    paths = [source[0] for source, probe in examination.probes.items() if probe.fault == fault]
    return [examination.corpus.relative(path) for path in paths]
