"""BU-4DFE and BU-3DFE: six expressions of about a hundred people. Yin et al., FG 2008 and FG 2006."""

import re
from collections.abc import Iterator
from pathlib import Path

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.folds import FOLDS, folds_of
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.errors import UserError
from cefl_bench.files import list_folder
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS

EMOTION_CODES = ("AN", "DI", "FE", "HA", "SA", "SU")
"""Of the classes; folders of the dynamic set begin with them, and `NE` is the neutral face."""
SUBJECT_NAMES = {"dynamic": re.compile(r"[FM]\d{3}"), "static": re.compile(r"[FM]\d{4}")}
STATIC_IMAGE = re.compile(r"[FM]\d{4}_(?P<code>[A-Z]{2})(?P<intensity>0[1-4])[A-Z]{2}_F2D\.bmp", re.IGNORECASE)


@DATASETS.register_module()
class BU3DFE(VideoDataset):
    """Six expressions of every subject, as 2D images; ten folds without a subject on both sides.

    The folds are made once by `tools/prepare/bu3dfe.py`.

    Args:
        layout: `dynamic`, the sequences of BU-4DFE; or `static`, BU-3DFE, whose four intensities of an expression
            become a video of four frames, from weak to strong.
    """

    METAINFO = dict(
        key="bu3dfe",
        name="BU-3DFE",
        classes=("angry", "disgust", "fear", "happy", "sad", "surprise"),
        num_folds=10,
        num_clips=606,
        access=(
            "it is given on application: sign the agreement form of its web page, unpack BU-4DFE so that it holds "
            "F001/<Expression>/000.jpg (with layout='static' BU-3DFE: F0001/F0001_AN01WH_F2D.bmp), then share its "
            "subjects out over the folds with: python tools/prepare/bu3dfe.py"
        ),
        licence="research only, by agreement",
        url="https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html",
        citation="Yin et al., A High-Resolution 3D Dynamic Facial Expression Database; Yin et al., A 3D Facial "
        "Expression Database for Facial Behavior Research",
    )

    def __init__(self, data_root: str, split: str, layout: str = "dynamic", **kwargs: Unpack[DatasetOptions]) -> None:
        if layout not in SUBJECT_NAMES:
            raise UserError(f"BU3DFE: layout is {layout!r}: expected {' or '.join(SUBJECT_NAMES)}")
        self.layout = layout
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        return [Path(self.data_root), Path(self.data_root) / FOLDS]

    def load_entries(self) -> list[Entry]:
        entries = read_sequences(Path(self.data_root), self.layout)
        folds = folds_of(entries, Path(self.data_root) / FOLDS, self.METAINFO["num_folds"])
        return [entry for entry, fold in zip(entries, folds, strict=True) if self.in_split(fold)]


def read_sequences(root: Path, layout: str) -> list[Entry]:
    """The expressions of every subject below `root`.

    Raises:
        UserError: when there is none but the other layout is there, or a folder is named after no expression.
    """
    read = {"dynamic": _read_dynamic, "static": _read_static}
    people = {name: _subjects(root, name) for name in read}
    if not people[layout]:
        (other,) = set(read) - {layout}
        hint = f"it holds the {other} one: set layout={other!r}" if people[other] else "unpack it there"
        raise UserError(f"{root} holds no subject of the {layout} layout: {hint}")
    entries: list[Entry] = []
    for subject in people[layout]:
        entries += read[layout](subject)
    return entries


def _subjects(root: Path, layout: str) -> list[Path]:
    return sorted(path for path in list_folder(root) if path.is_dir() and SUBJECT_NAMES[layout].fullmatch(path.name))


def _read_dynamic(subject: Path) -> Iterator[Entry]:
    for folder in sorted(path for path in list_folder(subject) if path.is_dir()):
        code = folder.name[:2].upper()
        if code in EMOTION_CODES:
            yield Entry(
                name=f"{subject.name}/{folder.name}",
                label=EMOTION_CODES.index(code),
                path=str(folder),
                num_frames=-1,
                subject=subject.name,
            )
        elif code != "NE":
            raise UserError(f"{folder}: expected a folder named after one of {', '.join(BU3DFE.METAINFO['classes'])}")


def _read_static(subject: Path) -> Iterator[Entry]:
    images: dict[str, dict[str, str]] = {}
    for path in sorted(list_folder(subject)):
        if (found := STATIC_IMAGE.fullmatch(path.name)) and found["code"].upper() in EMOTION_CODES:
            images.setdefault(found["code"].upper(), {})[found["intensity"]] = path.name
    for code, of_intensity in sorted(images.items()):
        if sorted(of_intensity) != ["01", "02", "03", "04"]:
            raise UserError(
                f"{subject}: expression {code} has intensities {', '.join(sorted(of_intensity))}: expected 01 to 04; "
                "unpack it again"
            )
        yield Entry(
            name=f"{subject.name}_{code}",
            label=EMOTION_CODES.index(code),
            path=str(subject),
            num_frames=4,
            subject=subject.name,
            images=[of_intensity[intensity] for intensity in sorted(of_intensity)],
        )
