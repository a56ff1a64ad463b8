"""Lists of one's own: folds, a split or both, and what is refused."""

import json

import pytest
from helpers.media import place_video, write_csv
from helpers.run import SYNTHETIC

from cefl_bench.config import load_config
from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.doctor.checks.lists import origins
from cefl_bench.doctor.corpus import list_corpora
from cefl_bench.doctor.findings import Examination
from cefl_bench.errors import UserError
from cefl_bench.files import corpus_root, inside
from cefl_bench.functional.protocol import protocol_id, protocol_of
from cefl_bench.plain import plain
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadAny
from cefl_bench.transforms.sample_clips import SampleClips


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


def test_crops_by_another_rule_are_another_protocol(tmp_path):
    videos = [["a", "a.mp4", "sad", "train"], ["b", "b.mp4", "happy", "test"]]
    write_csv(tmp_path / "videos.csv", "name,path,label,split", videos)
    facts = []
    for margin in (0.1, 1.5, None):
        folder = tmp_path / f"faces_{margin}"
        write_csv(folder / "faces.csv", "name,path", [[name, f"{folder.name}/{name}"] for name in "ab"])
        if margin:
            (folder / "rule.json").write_text(json.dumps({"version": 2, "margin": margin}))
        dataset = CSVVideos(str(tmp_path), "train", classes=("sad", "happy"), frames=folder.name)
        facts.append(dataset.protocol_facts())
    assert [fact["crops"] for fact in facts] == [
        {"version": 2, "margin": 0.1},
        {"version": 2, "margin": 1.5},
        "unknown",
    ]
    assert len({fact["lists"] for fact in facts}) == 1
    as_videos = CSVVideos(str(tmp_path), "train", classes=("sad", "happy"))
    assert as_videos.protocol_facts().keys() == {"lists"}
    config = plain(load_config(SYNTHETIC).to_dict())
    assert len({protocol_id(protocol_of(config, None, {"train": fact})) for fact in facts}) == 3


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
        ("name,path,label,split", [["", "a.mp4", "sad", "test"]], "line 2: name is empty: expected one in every row"),
        ("path,label,split", [["a.mp4", "sad", "train"]], "no column name: expected the header name,path,label"),
        ("name,path,label,split", [["a", "a", "sad", "train"]] * 2, "1 videos are listed twice"),
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


def in_training_and_test(*people):
    return [["a", "a", "sad", "train", people[0]], ["b", "b", "sad", "test", people[1]]]


@pytest.mark.parametrize("people", [("Zo\u00eb", "Zoe\u0308"), ("Anna  B", "Anna B"), ("Anna\u00a0B", "Anna B")])
def test_one_person_in_two_spellings_is_on_one_side(tmp_path, people):
    with pytest.raises(UserError, match=r"subject .* is in training"):
        sides(tmp_path, "name,path,label,split,subject", in_training_and_test(*people))


@pytest.mark.parametrize("people", [("S01", "s01"), ("1", "01"), ("Zoe", "Zo\u00eb")])
def test_names_that_differ_in_more_than_spelling_are_two_people(tmp_path, people):
    assert sides(tmp_path, "name,path,label,split,subject", in_training_and_test(*people)) == ["a", "b"]


def test_the_doctor_knows_a_film_in_two_spellings(tmp_path):
    rows = [["a", "a", "sad", "train", "Am\u00e9lie"], ["b", "b", "happy", "test", "Ame\u0301lie"]]
    write_csv(tmp_path / "videos.csv", "name,path,label,split,source", rows)
    config = load_config(SYNTHETIC)
    for loader in ("train_dataloader", "test_dataloader"):
        split = config[loader].dataset["split"]
        config[loader].dataset = dict(
            type=CSVVideos, data_root=str(tmp_path), split=split, classes=("sad", "happy"), pipeline=[]
        )
    (corpus,) = list_corpora(config)
    (finding,) = origins(Examination(config, corpus))
    assert "1 of 1 test videos share a source with training" in finding.text


@pytest.mark.parametrize("classes", [("sad",), ("sad", "sad")])
def test_classes_are_two_or_more_different_names(tmp_path, classes):
    with pytest.raises(UserError, match="expected two or more different names"):
        sides(tmp_path, "name,path,label,split", [["a", "a.mp4", "sad", "train"]], classes=classes)


def write_rows(root, *rows, header="name,path,label,split"):
    (root / "videos.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def labels_of(root, classes):
    dataset = CSVVideos(str(root), "train", classes=classes)
    return [dataset.get_data_info(index)["label"] for index in range(len(dataset))]


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((0, 1, 2), ("0", "1", "2")),
        (("0", 1, "two"), ("0", "1", "TWO")),
        (("Happy", "sad", "neutral"), ("happy", "SAD", "Neutral")),
        (("glücklich", "Trauer", "Straße"), ("glu\u0308cklich", "TRAUER", "STRASSE")),
        (("a", "A", "b"), ("a", "A", "B")),
    ],
)
def test_classes_are_known_in_other_letters_and_as_numbers(classes, words, tmp_path):
    write_rows(tmp_path, *(f"v{place},v{place}.mp4,{word},Train" for place, word in enumerate(words)))
    assert labels_of(tmp_path, classes) == [0, 1, 2]


@pytest.mark.parametrize(
    ("word", "classes"), [("aA", ("aa", "AA")), ("3", (0, 1)), ("", ("a", "b")), ("x" * 500, (0, 1))]
)
def test_a_label_that_is_no_class_is_named_with_its_line(word, classes, tmp_path):
    write_rows(tmp_path, f"v,v.mp4,{word},train")
    with pytest.raises(UserError, match=r"videos\.csv, line 2: label is ") as error:
        labels_of(tmp_path, classes)
    assert len(str(error.value)) < 400 and "\n" not in str(error.value)


