"""RAVDESS: Ryerson Audio-Visual Database of Emotional Speech and Song. Livingstone and Russo, PLoS ONE 2018."""

import re
from pathlib import Path

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.crops import VIDEO, read_crops, report_of
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.files import list_tree
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS

CLIP_NAME = re.compile(
    r"(?P<modality>0[123])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<statement>0[12])-"
    r"(?P<repetition>0[12])-(?P<actor>0[1-9]|1\d|2[0-4])"
)
VIDEO_ONLY, SPEECH = "02", "01"
ACTORS_PER_FOLD = 4


@DATASETS.register_module()
class RAVDESS(VideoDataset):
    """The 1,440 video-only speech clips of RAVDESS, in six folds of four actors.

    The same takes with sound (modality 01) and the songs (channel 02) are left out where they lie beside them.

    Args:
        frames: which variant to read: `video`, as downloaded, or a folder of crops below the data root that
            `tools/prepare/ravdess.py` made, such as `faces_224`. It belongs to the protocol.
    """

    METAINFO = dict(
        key="ravdess",
        name="RAVDESS",
        classes=("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
        num_folds=6,
        num_clips=1_440,
        num_test_clips=(240,) * 6,
        access=(
            "it is open: download Video_Speech_Actor_01.zip to Video_Speech_Actor_24.zip from "
            "https://zenodo.org/records/1188976 and unpack them so that it holds Actor_01/02-01-06-01-02-01-01.mp4, "
            "then cut out the faces with: python tools/prepare/ravdess.py"
        ),
        licence="CC BY-NC-SA 4.0",
        url="https://zenodo.org/records/1188976",
        citation="Livingstone and Russo, The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS)",
    )

    def __init__(self, data_root: str, split: str, frames: str = VIDEO, **kwargs: Unpack[DatasetOptions]) -> None:
        self.frames = frames
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        return [Path(self.data_root) if self.frames == VIDEO else report_of(self.data_root, self.frames)]

    def load_entries(self) -> list[Entry]:
        (source,) = self.required_files()
        entries, strange, others = [], [], []
        paths = list_tree(source, ".mp4") if self.frames == VIDEO else read_crops(source).values()
        # by actor, as the folders of the videos are
        for path in sorted(paths, key=lambda path: (path.stem[-2:], path.stem)):
            found = CLIP_NAME.fullmatch(path.stem)
            if not found:
                strange.append(path.name)
            elif (found["modality"], found["channel"]) != (VIDEO_ONLY, SPEECH):
                others.append(path.name)
            elif self.in_split(1 + (int(found["actor"]) - 1) // ACTORS_PER_FOLD):
                label = int(found["emotion"]) - 1
                entries.append(
                    Entry(name=path.stem, label=label, path=str(path), num_frames=-1, subject=found["actor"])
                )
        self.note_left_out("with sound, or sung", others)
        self.note_left_out("not named like a clip of RAVDESS", strange)
        return entries
