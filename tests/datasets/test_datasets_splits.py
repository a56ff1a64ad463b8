"""Splits that the base class makes of an adapter's: a part to validate on, both sides, and another corpus's classes."""

import pytest
from helpers.media import write_csv
from helpers.run import tree_folder

from cefl_bench.datasets.cremad import CREMAD
from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.datasets.ravdess import RAVDESS
from cefl_bench.errors import UserError
from cefl_bench.registry import DATASETS, registered

ADAPTERS = registered(DATASETS)
ONE_PERSON_OR_VIDEO = ("CSVVideos", "DFEW", "FERV39k")
"""Their trees have one person, or one video of a class, to train on."""
MAP = dict(angry="anger", disgust="disgust", fearful="fear", happy="happy", neutral="neutral", sad="sad")


def entries(cls, root, split, **arguments):
    dataset = cls(**cls.tiny | {"data_root": str(root), "split": split} | arguments)
    return {entry["name"]: entry for entry in (dataset.get_data_info(index) for index in range(len(dataset)))}


@pytest.mark.parametrize("name", sorted(set(ADAPTERS) - set(ONE_PERSON_OR_VIDEO)))
def test_nobody_is_on_two_sides_and_nothing_is_lost(name, data_home):
    cls, root = ADAPTERS[name], data_home / tree_folder(name)
    for fold in range(1, cls.METAINFO["num_folds"] + 1):
        whole = entries(cls, root, "train", fold=fold)
        parts = {split: entries(cls, root, split, fold=fold, holdout=0.2) for split in ("train", "val", "test")}
        assert parts["train"].keys() | parts["val"].keys() == whole.keys()
        assert len(parts["train"]) + len(parts["val"]) == len(whole) and parts["val"]
        assert parts["test"].keys() == entries(cls, root, "test", fold=fold).keys()
        assert not parts["test"].keys() & whole.keys()
        people = [{entry["subject"] for entry in part.values() if "subject" in entry} for part in parts.values()]
        assert not (people[0] & people[1] or people[0] & people[2] or people[1] & people[2])
        assert all(people) or name in ("AFEW", "MAFW"), "the corpus says who is in a video, and the entries do not"


@pytest.mark.parametrize("name", ONE_PERSON_OR_VIDEO)
def test_a_corpus_that_is_too_small_is_refused(name, data_home):
    with pytest.raises(UserError, match="too few to hold some out"):
        entries(ADAPTERS[name], data_home / tree_folder(name), "val", holdout=0.2)


def test_a_video_of_unknown_people_is_held_out_alone(tmp_path):
    rows = [[f"{label}{take}", "x.mp4", label, "train", "Zoë" * (take < 4)] for label in "ab" for take in range(10)]
    write_csv(tmp_path / "videos.csv", "name,path,label,split,subject", rows)
    val = entries(CSVVideos, tmp_path, "val", holdout=0.2, classes=("a", "b"), num_folds=1)
    assert 2 <= len(val) <= 6 and not any("subject" in entry for entry in val.values())


def test_held_out_labels_stay_when_those_of_training_are_shuffled(data_home):
    for split, same in (("val", True), ("train", False)):
        args = CREMAD, data_home / "cremad", split
        plain, shuffled = (entries(*args, holdout=0.2, shuffle_labels=shuffle) for shuffle in (False, True))
        assert (plain == shuffled) is same and plain.keys() == shuffled.keys()


@pytest.mark.parametrize("name", ADAPTERS)
def test_all_is_both_sides(name, data_home):
    cls, root = ADAPTERS[name], data_home / tree_folder(name)
    both = entries(cls, root, "all").keys()
    assert both == entries(cls, root, "train").keys() | entries(cls, root, "test").keys()


def test_another_corpus_in_the_classes_of_a_model(data_home):
    dataset = RAVDESS(str(data_home / "ravdess"), "all", classes_as=CREMAD, label_map=MAP)
    assert len(dataset) == 6 * 6 and dataset.label_classes == CREMAD.METAINFO["classes"]
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        here = RAVDESS.METAINFO["classes"][int(entry["name"][6:8]) - 1]
        assert dataset.label_classes[entry["label"]] == MAP[here]
    left_out = [note for note in dataset.notes if "no class of the model's" in note]
    assert ["'calm'" in note or "'surprised'" in note for note in left_out] == [True, True]
    assert all("6 left out" in note for note in left_out) and len(set(dataset.notes)) == len(dataset.notes)
    merged = RAVDESS(
        str(data_home / "ravdess"),
        "test",
        classes_as=("neutral", "x", "sad"),
        label_map=dict(calm="neutral", neutral="neutral", sad="sad"),
    )
    assert sorted(merged.get_data_info(index)["label"] for index in range(len(merged))) == [0, 0, 2]
    assert merged[0]["allowed_classes"].tolist() == [True, False, True], "x is no answer"
    alone = [RAVDESS(str(data_home / "ravdess"), split) for split in ("test", "train")]
    assert [part.num_official_clips() for part in (*alone, merged)] == [240, None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(classes_as=CREMAD, label_map=dict(joy="happy", sad="sad")), "'joy' is no class of this corpus"),
        (dict(classes_as=CREMAD, label_map=dict(happy="joy", sad="sad")), "'joy' is no class in classes_as"),
        (dict(classes_as=CREMAD, label_map=dict(happy="happy", calm="happy")), "leads to 1 classes"),
        (dict(classes_as=CREMAD), "belong together"),
        (dict(label_map=MAP), "belong together"),
        (dict(holdout=0.7), "holdout is 0.7"),
    ],
    ids=["not ours", "not theirs", "one class", "no map", "no classes", "too much"],
)
def test_what_does_not_fit_is_refused(arguments, message, data_home):
    with pytest.raises(UserError, match=message) as error:
        RAVDESS(str(data_home / "ravdess"), "train", **arguments)
    assert "\n" not in str(error.value)


def test_no_video_of_the_classes_that_a_map_names_is_refused(tmp_path):
    write_csv(tmp_path / "videos.csv", "name,path,label,split", [["1", "x.mp4", "a", "test"]])
    named = dict(classes=("a", "b", "c"), classes_as=("x", "y"), label_map=dict(b="x", c="y"), num_folds=1)
    with pytest.raises(UserError, match="no video of a class that label_map names"):
        entries(CSVVideos, tmp_path, "test", **named)


def test_a_fingerprint_is_of_names_labels_and_sizes_wherever_the_files_lie(tmp_path):
    def of(place, name="1", label="a", content=b"12"):
        write_csv(tmp_path / place / "videos.csv", "name,path,label,split", [[name, "x.mp4", label, "test"]])
        (tmp_path / place / "x.mp4").write_bytes(content)
        return CSVVideos(str(tmp_path / place), "test", classes=("a", "b"), num_folds=1).fingerprint()

    one = of("here")
    assert of("there") == one
    assert len({one, of("here", name="2"), of("here", label="b"), of("here", content=b"123")}) == 4