@pytest.mark.parametrize("classes", ["happy", (1, "1"), ("sad", " "), (), ("sad", "sad ")])
def test_what_is_no_list_of_names_is_refused(classes, tmp_path):
    write_rows(tmp_path, "v,v.mp4,1,train")
    with pytest.raises(UserError, match="expected two or more different names"):
        labels_of(tmp_path, classes)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("z,v/a\0b.mp4,sad,train", r"path 'v/a\\x00b\.mp4' names no file"),
        ("z,,sad,train", "path '' names no file"),
        (f"z,{'x' * 140_000},sad,train", "line 3: not CSV"),
        (f"z,{'../' * 1000}a.mp4,sad,train", "leaves the data root"),
        ("z,v/../../a.mp4,sad,train", "leaves the data root"),
    ],
)
def test_a_row_that_can_name_no_video_is_one_line(row, said, tmp_path):
    write_rows(tmp_path, "a,a.mp4,happy,train", row)
    with pytest.raises(UserError, match=said) as error:
        labels_of(tmp_path, ("sad", "happy"))
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


READERS = [dict(type=ReadAny, size=40), dict(type=SampleClips), dict(type=Pack)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loop.mp4", r"loop\.mp4 .a link to loop\.mp4, where nothing is. does not exist"),
        ("x" * 300 + ".mp4", "File name too long"),
        ("a.mp4/b.mp4", r"a\.mp4/b\.mp4 does not exist"),
    ],
)
def test_a_path_that_leads_nowhere_is_one_line_when_it_is_read(name, said, tmp_path):
    write_rows(tmp_path, f"v,{name},sad,train")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "a.mp4").write_bytes(b"")
    dataset = CSVVideos(str(tmp_path), "train", classes=("sad", "happy"), pipeline=READERS)
    with pytest.raises(UserError, match=said) as error:
        dataset[0]
    assert "\n" not in str(error.value)


def test_what_is_laid_on_another_disk_is_followed_and_nothing_else(tmp_path):
    """Links for a folder, for a list and for one video; the owner of the data root made them."""
    disk, root = tmp_path / "big disk", tmp_path / "root"
    place_video(disk / "clips" / "a.mp4", 0)
    place_video(disk / "other" / "secret.mp4", 1)
    write_csv(disk / "list.csv", "name,path,label,split", [["a", "clips/a.mp4", "sad", "train"]])
    root.mkdir()
    (root / "clips").symlink_to(disk / "clips")
    (root / "videos.csv").symlink_to(disk / "list.csv")
    dataset = CSVVideos(str(root), "train", classes=("sad", "happy"), pipeline=READERS)
    assert dataset[0]["video"].any() and len(dataset.fingerprint()) == 64
    for path in ("clips/../../other/secret.mp4", "clips/../../../../etc/passwd"):
        with pytest.raises(UserError, match="leaves the data root"):
            inside(root, path)
    assert inside(root, "clips/../a.mp4") == root / "a.mp4", "not the folder above the link's target"


def test_a_link_to_a_disk_that_is_not_mounted_is_named(tmp_path):
    write_rows(tmp_path, "v,clips/v.mp4,sad,train")
    (tmp_path / "clips").symlink_to("/mnt/not there")
    dataset = CSVVideos(str(tmp_path), "train", classes=("sad", "happy"), pipeline=READERS)
    with pytest.raises(
        UserError, match=r"v\.mp4 .\S*/clips is a link to /mnt/not there, where nothing is. does not exist"
    ):
        dataset[0]
    (tmp_path / "videos.csv").unlink()
    (tmp_path / "videos.csv").symlink_to("/mnt/not there/videos.csv")
    with pytest.raises(
        UserError, match=r"missing .*videos\.csv .a link to /mnt/not there/videos\.csv, where nothing is"
    ):
        CSVVideos(str(tmp_path), "train", classes=("sad", "happy"))


def test_a_home_is_expanded_in_roots_and_in_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_csv(tmp_path / "corpora" / "mine" / "videos.csv", "name,path,label,split", [["a", "a.mp4", "sad", "train"]])
    for home, root in (
        ("~/corpora", "mine"),
        ("/elsewhere", "~/corpora/mine"),
        ("~/x", str(tmp_path / "corpora/mine")),
    ):
        monkeypatch.setenv("CEFL_BENCH_DATA", home)
        assert CSVVideos(root, "train", classes=("sad", "happy")).data_root == str(tmp_path / "corpora/mine")
    assert corpus_root("~nobody-of-that-name/x").name == "x", "no such user: a name like any other"


def test_where_data_is_missing_the_variable_is_named(tmp_path, monkeypatch):
    for home, said in (
        (str(tmp_path), "in the folder that CEFL_BENCH_DATA names"),
        (None, "set CEFL_BENCH_DATA where"),
    ):
        if home:
            monkeypatch.setenv("CEFL_BENCH_DATA", home)
        else:
            monkeypatch.delenv("CEFL_BENCH_DATA")
        with pytest.raises(UserError, match=rf"own videos is not at .*nothing here .data_root 'nothing here' .*{said}"):
            CSVVideos("nothing here", "train", classes=("sad", "happy"))
    with pytest.raises(UserError, match=rf"is not at {tmp_path}/nothing: missing"):
        CSVVideos(str(tmp_path / "nothing"), "train", classes=("sad", "happy"))
