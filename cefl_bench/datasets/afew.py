"""AFEW: Acted Facial Expressions in the Wild, of EmotiW. Dhall et al., IEEE MultiMedia 2012."""

from pathlib import Path

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.errors import UserError
from cefl_bench.files import list_folder
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS

FOLDERS = {
    "train": ("Train_AFEW", "AlignedFaces_LBPTOP_Points"),
    "test": ("Val_AFEW", "AlignedFaces_LBPTOP_Points_Val"),
}
"""Labels of the official test set are not public: everybody trains on train and tests on val."""


@DATASETS.register_module()
class AFEW(VideoDataset):
    """AFEW 7/8: trained on its training set, tested on its validation set.

    What stands in the folders of the emotions is the list: a clip without a face stays in it, so that it counts.

    Args:
        frames: `aligned`, the aligned faces that come with it, or `video`, the .avi files.
    """

    METAINFO = dict(
        key="afew",
        name="AFEW",
        classes=("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
        num_folds=1,
        num_clips=773 + 383,
        num_test_clips=(383,),
        # of the test clips, the 381 in which a face was found
        class_counts={"train": (150, 117, 142, 135, 74, 74, 81), "test": (62, 61, 64, 63, 45, 40, 46)},
        access=(
            "it is given on application: send its organisers the signed agreement form, then unpack it so that it "
            "holds Train_AFEW/Happy/*.avi, Val_AFEW/Happy/*.avi and the aligned faces "
            "Train_AFEW/AlignedFaces_LBPTOP_Points, Val_AFEW/AlignedFaces_LBPTOP_Points_Val"
        ),
        licence="research only, by agreement",
        url="https://cs.anu.edu.au/few/AFEW.html",
        citation="Dhall et al., Collecting Large, Richly Annotated Facial-Expression Databases from Movies",
    )

    def __init__(self, data_root: str, split: str, frames: str = "aligned", **kwargs: Unpack[DatasetOptions]) -> None:
        if frames not in ("aligned", "video"):
            raise UserError(f"AFEW: frames is {frames!r}: expected aligned or video")
        self.frames = frames
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        videos, _ = FOLDERS[self.split]
        emotions = [Path(self.data_root) / videos / emotion.capitalize() for emotion in self.classes]
        return [*emotions, *([self._faces()] if self.frames == "aligned" else [])]

    def load_entries(self) -> list[Entry]:
        entries = []
        for label, folder in enumerate(self.required_files()[: len(self.classes)]):
            for video in sorted(file for file in list_folder(folder) if file.suffix.lower() == ".avi"):
                path = video if self.frames == "video" else self._faces() / video.stem
                entries.append(Entry(name=video.stem, label=label, path=str(path), num_frames=-1))
        return entries

    def _faces(self) -> Path:
        """The folder that holds a folder of aligned faces per clip; archives differ in what they put it into."""
        videos, faces = FOLDERS[self.split]
        root = Path(self.data_root)
        for folder in (root / videos / faces, root / faces):
            for place in (folder / "Faces", folder):
                if place.is_dir():
                    return place
        return root / videos / faces
