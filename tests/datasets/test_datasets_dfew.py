"""The dialects of DFEW's lists: counted from 1 or from 0, a CSV or words with another disk's paths; and what is not."""

import pytest
from helpers.media import place_video, write_lines
from helpers.trees_wild import dfew_tree

from cefl_bench.datasets.dfew import DFEW
from cefl_bench.errors import UserError

OFFICIAL = "EmoLabel_DataSplit/train(single-labeled)/set_1.csv"
OF_TEST = "EmoLabel_DataSplit/test(single-labeled)/set_1.csv"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return dfew_tree(tmp_path_factory.mktemp("dfew"))


@pytest.fixture
def entries(tree):
    """Reads lists of these lines in the place of the official ones: of training, and of test where it has any."""
    official = {path: path.read_bytes() for path in (tree / OFFICIAL, tree / OF_TEST)}

    def read(*lines, test=(), split="train"):
        write_lines(tree / OFFICIAL, list(lines))
        (tree / OF_TEST).unlink(missing_ok=True)
        if test:
            write_lines(tree / OF_TEST, list(test))
        dataset = DFEW(str(tree), split)
        return [dataset.get_data_info(index) for index in range(len(dataset))]

    yield read
    for path, content in official.items():
        path.write_bytes(content)


def labels(entries):
    return {entry["name"]: entry["label"] for entry in entries}


def test_the_official_list_counts_from_one(entries):
    assert labels(entries("video_name,label", "101,1", "102,7")) == {"00101": 0, "00102": 6}
    assert labels(entries("video_name;label", "101;1", "102;7")) == {"00101": 0, "00102": 6}, "saved by Excel"


def test_a_redistributed_list_counts_from_zero_and_its_paths_are_somebody_elses(entries):
    read = entries("/data/DFEW frames/00101 12 0", "D:\\dfew\\00102\\ 12 6", "../../00103/ 12 3")
    assert labels(read) == {"00101": 0, "00102": 6, "00103": 3}
    assert read[0]["path"].endswith("Clip/clip_224x224/00101") and read[0]["num_frames"] == 12


def test_the_range_decides_where_it_can_and_the_dialect_where_both_fit(entries):
    assert labels(entries("video_name,label", "101,0", "102,6")) == {"00101": 0, "00102": 6}
    assert labels(entries("frames/00101 12 1", "frames/00102 12 7")) == {"00101": 0, "00102": 6}
    assert labels(entries("video_name,label", "101,2", "102,3")) == {"00101": 1, "00102": 2}
    assert labels(entries("frames/00101 12 2", "frames/00102 12 3")) == {"00101": 2, "00102": 3}


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (("video_name,label", "101,0", "102,6"), ("video_name,label", "151,1", "152,6"), ([0, 6], [1, 6])),
        (("video_name,label", "101,1", "102,6"), ("video_name,label", "151,0", "152,3"), ([1, 6], [0, 3])),
        (("frames/00101 12 1", "frames/00102 12 7"), ("frames/00151 12 1", "frames/00152 12 3"), ([0, 6], [0, 2])),
        (("frames/00101 12 1", "frames/00102 12 6"), ("video_name,label", "151,1", "152,6"), ([1, 6], [0, 5])),
    ],
)
def test_both_lists_of_a_fold_count_alike(entries, train, test, expected):
    """A class that is in one of the two lists tells how both count, unless each is in a dialect of its own."""
    for split, of_split in zip(("train", "test"), expected, strict=True):
        assert list(labels(entries(*train, test=test, split=split)).values()) == of_split


@pytest.mark.parametrize("split", ["train", "test"])
def test_lists_of_a_fold_that_count_in_two_ways_are_refused(entries, split):
    both = r"from 0 to 6 in .*train.*from 1 to 7 in .*test|from 1 to 7 in .*test.*from 0 to 6 in .*train"
    with pytest.raises(UserError, match=rf"labels reach ({both}).*: expected both lists of a fold") as error:
        entries("video_name,label", "1,0", "2,6", test=("video_name,label", "3,1", "4,7"), split=split)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("video_name,label", "101,0", "102,7"), "labels reach from 0 to 7: expected 1..7"),
        (("frames/00101 12 3", "frames/00102 12 8"), "labels reach from 3 to 8: expected 1..7"),
        (("video_name,label", "101,1", "102,happy"), r"set_1.csv, line 3: label is 'happy'"),
        (("video_name,label", "101,1", "", "clip,2"), r"set_1.csv, line 4: video_name is 'clip'"),
        (("video_name,label", "101"), r"set_1.csv, line 2: 1 cells below 2 columns, none for .label."),
        (("name,label", "101,1"), "no column video_name"),
        (("frames/00101 12 0", "frames/00102 1"), r"set_1.csv, line 2: 'frames/00102 1': expected the header"),
        (("frames/00101 twelve 0",), r"line 1: num frames is 'twelve'"),
        (("frames/../.. 12 0",), r"line 1: video_name is '..'"),
        (("video_name,label", "101,1", "00101,2"), "1 videos are listed twice .* such as '00101'"),
        ((), "is empty"),
    ],
)
def test_what_fits_neither_is_refused_where_it_stands(entries, lines, reason):
    with pytest.raises(UserError, match=reason) as error:
        entries(*lines)
    assert "set_1.csv" in str(error.value) or "DFEW" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_list_that_is_not_text_is_refused(tree, entries):
    (tree / OFFICIAL).write_bytes("video_name,label\n101,1\n".encode("utf-16"))
    with pytest.raises(UserError, match=r"set_1\.csv is not a UTF-8 text file"):
        DFEW(str(tree), "train")


def test_lists_may_stand_elsewhere_but_not_outside_the_root(tree):
    write_lines(tree / "annotation" / "DFEW_set_1_train.txt", ["frames/00101 12 0"])
    dataset = DFEW(str(tree), "train", lists="annotation/DFEW_set_{fold}_{split}.txt")
    assert dataset.get_data_info(0)["name"] == "00101"
    for arguments in (dict(lists="../set_{fold}.csv"), dict(frames="../../outside")):
        with pytest.raises(UserError, match="leaves the data root"):
            DFEW(str(tree), "train", **arguments)


def test_the_original_videos_are_files(tree):
    place_video(tree / "Clip" / "original" / "00101.mp4", 0)
    dataset = DFEW(str(tree), "train", frames="original")
    assert dataset.get_data_info(0)["path"].endswith("original/00101.mp4")
