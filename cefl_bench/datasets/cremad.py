"""CREMA-D: Crowd-sourced Emotional Multimodal Actors. Cao et al., IEEE Transactions on Affective Computing 2014."""

import re
from pathlib import Path

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.crops import VIDEO, read_crops, report_of
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.files import inside, list_folder
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS

EMOTION_CODES = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
CLIP_NAME = re.compile(rf"(?P<actor>\d{{4}})_[A-Z]{{3}}_(?P<emotion>{'|'.join(EMOTION_CODES)})_[A-Z]{{2}}")
"""Actor, sentence, emotion, intensity."""
LAST_ACTORS = (1018, 1036, 1054, 1072, 1091)
"""The last test actor of each fold."""
BROKEN_CLIPS = ("1076_MTI_NEU_XX", "1076_MTI_SAD_XX", "1064_TIE_SAD_XX", "1064_IEO_DIS_MD")
"""Clips that are broken in the official copy, left out of training and test alike."""


@DATASETS.register_module()
class CREMAD(VideoDataset):
    """CREMA-D: 7,442 clips of 91 actors, in five folds by actor.

    Args:
        frames: which variant to read: `video`, as downloaded, or a folder of crops below the data root that
            `tools/prepare/cremad.py` made, such as `faces_224`. It belongs to the protocol.
        videos: the folder of the clips for `video`, `1001_DFA_ANG_XX.flv` and so on; other containers will do.
    """

    METAINFO = dict(
        key="cremad",
        name="CREMA-D",
        classes=("anger", "disgust", "fear", "happy", "neutral", "sad"),
        num_folds=5,
        num_clips=7_442,
        access=(
            "it is open: clone https://github.com/CheyneyComputerScience/CREMA-D with git-lfs so that it holds "
            "VideoFlash/1001_DFA_ANG_XX.flv, then cut out the faces with: python tools/prepare/cremad.py"
        ),
        licence="ODbL",
        url="https://github.com/CheyneyComputerScience/CREMA-D",
        citation="Cao et al., CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset",
    )

    def __init__(
        self,
        data_root: str,
        split: str,
        frames: str = VIDEO,
        videos: str = "VideoFlash",
        **kwargs: Unpack[DatasetOptions],
    ) -> None:
        self.frames, self.videos = frames, videos
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        if self.frames == VIDEO:
            return [inside(self.data_root, self.videos)]
        return [report_of(self.data_root, self.frames)]

    def load_entries(self) -> list[Entry]:
        (source,) = self.required_files()
        entries, strange, broken = [], [], []
        for path in sorted(list_folder(source) if self.frames == VIDEO else read_crops(source).values()):
            found = CLIP_NAME.fullmatch(path.stem)
            fold = _fold_of(int(found["actor"])) if found else None
            if found is None or fold is None:
                strange.append(path.name)
            elif path.stem in BROKEN_CLIPS:
                broken.append(path.name)
            elif self.in_split(fold):
                label = EMOTION_CODES.index(found["emotion"])
                entries.append(
                    Entry(name=path.stem, label=label, path=str(path), num_frames=-1, subject=found["actor"])
                )
        self.note_left_out("broken in the official copy", broken)
        self.note_left_out("not named like a clip of CREMA-D", strange)
        return entries


def _fold_of(actor: int) -> int | None:
    """The test fold of an actor; None when there is no such actor."""
    if not 1001 <= actor <= LAST_ACTORS[-1]:
        return None
    return 1 + sum(actor > last for last in LAST_ACTORS)
