"""FERV39k: expressions in 22 scenes. Wang et al., CVPR 2022, https://wangyanckxx.github.io/Proj_CVPR2022_FERV39k.html"""

from pathlib import Path

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.lists import read_lines, split_last
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS

CLIP_FOLDER = "2_ClipsforFaceCrop"


@DATASETS.register_module()
class FERV39k(VideoDataset):
    """The fixed split of FERV39k over all scenes: 31,088 training and 7,847 test clips, folders of cropped faces.

    Lists name the emotion in the path, `<Scene>/<Emotion>/<id> <label>`; the label is the emotion's name or its number
    from 0, and two orders of the numbers circulate. The path decides, and a label that disagrees is refused.
    """

    METAINFO = dict(
        key="ferv39k",
        name="FERV39k",
        classes=("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
        num_folds=1,
        num_clips=31_088 + 7_847,
        num_test_clips=(7_847,),
        access=(
            "it is given on application: send the agreement form of its web page, then unpack it so that it holds "
            "2_ClipsforFaceCrop/<Scene>/<Emotion>/<id>/*.jpg and 4_setups/All_scenes/train_All.csv, test_All.csv"
        ),
        licence="research only, by agreement",
        url="https://wangyanckxx.github.io/Proj_CVPR2022_FERV39k.html",
        citation="Wang et al., FERV39k: A Large-Scale Multi-Scene Dataset for Facial Expression Recognition in Videos",
    )

    def required_files(self) -> list[Path]:
        root = Path(self.data_root)
        return [root / CLIP_FOLDER, root / "4_setups" / "All_scenes" / f"{self.split}_All.csv"]

    def load_entries(self) -> list[Entry]:
        _, lists = self.required_files()
        orders = {"the order of DFEW": list(self.classes), "the alphabetical order": sorted(self.classes)}
        entries = []
        for number, line in read_lines(lists):
            where = f"{lists}, line {number}"
            name, label = split_last(line)
            name = name.strip("/").removeprefix(f"{CLIP_FOLDER}/")
            emotion = name.split("/")[-2].lower() if name.count("/") >= 2 else ""
            if emotion not in self.classes:
                raise UserError(
                    f"{where}: {line!r}: expected <Scene>/<Emotion>/<id> <label>, the emotion one of "
                    f"{', '.join(self.classes)}"
                )
            orders = self._agreeing(orders, where, emotion, label.lower())
            path = inside(self.data_root, f"{CLIP_FOLDER}/{name}")
            entries.append(Entry(name=name, label=self.classes.index(emotion), path=str(path), num_frames=-1))
        return entries

    def _agreeing(self, orders: dict[str, list[str]], where: str, emotion: str, label: str) -> dict[str, list[str]]:
        """Those of the orders in which `label` is `emotion`, when all lines before agreed with `orders`."""
        if label == emotion:
            return orders
        left = {name: order for name, order in orders.items() if label == str(order.index(emotion))}
        if not left:
            expected = " or ".join(f"{order.index(emotion)} by {name}" for name, order in orders.items())
            raise UserError(
                f"{where}: label is {label!r} but the path says {emotion!r}: expected {emotion!r}, or {expected} as "
                "the lines before; the list does not belong to these clips"
            )
        return left
