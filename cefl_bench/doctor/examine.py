"""Looks at all the data that a config would train on, and says everything that is wrong with it."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypedDict

from mmengine.config import Config
from tqdm import tqdm

from cefl_bench.doctor.checks import copies, lists, videos
from cefl_bench.doctor.checks.faces import faces
from cefl_bench.doctor.corpus import ListedCorpus, list_corpora
from cefl_bench.doctor.findings import SEVERITIES, Check, Examination, Finding, FindingRecord, Severity
from cefl_bench.doctor.probe import LOOKING, Source, probe_all
from cefl_bench.transforms.read import Reader

CHECKS = (
    Check("lists", "every list is read, and nothing is left out", lists.read),
    Check("counts", "as many videos as the official numbers say", lists.official_counts, of_lists=True),
    Check("classes", "every class has videos on both sides of every fold", lists.classes, of_lists=True),
    Check("labels", "every video has one label", lists.labels, of_lists=True),
    Check("folds", "no video is a test video of two folds", lists.folds, of_lists=True),
    Check("overlap", "no name is in training and in test", lists.overlap, of_lists=True),
    Check("subjects", "nobody is in training and in test", lists.subjects, of_lists=True),
    Check("sources", "no film or recording is in training and in test", lists.origins, of_lists=True),
    Check("validation", "", lists.validation),
    Check("files", "every video is there", videos.files),
    Check("decodable", "every video is read as in training", videos.decodable),
    Check("formats", "the images of a folder are of one format", videos.formats),
    Check("frames", "as many frames as the lists and the files say", videos.frame_counts),
    Check("lengths", "no video is too short for what is sampled", videos.lengths),
    Check("blank", "every video shows something", videos.blank),
    Check("copies", "no two videos have the same content", copies.same_content),
    Check("likeness", "no two videos show the same pictures", copies.same_pictures),
    Check("faces", "a face in every frame", faces),
)


class ClipCounts(TypedDict):
    """Videos of a corpus."""

    listed: int
    official: int | None


class SplitRecord(TypedDict):
    """One side of one fold."""

    fold: int
    split: str
    num_clips: int
    class_counts: list[int]
    official_clips: int | None
    fingerprint: str


class CorpusRecord(TypedDict):
    """All that was found in a corpus, for JSON."""

    dataset: str
    data_root: str
    classes: list[str]
    num_clips: ClipCounts
    healthy: bool
    worst: Severity
    findings: list[FindingRecord]
    splits: list[SplitRecord]
    probed: int
    seconds: float


@dataclass
class Report:
    """What was found, and what it was found on."""

    examination: Examination
    findings: list[Finding]
    seconds: float

    @property
    def healthy(self) -> bool:
        """Nothing is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    def record(self) -> CorpusRecord:
        corpus = self.examination.corpus
        return CorpusRecord(
            dataset=corpus.meta["name"],
            data_root=str(corpus.data_root),
            classes=corpus.classes,
            num_clips=ClipCounts(listed=len(corpus.clips), official=corpus.meta["num_clips"]),
            healthy=self.healthy,
            worst=min((finding.severity for finding in self.findings), key=SEVERITIES.index),
            findings=[finding.record() for finding in self.findings],
            splits=[
                SplitRecord(
                    fold=place.fold,
                    split=place.side,
                    num_clips=split.num_clips,
                    class_counts=split.class_counts,
                    official_clips=split.official_clips,
                    fingerprint=split.fingerprint,
                )
                for place, split in corpus.splits.items()
            ],
            probed=len(self.examination.probes),
            seconds=self.seconds,
        )


def examine(
    config: Config, fold: int | None = None, num_workers: int = 2, timeout: float = 60.0, every_frame: bool = True
) -> list[Report]:
    """Run all checks on all folds of a config, or on one; a report for each corpus that it names.

    Args:
        timeout: seconds for one video.
        every_frame: read all frames of every video, instead of a few.
    """
    reports = []
    for corpus in list_corpora(config, fold):
        start = time.monotonic()
        examination = Examination(config, corpus)
        readers_of = _readers_of(corpus)
        with closing(probe_all(readers_of, num_workers, timeout, every_frame)) as probes:
            bar = tqdm(probes, desc="probing", total=len(readers_of), unit="video", disable=None)
            examination.probes = dict(zip(readers_of, bar, strict=True))
        findings: list[Finding] = []
        for check in CHECKS if readers_of else CHECKS[:1]:
            findings += check(examination)
        reports.append(Report(examination, findings, time.monotonic() - start))
    return reports


def _readers_of(corpus: ListedCorpus) -> dict[Source, Sequence[Reader]]:
    """What reads every video: one reader, or two where training and test read it in another way."""
    readers_of: dict[Source, dict[str, Reader]] = {}
    for clip in corpus.clips:
        readers = readers_of.setdefault(clip.source, {})
        for side, reader in corpus.readers.items():
            if clip.is_in(side):
                readers.setdefault(reader.key, reader)
    return {source: tuple(readers.values()) or LOOKING for source, readers in readers_of.items()}
