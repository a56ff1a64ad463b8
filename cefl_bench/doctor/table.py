"""What the doctor found, for a person: a line for each finding, and the fingerprints that a training would write."""

from collections import Counter

from cefl_bench.doctor.examine import Report
from cefl_bench.doctor.findings import Finding

MAX_NAME_LENGTH = 160
"""Letters of a name in the table; a file with a hundred copies has a long one, which JSON gives in full."""


def table(report: Report, num_names: int = 3) -> str:
    """The findings on one corpus.

    Args:
        num_names: videos that a line names; JSON has all.
    """
    corpus = report.examination.corpus
    folds = f"fold{'s' * (len(corpus.folds) > 1)} {', '.join(map(str, corpus.folds))}"
    lines = [f"{corpus.meta['name']} at {corpus.data_root}: {len(corpus.clips)} videos, {folds}", ""]
    lines += [_line(finding, num_names) for finding in report.findings]
    if not corpus.clips:
        lines.append("nothing else was looked at, because there is no list of videos")
    if corpus.splits:
        lines += ["", "fold  split  videos  fingerprint"]
        for place, split in corpus.splits.items():
            lines.append(f"{place.fold:>4}  {place.side:5}  {split.num_clips:>6}  {split.fingerprint}")
    count = Counter(finding.severity for finding in report.findings)
    probed = len(report.examination.probes)
    lines += [
        "",
        f"errors: {count['error']}, warnings: {count['warning']}; {probed} videos probed in {report.seconds:.1f} s",
    ]
    return "\n".join(lines)


def _line(finding: Finding, num_names: int) -> str:
    line = f"{finding.severity:8} {finding.check:11} "
    if finding.names:
        line += f"{len(finding.names)}: "
    line += finding.text
    if finding.names:
        more = ", ..." if len(finding.names) > num_names else ""
        line += f": {', '.join(_shortened(name) for name in finding.names[:num_names])}{more}"
    return line + (f"; {finding.advice}" if finding.advice else "")


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 4]} ..."
