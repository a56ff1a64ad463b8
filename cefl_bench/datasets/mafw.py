"""MAFW: compound expressions in the wild. Liu et al., ACM MM 2022, https://mafw-database.github.io/MAFW/"""

from pathlib import Path

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.lists import read_lines, split_last
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS


@DATASETS.register_module()
class MAFW(VideoDataset):
    """The 9,172 single-labelled clips of MAFW in five official folds.

    Circulating copies of folds 1 to 4 differ by one clip; the data fingerprint of a result tells which was used.

    Args:
        videos: the folder of the clips below the data root: files named as in the lists (`03747.mp4`), or folders of
            images of that name without the suffix.
    """

    METAINFO = dict(
        key="mafw",
        name="MAFW",
        classes=(
            *("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
            *("contempt", "anxiety", "helplessness", "disappointment"),
        ),
        num_folds=5,
        num_clips=9_172,
        access=(
            "it is given on application: send the agreement form of its web page from an institutional address, then "
            "unpack it so that it holds data/clips/03747.mp4 and split/single/no_caption/set_1/train.txt"
        ),
        licence="research only, by agreement",
        url="https://mafw-database.github.io/MAFW/",
        citation="Liu et al., MAFW: A Large-scale, Multi-modal, Compound Affective Database for Dynamic Facial "
        "Expression Recognition in the Wild",
    )

    def __init__(
        self, data_root: str, split: str, videos: str = "data/clips", **kwargs: Unpack[DatasetOptions]
    ) -> None:
        self.videos = videos
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        lists = Path("split", "single", "no_caption", f"set_{self.fold}", f"{self.split}.txt")
        return [inside(self.data_root, self.videos), Path(self.data_root) / lists]

    def load_entries(self) -> list[Entry]:
        folder, lists = self.required_files()
        entries = []
        for number, line in read_lines(lists):
            file, emotion = split_last(line)
            if not file or emotion not in self.classes:
                raise UserError(
                    f"{lists}, line {number}: {line!r}: expected <clip>.mp4 and one of {', '.join(self.classes)}"
                )
            path = inside(folder, file)
            if not path.exists() and path.with_suffix("").is_dir():
                path = path.with_suffix("")
            label = self.classes.index(emotion)
            entries.append(Entry(name=Path(file).stem, label=label, path=str(path), num_frames=-1))
        return entries
