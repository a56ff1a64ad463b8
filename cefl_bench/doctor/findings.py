"""What a check says: findings with a severity, and all that a check may look at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from mmengine.config import Config

from cefl_bench.doctor.corpus import Clip, ListedCorpus
from cefl_bench.doctor.probe import Probe, Source

Severity = Literal["error", "warning", "note", "unknown", "ok"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note", "unknown", "ok")
"""From worst to best. `unknown`: the corpus does not say what the check would need."""


class FindingRecord(TypedDict):
    """A finding as JSON has it."""

    check: str
    severity: Severity
    text: str
    names: list[str]
    count: int
    advice: str


@dataclass
class Finding:
    """One thing that is wrong, or worth knowing, with the videos or files that it is true of."""

    severity: Severity
    text: str
    names: Sequence[str] = ()
    advice: str = ""
    check: str = ""

    def record(self) -> FindingRecord:
        return FindingRecord(
            check=self.check,
            severity=self.severity,
            text=self.text,
            names=list(self.names),
            count=len(self.names),
            advice=self.advice,
        )


@dataclass
class Examination:
    """What is there to look at: the config, the lists of a corpus, and what was found in its videos."""

    config: Config
    corpus: ListedCorpus
    probes: Mapping[Source, Probe] = field(default_factory=dict)

    def probed(self) -> list[tuple[Clip, Probe]]:
        """The videos that could be read."""
        found = []
        for clip in self.corpus.clips:
            probe = self.probes.get(clip.source)
            if probe is not None and not probe.fault:
                found.append((clip, probe))
        return found


@dataclass(frozen=True)
class Check:
    """A named look at an `Examination`; where it finds nothing, `fine` is the case."""

    name: str
    fine: str
    look: Callable[[Examination], Iterable[Finding]]
    of_lists: bool = False
    """Whether it compares lists: where some cannot be read, it may find nothing only because it did not look."""

    def __call__(self, examination: Examination) -> list[Finding]:
        found = list(self.look(examination))
        unread = examination.corpus.unread_folds if self.of_lists else []
        if not found and unread:
            which = f"fold {unread[0]}" if len(unread) == 1 else f"folds {', '.join(map(str, unread))}"
            found = [Finding("unknown", f"{which} could not be read")]
        elif not found:
            found = [Finding("ok", self.fine)]
        for finding in found:
            finding.check = self.name
        return found
