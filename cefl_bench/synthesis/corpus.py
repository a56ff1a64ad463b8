"""A whole corpus: which videos there are, the tables that describe them, and the card that proves them."""

import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from cefl_bench.errors import UserError
from cefl_bench.files import sha256_of, write_text
from cefl_bench.records import SyntheticCard
from cefl_bench.synthesis.draws import Draws
from cefl_bench.synthesis.expression import CLASSES
from cefl_bench.synthesis.intensity import apex_of
from cefl_bench.synthesis.plan import VideoPlan
from cefl_bench.synthesis.standard import rendering_of

GENERATOR_VERSION = 2  # raise it with every change that changes a pixel or a label
PACKAGES = ("anny", "av", "numpy", "pillow", "scipy", "warp-lang")
ABOUT = "Synthetic faces. A score on this corpus says nothing about real faces."


@dataclass(frozen=True)
class Preset:
    """Sizes of a corpus. Every fold has its own subjects and the same number of videos of each class."""

    num_folds: int
    subjects_per_fold: int
    videos_per_class: int  # and fold
    min_frames: int
    max_frames: int
    check_every: int = 1  # the frames of every how many-th video are hashed

    @property
    def num_videos(self) -> int:
        return self.num_folds * self.videos_per_class * len(CLASSES)


PRESETS = {
    "tiny": Preset(num_folds=2, subjects_per_fold=2, videos_per_class=1, min_frames=16, max_frames=24),
    "demo": Preset(num_folds=4, subjects_per_fold=12, videos_per_class=24, min_frames=24, max_frames=40),
    "full": Preset(
        num_folds=4, subjects_per_fold=60, videos_per_class=180, min_frames=60, max_frames=110, check_every=125
    ),
}


class Origin(TypedDict):
    """What decides every byte of a corpus, as `plan.json` and `card.json` keep it."""

    generator: int
    preset: str
    seed: int


@dataclass(frozen=True)
class Corpus:
    """A preset with a seed: the list of its videos, and where their files belong."""

    preset: str
    seed: int
    root: Path

    @property
    def origin(self) -> Origin:
        return {"generator": GENERATOR_VERSION, "preset": self.preset, "seed": self.seed}

    def videos(self) -> list[VideoPlan]:
        """The plan of every video, ordered by subject; the number of frames is drawn apart from everything else."""
        preset = PRESETS[self.preset]
        shown = []
        for fold in range(preset.num_folds):
            for label in range(len(CLASSES)):
                for take in range(preset.videos_per_class):
                    subject = fold * preset.subjects_per_fold + (take + label) % preset.subjects_per_fold
                    shown.append((subject, label, take))
        lengths = Draws(self.seed, 2)
        plans = []
        for number, (subject, label, take) in enumerate(sorted(shown)):
            plans.append(
                VideoPlan(
                    name=f"s{subject:03d}_{CLASSES[label]}_{take:02d}",
                    label=CLASSES[label],
                    seed=self.seed,
                    subject=subject,
                    fold=subject // preset.subjects_per_fold + 1,
                    number=number,
                    num_frames=lengths.integer(preset.min_frames, preset.max_frames + 1),
                )
            )
        return plans

    def checked_videos(self) -> list[VideoPlan]:
        """Those whose decoded frames are hashed: an even share."""
        return self.videos()[:: PRESETS[self.preset].check_every]

    def path_of(self, plan: VideoPlan) -> Path:
        return self.root / "videos" / f"{plan.name}.mp4"

    def is_complete(self) -> bool:
        return (self.root / "card.json").exists() and all(self.path_of(plan).exists() for plan in self.videos())

    def claim(self) -> None:
        """Make the folder this corpus's own, by a `plan.json`, before anything is rendered.

        Raises:
            UserError: when the folder already holds something else.
        """
        note = self.root / "plan.json"
        if not note.exists():
            if self.root.exists() and any(self.root.iterdir()):
                raise UserError(f"{str(self.root)!r} is not empty and holds no corpus: expected a new folder as --out")
            write_text(note, json.dumps(self.origin) + "\n")
        try:
            held = json.loads(note.read_text(encoding="utf-8"))
        except ValueError:
            raise UserError(f"{str(note)!r} is damaged: delete that folder, or choose another --out") from None
        if held != self.origin:
            raise UserError(
                f"{str(self.root)!r} holds another corpus ({_in_words(held)}): asked for {_in_words(self.origin)}; "
                "choose another --out, or delete that folder"
            )

    def write_tables(self, frames_sha256: str) -> None:
        """Write labels.csv, intensities.csv and, last, card.json.

        Args:
            frames_sha256: the hash of the decoded frames of `checked_videos`.
        """
        labels = ["name,path,label,subject,fold,apex_start,apex_end,num_frames"]
        intensities = ["name,intensities"]
        for plan in self.videos():
            curve = plan.expression()[1]
            apex = apex_of(curve)
            apex_columns = f"{apex[0]},{apex[1]}" if apex else ","
            path = self.path_of(plan).relative_to(self.root).as_posix()
            labels.append(
                f"{plan.name},{path},{plan.label},{plan.subject},{plan.fold},{apex_columns},{plan.num_frames}"
            )
            intensities.append(f"{plan.name},{' '.join(f'{value:.3f}' for value in curve)}")
        write_text(self.root / "labels.csv", "\n".join(labels) + "\n")
        write_text(self.root / "intensities.csv", "\n".join(intensities) + "\n")
        write_text(self.root / "card.json", json.dumps(self._card(frames_sha256), indent=1) + "\n")

    def warning(self) -> str | None:
        """A line that says that the frames of this complete corpus should be those that everybody has and are not."""
        card: SyntheticCard = json.loads((self.root / "card.json").read_text(encoding="utf-8"))
        if card["rendering"] != "deviating":
            return None
        return (
            f"warning: these are not the standard frames of preset {self.preset}, seed {self.seed} (sha256 "
            f"{card['frames_sha256'][:12]}): scores on them compare with no others; install the versions of "
            "requirements.lock, delete the folder and render it again"
        )

    def _card(self, frames_sha256: str) -> SyntheticCard:
        plans = self.videos()
        files = [self.root / "labels.csv", self.root / "intensities.csv", *map(self.path_of, plans)]
        return {
            "about": ABOUT,
            **self.origin,
            "rendering": rendering_of(self.preset, self.seed, frames_sha256),
            "frames_sha256": frames_sha256,
            "frames_checked": len(self.checked_videos()),
            "python": platform.python_version(),
            "packages": {name: version(name) for name in PACKAGES},
            "classes": list(CLASSES),
            "counts": {
                "videos": len(plans),
                "frames": sum(plan.num_frames for plan in plans),
                "subjects": len({plan.subject for plan in plans}),
                **asdict(PRESETS[self.preset]),
            },
            "sha256": {path.relative_to(self.root).as_posix(): sha256_of(path) for path in files},
        }


def _in_words(origin: Origin) -> str:
    return ", ".join(f"{key} {value}" for key, value in origin.items())
