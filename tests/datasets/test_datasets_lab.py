"""MMI, BU-3DFE, CREMA-D and RAVDESS: what is left out, whose fold it is, and what is refused."""

import numpy as np
import pytest
from helpers.media import moving_square, place_video, write_csv, write_images, write_lines
from helpers.trees_lab import bu3dfe_static_tree, bu3dfe_tree, cremad_tree, mmi_session, mmi_tree, ravdess_tree

from cefl_bench.datasets.bu3dfe import BU3DFE
from cefl_bench.datasets.cremad import CREMAD
from cefl_bench.datasets.mmi import MMI
from cefl_bench.datasets.ravdess import RAVDESS
from cefl_bench.errors import UserError
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadFrames
from cefl_bench.transforms.sample_clips import SampleClips


def infos(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


@pytest.fixture
def mmi(tmp_path):
    return mmi_tree(tmp_path / "mmi")


def test_mmi_leaves_out_what_is_no_sequence_of_the_protocol_and_says_so(mmi):
    dataset = MMI(str(mmi), "test", fold=1)
    assert [entry["label"] for entry in infos(dataset)] == [0, 1, 2, 3, 4, 5]
    assert {entry["subject"] for entry in infos(dataset)} == {"S001"}
    notes = "; ".join(dataset.notes)
    assert "1 left out, emotion above 6 (other), such as session 901" in notes
    assert "1 left out, view 1 instead of 0, such as session 902" in notes
    assert "1 left out, a still image, such as session 903" in notes
    assert "1 left out, without an emotion, such as session 904" in notes
    assert len(infos(MMI(str(mmi), "test", fold=1, views=(0, 1)))) == 7


def test_mmi_takes_the_apex_from_the_action_units(mmi):
    entries = infos(MMI(str(mmi), "test", fold=1))
    # frames count from 1 in the file; the units reach their apexes at 6 and 7 and leave them at 9 and 11
    assert [entry.get("apex") for entry in entries] == [(5, 10)] * 5 + [None]


def in_dropped_crops(root):
    """The test videos of MMI as crops of which the frames without a face were dropped."""
    names = [entry["name"] for side in ("train", "test") for entry in infos(MMI(str(root), side, fold=1))]
    rows = [[name, f"faces_9/{name}", 14, 9, "drop"] for name in names]
    write_csv(root / "faces_9" / "faces.csv", "name,path,num_frames,num_faces,policy", rows)
    return MMI(str(root), "test", fold=1, frames="faces_9", pipeline=[dict(type=ReadFrames, size=9)])


@pytest.mark.parametrize("kept", [range(1, 15), range(5, 15), range(1, 15, 3), [8], [1, 2, 13], [3, 9, 10, 12]])
def test_mmi_finds_the_apex_among_the_frames_that_were_not_dropped(mmi, kept):
    """The frames of the apex, the sixth to the tenth, are bright."""
    folder = mmi / "faces_9" / "11" / "S001-101"
    for number in kept:
        bright = np.full((1, 9, 9, 3), 200 if 6 <= number <= 10 else 50, np.uint8)
        write_images(folder, bright, name="{:06d}.jpg", first=number)
    sample = in_dropped_crops(mmi)._read(0)
    brightness = sample["frames"].fetch(np.arange(len(kept))).mean(axis=(1, 2, 3))
    assert list(range(*sample.get("apex", (0, 0)))) == np.flatnonzero(brightness > 128).tolist()


def test_mmi_knows_no_apex_where_the_crops_are_gone_and_names_an_image_that_is_no_crop(mmi):
    assert "apex" not in infos(in_dropped_crops(mmi))[0]
    write_images(mmi / "faces_9" / "11" / "S001-101", moving_square(1, 0), name="cover_{}.jpg")
    with pytest.raises(UserError, match=r"cover_1\.jpg is no crop"):
        infos(in_dropped_crops(mmi))


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("S001-101.xml", "<Metadata><Metatag", r"S001-101\.xml is not XML"),
        ("S001-101.xml", '<!DOCTYPE a [<!ENTITY b "c">]><Metadata/>', "declares a document type"),
        ("S001-101.xml", '<Metadata><Metatag Name="Emotion" Value="joy"/></Metadata>', "Value of Metatag is 'joy'"),
        ("session.xml", "<session/>", "no track says its view"),
        ("session.xml", '<session><track view="left"/></session>', "view of track is 'left'"),
        ("S001-101-oao_aucs.xml", '<A><ActionUnit Number="1"><Marker Type="2"/></ActionUnit></A>', "Frame of Marker"),
    ],
)
def test_mmi_names_a_broken_annotation(mmi, file, text, reason):
    write_lines(mmi / "Sessions" / "11" / file, [text])
    with pytest.raises(UserError, match=reason) as error:
        MMI(str(mmi), "train")
    assert file in str(error.value) and "\n" not in str(error.value)


