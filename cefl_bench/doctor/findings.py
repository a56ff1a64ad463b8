"""What a check says: findings with a severity, and all that a check may look at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mmengine.config import Config

from cefl_bench.doctor.listing import Clip, Listing
from cefl_bench.doctor.probe import Probe, Source

SEVERITIES = ("error", "warning", "note", "unknown", "ok")
"""From worst to best. `unknown`: the corpus does not say what the check would need."""


@dataclass
class Finding:
    """One thing that is wrong, or worth knowing, with the videos or files that it is true of."""

    severity: str
    text: str
    names: Sequence[str] = ()
    advice: str = ""
    check: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"names": list(self.names), "count": len(self.names)}


@dataclass
class Examination:
    """What is there to look at: the config, its lists, and what was found in the videos."""

    config: Config
    listing: Listing
    probes: Mapping[Source, Probe] = field(default_factory=dict)

    def probed(self) -> list[tuple[Clip, Probe]]:
        """The videos that could be read."""
        found = [(clip, self.probes[clip.source]) for clip in self.listing.clips if clip.source in self.probes]
        return [(clip, probe) for clip, probe in found if not probe.fault]


@dataclass(frozen=True)
class Check:
    """A named look at an `Examination`; where it finds nothing, `fine` is the case."""

    name: str
    fine: str
    look: Callable[[Examination], Iterable[Finding]]

    def __call__(self, examination: Examination) -> list[Finding]:
        found = list(self.look(examination)) or [Finding("ok", self.fine)]
        for finding in found:
            finding.check = self.name
        return found
