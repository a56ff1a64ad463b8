"""Looks at all the data that a config would train on, and says everything that is wrong with it."""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from tqdm import tqdm

from cefl_bench.doctor import copies, lists, videos
from cefl_bench.doctor.faces import faces
from cefl_bench.doctor.findings import SEVERITIES, Check, Examination, Finding
from cefl_bench.doctor.listing import list_corpus
from cefl_bench.doctor.probe import probe_all

CHECKS = (
    Check("lists", "every list is read, and nothing is left out", lists.read),
    Check("counts", "as many videos as the official numbers say", lists.official_counts),
    Check("classes", "every class has videos on both sides of every fold", lists.classes),
    Check("labels", "every video has one label", lists.labels),
    Check("folds", "no video is a test video of two folds", lists.folds),
    Check("overlap", "no name is in training and in test", lists.overlap),
    Check("subjects", "nobody is in training and in test", lists.subjects),
    Check("validation", "", lists.validation),
    Check("files", "every video is there", videos.files),
    Check("decodable", "every video can be read", videos.decodable),
    Check("reader", "videos are what the config's reader reads", videos.reader),
    Check("frames", "as many frames as the lists and the files say", videos.frame_counts),
    Check("lengths", "no video is shorter than what is sampled", videos.lengths),
    Check("blank", "every video shows something", videos.blank),
    Check("copies", "no two videos have the same content", copies.same_content),
    Check("likeness", "no two videos show the same pictures", copies.same_pictures),
    Check("faces", "a face in every frame", faces),
)

LONGEST = 160
"""Letters of a name in the table; a file with a hundred copies has a long one, which JSON gives in full."""


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

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        listing = self.examination.listing
        return {
            "dataset": listing.meta["name"],
            "data_root": str(listing.data_root),
            "classes": list(listing.meta["classes"]),
            "num_clips": {"listed": len(listing.clips), "official": listing.meta["num_clips"]},
            "healthy": self.healthy,
            "worst": min((finding.severity for finding in self.findings), key=SEVERITIES.index),
            "findings": [finding.as_dict() for finding in self.findings],
            "splits": [
                {"fold": fold, "split": split, **vars(found)} for (fold, split), found in listing.splits.items()
            ],
            "probed": len(self.examination.probes),
            "seconds": self.seconds,
        }


def examine(
    config: Config, fold: int | None = None, num_workers: int = 2, timeout: float = 60.0, every_frame: bool = True
) -> Report:
    """Run all checks on all folds of a config, or on one.

    Args:
        timeout: seconds for one video.
        every_frame: read all frames of every video, instead of a few.
    """
    start = time.monotonic()
    examination = Examination(config, list_corpus(config, fold))
    sources = examination.listing.sources
    with closing(probe_all(sources, num_workers, timeout, every_frame)) as probes:
        bar = tqdm(probes, desc="probing", total=len(sources), unit="video", disable=None)
        examination.probes = dict(zip(sources, bar, strict=True))
    checks = CHECKS if sources else CHECKS[:1]
    findings = [finding for check in checks for finding in check(examination)]
    return Report(examination, findings, time.monotonic() - start)


def table(report: Report, num_names: int = 3) -> str:
    """The findings for a person, a line each, and the fingerprints that a training would write."""
    listing = report.examination.listing
    folds = f"fold{'s' * (len(listing.folds) > 1)} {', '.join(map(str, listing.folds))}"
    lines = [f"{listing.meta['name']} at {listing.data_root}: {len(listing.clips)} videos, {folds}", ""]
    lines += [_line(finding, num_names) for finding in report.findings]
    if not listing.clips:
        lines.append("nothing else was looked at, because there is no list of videos")
    if listing.splits:
        lines += ["", "fold  split  videos  fingerprint"]
        lines += [
            f"{fold:>4}  {split:5}  {found.num_clips:>6}  {found.fingerprint}"
            for (fold, split), found in listing.splits.items()
        ]
    bad = [sum(finding.severity == severity for finding in report.findings) for severity in ("error", "warning")]
    probed = len(report.examination.probes)
    return "\n".join(
        [*lines, "", f"errors: {bad[0]}, warnings: {bad[1]}; {probed} videos probed in {report.seconds:.1f} s"]
    )


def _shorten(name: str, length: int) -> str:
    """The name, or its beginning where it is longer."""
    return name if len(name) <= length else f"{name[: length - 4]} ..."


def _line(finding: Finding, num_names: int) -> str:
    line = f"{finding.severity:8} {finding.check:11} "
    if finding.names:
        line += f"{len(finding.names)}: "
    line += finding.text
    if finding.names:
        more = ", ..." if len(finding.names) > num_names else ""
        line += f": {', '.join(_shorten(name, LONGEST) for name in finding.names[:num_names])}{more}"
    return line + (f"; {finding.advice}" if finding.advice else "")
