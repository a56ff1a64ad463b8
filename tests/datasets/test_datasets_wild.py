"""AFEW, FERV39k and MAFW: what their folders and lists may look like, and what is refused."""

import shutil
from pathlib import Path

import pytest
from helpers.media import moving_square, write_images, write_lines
from helpers.trees_wild import EMOTIONS, afew_tree, ferv39k_tree, mafw_tree

from cefl_bench.datasets.afew import AFEW
from cefl_bench.datasets.ferv39k import FERV39k
from cefl_bench.datasets.mafw import MAFW
from cefl_bench.errors import UserError
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadAny
from cefl_bench.transforms.sample_clips import SampleClips

PIPELINE = [dict(type=ReadAny, size=40), dict(type=SampleClips), dict(type=Pack)]


def infos(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def test_afew_reads_aligned_faces_or_avi_and_trains_on_train_alone(tmp_path):
    afew_tree(tmp_path)
    for frames, expected in (("aligned", (8, 8)), ("video", (12, 12))):
        for split, side in (("train", "Train_AFEW"), ("test", "Val_AFEW")):
            dataset = AFEW(str(tmp_path), split, frames=frames, pipeline=PIPELINE)
            assert all(side in entry["path"] for entry in infos(dataset)) and len(dataset) == 14
            lengths = [int(sample["frame_indices"].max()) + 1 for sample in (dataset[0], dataset[1])]
            assert tuple(lengths) == expected


@pytest.mark.parametrize("place", ["Train_AFEW/AlignedFaces_LBPTOP_Points", "AlignedFaces_LBPTOP_Points"])
def test_afew_finds_the_faces_where_archives_put_them(tmp_path, place):
    afew_tree(tmp_path)
    faces = tmp_path / "Train_AFEW" / "AlignedFaces_LBPTOP_Points"
    moved = shutil.move(faces / "Faces", tmp_path / "moved")
    faces.rmdir()
    shutil.move(moved, tmp_path / place)
    assert Path(infos(AFEW(str(tmp_path), "train"))[0]["path"]).parent == tmp_path / place


def test_afew_keeps_a_clip_without_a_face_in_the_test_set_and_counts_it_as_wrong(tmp_path):
    afew_tree(tmp_path)
    shutil.rmtree(tmp_path / "Val_AFEW" / "AlignedFaces_LBPTOP_Points_Val" / "Faces" / "10300440")
    samples = list(AFEW(str(tmp_path), "test", pipeline=PIPELINE, on_error="skip"))
    assert len(samples) == 14
    assert [sample["name"] for sample in samples if sample["unreadable"]] == ["10300440"]


def test_afew_without_an_emotion_names_it(tmp_path):
    afew_tree(tmp_path)
    shutil.rmtree(tmp_path / "Train_AFEW" / "Fear")
    with pytest.raises(UserError, match=r"missing .*Train_AFEW/Fear;"):
        AFEW(str(tmp_path), "train")
    with pytest.raises(UserError, match="frames is 'avi': expected aligned or video"):
        AFEW(str(tmp_path), "train", frames="avi")


@pytest.fixture(scope="module")
def ferv39k(tmp_path_factory):
    return ferv39k_tree(tmp_path_factory.mktemp("ferv39k"))


def ferv39k_lines(root, *lines):
    write_lines(root / "4_setups" / "All_scenes" / "train_All.csv", list(lines))
    return {entry["name"]: entry["label"] for entry in infos(FERV39k(str(root), "train"))}


def test_ferv39k_reads_both_orders_of_the_labels_and_words_alike(ferv39k):
    clips = [f"Action/{emotion}/0001" for emotion in EMOTIONS]
    expected = {clip: label for label, clip in enumerate(clips)}
    alphabetical = sorted(EMOTIONS)
    assert ferv39k_lines(ferv39k, *(f"{clip} {label}" for label, clip in enumerate(clips))) == expected
    by_alphabet = [f"{clip} {alphabetical.index(clip.split('/')[1])}" for clip in clips]
    assert ferv39k_lines(ferv39k, *by_alphabet) == expected
    assert ferv39k_lines(ferv39k, *(f"{clip} {clip.split('/')[1]}" for clip in clips)) == expected
    assert ferv39k_lines(ferv39k, "2_ClipsforFaceCrop/Daily Life/Sad/0002/\tSad") == {"Daily Life/Sad/0002": 1}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("Action/Sad/0001 Sad", "Action/Sad/0002 Happy"), "line 2: label is 'happy' but the path says 'sad'"),
        (("Action/Sad/0001 2",), "line 1: label is '2' .* 1 by the order of DFEW or 5 by the alphabetical order"),
        # the first line fits one order only, the second the other
        (("Action/Happy/0001 0", "Action/Sad/0002 5"), "line 2: label is '5' .* or 1 by the order of DFEW as the"),
        (("Action/Bored/0001 1",), "line 1: .* expected <Scene>/<Emotion>/<id> <label>"),
        (("0001 1",), "line 1: .* expected <Scene>/<Emotion>/<id> <label>"),
        (("../../Action/Sad/0001 Sad",), "leaves the data root"),
        (("Action/Sad/0001 Sad", "Action/Sad/0001 Sad"), "are listed twice"),
    ],
)
def test_ferv39k_refuses_a_list_that_disagrees_with_the_paths(ferv39k, lines, reason):
    with pytest.raises(UserError, match=reason):
        ferv39k_lines(ferv39k, *lines)


def test_mafw_takes_frame_folders_in_the_place_of_files(tmp_path):
    mafw_tree(tmp_path)
    write_images(tmp_path / "data" / "frames" / "00100", moving_square(12, 0))
    by_name = {entry["name"]: entry["path"] for entry in infos(MAFW(str(tmp_path), "test", videos="data/frames"))}
    assert by_name["00100"].endswith("frames/00100") and by_name["00101"].endswith("frames/00101.mp4")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("00100.mp4 bored", "train.txt, line 2: '00100.mp4 bored': expected <clip>.mp4 and one of anger, disgust"),
        ("anger", "train.txt, line 2: 'anger': expected <clip>.mp4"),
        ("../../secret.mp4 anger", "leaves the data root"),
        ("/etc/passwd anger", "leaves the data root"),
    ],
)
def test_mafw_refuses_other_lines(tmp_path, line, reason):
    mafw_tree(tmp_path)
    write_lines(tmp_path / "split/single/no_caption/set_1/train.txt", ["00101.mp4 disgust", line])
    with pytest.raises(UserError, match=reason):
        MAFW(str(tmp_path), "train")