def test_mmi_wants_session_and_subject_of_every_sequence(mmi):
    (mmi / "Sessions" / "11" / "session.xml").unlink()
    with pytest.raises(UserError, match=r"session\.xml does not exist"):
        MMI(str(mmi), "train")
    mmi_session(mmi, 11, "S001-101", 1)
    mmi_session(mmi, 905, "nobody", emotion=3)
    with pytest.raises(UserError, match=r"nobody\.xml: expected a name like S001-101"):
        MMI(str(mmi), "train")


@pytest.mark.parametrize(("cls", "build"), [(MMI, mmi_tree), (BU3DFE, bu3dfe_tree)])
def test_without_folds_the_tool_that_makes_them_is_named(tmp_path, cls, build):
    build(tmp_path)
    (tmp_path / "folds.csv").unlink()
    with pytest.raises(UserError, match=rf"missing .*folds\.csv.*python tools/prepare/{cls.METAINFO['key']}\.py"):
        cls(str(tmp_path), "train")


def test_bu3dfe_turns_four_intensities_into_a_video_of_four_frames(tmp_path):
    bu3dfe_static_tree(tmp_path)
    pipeline = [dict(type=ReadFrames, size=40), dict(type=SampleClips), dict(type=Pack)]
    dataset = BU3DFE(str(tmp_path), "test", layout="static", pipeline=pipeline)
    assert [entry["label"] for entry in infos(dataset)] == [0, 1, 2, 3, 4, 5]
    assert infos(dataset)[3]["images"] == [f"F0001_HA0{number}WH_F2D.bmp" for number in (1, 2, 3, 4)]
    video = dataset[3]["video"].reshape(-1, 40, 40, 3)
    # the square moves from weak to strong in each of four clips, which the 16 frames are divided into
    columns = [int((frame[6:20].sum(axis=(0, 2)) * 1.0).argmax()) for frame in video]
    assert columns == sorted(set(columns)) * 4 and len(set(columns)) == 4


def test_bu3dfe_tells_the_other_layout_a_lost_intensity_and_a_strange_folder(tmp_path):
    bu3dfe_static_tree(tmp_path / "static")
    with pytest.raises(UserError, match="no subject of the dynamic layout: it holds the static one: set layout='stat"):
        BU3DFE(str(tmp_path / "static"), "train")
    (tmp_path / "static" / "F0001" / "F0001_SA03WH_F2D.bmp").unlink()
    with pytest.raises(UserError, match="F0001: expression SA has intensities 01, 02, 04: expected 01 to 04"):
        BU3DFE(str(tmp_path / "static"), "train", layout="static")
    bu3dfe_tree(tmp_path / "dynamic")
    (tmp_path / "dynamic" / "F001" / "Yawn").mkdir()
    with pytest.raises(UserError, match="F001/Yawn: expected a folder named after one of angry, disgust"):
        BU3DFE(str(tmp_path / "dynamic"), "train")
    with pytest.raises(UserError, match="layout is '4d': expected dynamic or static"):
        BU3DFE(str(tmp_path / "dynamic"), "train", layout="4d")


def test_cremad_folds_by_actor_and_leaves_out_the_clips_known_to_be_broken(tmp_path):
    cremad_tree(tmp_path)
    actors = [{entry["subject"] for entry in infos(CREMAD(str(tmp_path), "test", fold=fold))} for fold in range(1, 6)]
    assert actors == [{"1001", "1018"}, {"1019", "1036"}, {"1037", "1054"}, {"1055", "1072"}, {"1073", "1091"}]
    place_video(tmp_path / "VideoFlash" / "1092_DFA_ANG_XX.flv", 0)
    notes = "; ".join(CREMAD(str(tmp_path), "test").notes)
    assert "2 left out, broken in the official copy, such as 1064_IEO_DIS_MD.flv" in notes
    assert "2 left out, not named like a clip of CREMA-D, such as 1092_DFA_ANG_XX.flv" in notes
    place_video(tmp_path / "VideoFlash" / "1001_DFA_ANG_XX.mp4", 0)
    with pytest.raises(UserError, match=r"1 videos are listed twice .* such as '1001_DFA_ANG_XX'"):
        CREMAD(str(tmp_path), "test")


def test_ravdess_takes_speech_without_sound_and_folds_by_four_actors(tmp_path):
    ravdess_tree(tmp_path)
    folds = [RAVDESS(str(tmp_path), "test", fold=fold) for fold in range(1, 7)]
    assert [{entry["subject"] for entry in infos(fold)} for fold in folds] == [
        {"01"}, {"08"}, {"09"}, {"16"}, {"17"}, {"24"},
    ]  # fmt: skip
    assert all(entry["name"].startswith("02-01-") for fold in folds for entry in infos(fold))
    assert "12 left out, with sound, or sung" in folds[0].notes[0]
    place_video(tmp_path / "Actor_25" / "02-01-01-01-01-01-25.mp4", 0)
    assert "1 left out, not named like a clip of RAVDESS" in RAVDESS(str(tmp_path), "test").notes[1]
