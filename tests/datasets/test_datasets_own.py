"""Lists of one's own: folds, a split or both, and what is refused."""

import pytest
from helpers.media import write_csv

from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.errors import UserError


def sides(root, header, rows, num_folds=1, fold=1, classes=("sad", "happy")):
    write_csv(root / "videos.csv", header, rows)
    datasets = [
        CSVVideos(str(root), split, classes=classes, num_folds=num_folds, fold=fold) for split in ("train", "test")
    ]
    return ["".join(dataset.get_data_info(index)["name"] for index in range(len(dataset))) for dataset in datasets]


def test_a_split_a_fold_or_both(tmp_path):
    split = [["a", "a.mp4", "sad", "train"], ["b", "b.mp4", "happy", "test"]]
    assert sides(tmp_path, "name,path,label,split", split) == ["a", "b"]
    fold = [[name, f"{name}.mp4", "sad", number] for name, number in (("a", 1), ("b", 2), ("c", 3))]
    assert sides(tmp_path, "name,path,label,fold", fold, num_folds=3, fold=2) == ["ac", "b"]
    both = [["a", "a", "sad", 1, "train"], ["b", "b", "sad", 1, "test"], ["b", "b", "sad", 2, "train"]]
    both += [["a", "a", "sad", 2, "test"]]
    assert sides(tmp_path, "name,path,label,fold,split", both, num_folds=2, fold=1) == ["a", "b"]
    assert sides(tmp_path, "name,path,label,fold,split", both, num_folds=2, fold=2) == ["b", "a"]


def test_labels_follow_the_order_of_the_config(tmp_path):
    write_csv(tmp_path / "videos.csv", "name,path,label,split", [["a", "a.mp4", "happy", "train"]])
    for classes, label in ((("sad", "happy"), 1), (("happy", "sad"), 0)):
        dataset = CSVVideos(str(tmp_path), "train", classes=classes, name="mine")
        assert dataset.get_data_info(0)["label"] == label
        assert tuple(dataset.classes) == classes and dataset.METAINFO["name"] == "mine"
    assert CSVVideos.METAINFO["classes"] == (), "what one config says is not what the class says"


@pytest.mark.parametrize(
    ("header", "rows", "reason"),
    [
        ("name,path,label,split", [["a", "../a.mp4", "sad", "train"]], "leaves the data root"),
        ("name,path,label,split", [["a", "/etc/passwd", "sad", "train"]], "leaves the data root"),
        ("name,path,label,split", [["a", "a.mp4", "bored", "train"]], "line 2: label is 'bored': expected one of sad"),
        ("name,path,label,split", [["a", "a.mp4", "sad", "val"]], "line 2: split is 'val': expected train or test"),
        ("name,path,label,fold", [["a", "a.mp4", "sad", 2]], r"line 2: fold is '2': expected 1\.\.1"),
        ("name,path,label", [["a", "a.mp4", "sad"]], "line 2: no column fold or split"),
        ("path,label,split", [["a.mp4", "sad", "train"]], "no column name: expected the header name,path,label"),
        ("name,path,label,split", [["a", "a", "sad", "train"]] * 2, "1 videos stand twice"),
        ("name,path,label,split", [["a", "a.mp4", "sad", "test"]], "no video in split 'train'"),
        (
            "name,path,label,split,subject",
            [["a", "a", "sad", "train", "Zoë"], ["b", "b", "sad", "test", "Zoë"]],
            "subject 'Zoë' is in training .'a'. and in test .'b'. of fold 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_where_it_stands(tmp_path, header, rows, reason):
    with pytest.raises(UserError, match=reason) as error:
        sides(tmp_path, header, rows)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("classes", [("sad",), ("sad", "sad")])
def test_classes_are_two_or_more_different_names(tmp_path, classes):
    with pytest.raises(UserError, match="expected two or more different names"):
        sides(tmp_path, "name,path,label,split", [["a", "a.mp4", "sad", "train"]], classes=classes)
