"""MMI Facial Expression Database. Pantic et al., ICME 2005, https://mmifacedb.eu/"""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.crops import VIDEO, in_crops, report_of
from cefl_bench.datasets.folds import FOLDS, folds_of
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.errors import UserError
from cefl_bench.files import list_folder
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS

FRONTAL_VIEW = 0
APEX_MARKER, OFFSET_MARKER = "2", "3"
BLINK_UNIT = "45"


@DATASETS.register_module()
class MMI(VideoDataset):
    """The sequences of MMI that show one of six emotions from the front: neutral, apex, neutral again.

    Ten folds without a subject on both sides, which `tools/prepare/mmi.py` makes once. Where action units are annotated
    over time, the apex goes from the first unit that reaches its apex to the last that leaves it, blinks apart.

    Args:
        frames: which variant to read: `video`, as downloaded, or a folder of crops below the data root that
            `tools/prepare/mmi.py` made, such as `faces_224`. It belongs to the protocol.
        views: which camera views to use: 0 frontal, 1 profile, 2 both side by side.
    """

    METAINFO = dict(
        key="mmi",
        name="MMI",
        classes=("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
        num_folds=10,
        num_clips=None,
        access=(
            "it is given on application: sign the agreement form of its web page, unpack it so that it holds "
            "Sessions/<id>/session.xml with the .avi and .xml files beside it, then share its subjects out over the "
            "folds and cut out the faces with: python tools/prepare/mmi.py"
        ),
        licence="research only, by agreement",
        url="https://mmifacedb.eu/",
        citation="Pantic et al., Web-based database for facial expression analysis",
    )

    def __init__(
        self,
        data_root: str,
        split: str,
        frames: str = VIDEO,
        views: Sequence[int] = (FRONTAL_VIEW,),
        **kwargs: Unpack[DatasetOptions],
    ) -> None:
        self.frames, self.views = frames, tuple(views)
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        crops = [] if self.frames == VIDEO else [report_of(self.data_root, self.frames)]
        return [Path(self.data_root) / "Sessions", Path(self.data_root) / FOLDS, *crops]

    def load_entries(self) -> list[Entry]:
        entries, left_out = read_sessions(Path(self.data_root), self.views)
        for reason, sessions in left_out.items():
            self.note_left_out(reason, sessions)
        folds = folds_of(entries, Path(self.data_root) / FOLDS, self.METAINFO["num_folds"])
        entries = [entry for entry, fold in zip(entries, folds, strict=True) if self.in_split(fold)]
        return entries if self.frames == VIDEO else in_crops(entries, report_of(self.data_root, self.frames))


def read_sessions(root: Path, views: Sequence[int] = (FRONTAL_VIEW,)) -> tuple[list[Entry], dict[str, list[str]]]:
    """The emotional sequences below `root/Sessions`, and the sessions that are none, by reason.

    Raises:
        UserError: naming the XML file that is broken.
    """
    entries: list[Entry] = []
    left_out: dict[str, list[str]] = {}
    for session in sorted(path for path in list_folder(root / "Sessions") if path.is_dir()):
        found = _read_session(session, views)
        if isinstance(found, str):
            left_out.setdefault(found, []).append(f"session {session.name}")
        else:
            entries.append(found)
    return entries, left_out


def _read_session(session: Path, views: Sequence[int]) -> Entry | str:
    """The sequence of a session, or why it is none."""
    annotation = _annotation(session)
    if annotation is None:
        return "without an emotion"
    base, emotion = annotation
    if not 1 <= emotion <= len(MMI.METAINFO["classes"]):
        return f"emotion above {len(MMI.METAINFO['classes'])} (other)"
    if (view := _view(session)) not in views:
        return f"view {view} instead of {', '.join(map(str, views))}"
    video = session / f"{base}.avi"
    if not video.exists() and any((session / f"{base}{suffix}").exists() for suffix in (".jpg", ".png")):
        return "a still image"
    if not (subject := re.fullmatch(r"(S\d+)-\d+", base)):
        raise UserError(f"{session / base}.xml: expected a name like S001-101, which tells the subject")
    entry = Entry(name=f"{session.name}/{base}", label=emotion - 1, path=str(video), num_frames=-1, subject=subject[1])
    if apex := _apex(session / f"{base}-oao_aucs.xml"):
        entry["apex"] = apex
    return entry


def _annotation(session: Path) -> tuple[str, int] | None:
    """The base name of a session's sequence, and its emotion; None when no annotation names one."""
    for path in sorted(list_folder(session)):
        if path.suffix == ".xml" and path.name != "session.xml" and not path.stem.endswith("-oao_aucs"):
            for tag in _parse(path).iter("Metatag"):
                if tag.get("Name") == "Emotion":
                    return path.stem, _number(path, tag, "Value")
    return None


def _view(session: Path) -> int:
    path = session / "session.xml"
    if not path.exists():
        raise UserError(f"{path} does not exist: expected it in every session; copy or download it again")
    tracks = [track for track in _parse(path).iter("track") if track.get("view") is not None]
    if not tracks:
        raise UserError(f"{path}: no track says its view: expected 0 (frontal), 1 (profile) or 2 (both)")
    return _number(path, tracks[0], "view")


def _apex(path: Path) -> tuple[int, int] | None:
    """First frame of the apex and the one after its last; frames count from 1 in the file, from 0 in an `Entry`."""
    if not path.exists():
        return None
    starts, ends = [], []
    for unit in _parse(path).iter("ActionUnit"):
        if unit.get("Number") != BLINK_UNIT:
            starts += [
                _number(path, marker, "Frame") for marker in unit.iter("Marker") if marker.get("Type") == APEX_MARKER
            ]
            ends += [
                _number(path, marker, "Frame") for marker in unit.iter("Marker") if marker.get("Type") == OFFSET_MARKER
            ]
    if not starts or not ends or max(ends) <= min(starts):
        return None
    return min(starts) - 1, max(ends) - 1


def _parse(path: Path) -> ElementTree.Element:
    content = path.read_bytes()
    if b"<!DOCTYPE" in content:  # entities that grow without bound; MMI's files have none
        raise UserError(f"{path} declares a document type: expected plain XML as in the official files")
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise UserError(f"{path} is not XML ({error}): copy or download it again") from None


def _number(path: Path, element: ElementTree.Element, attribute: str) -> int:
    text = element.get(attribute) or ""
    if not text.isdecimal():
        raise UserError(f"{path}: {attribute} of {element.tag} is {text!r}: expected a whole number")
    return int(text)
