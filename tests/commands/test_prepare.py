"""The tools in tools/prepare: what they say of a corpus, and that its adapter reads what they make."""

import shutil
import time

import pytest
from helpers.media import write_csv
from helpers.run import ROOT, run_tool, tree_folder

from cefl_bench.commands.prepare import check_corpus, videos_listed
from cefl_bench.datasets.crops import in_crops
from cefl_bench.datasets.dfew import DFEW
from cefl_bench.errors import UserError
from cefl_bench.registry import DATASETS, registered
from cefl_bench.transforms.read import ReadFrames

ADAPTERS = registered(DATASETS)


def entries(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


@pytest.mark.parametrize("name", sorted(set(ADAPTERS) - {"SyntheticFaces"}))
def test_every_corpus_has_a_tool_that_says_where_to_get_it(name, tmp_path):
    meta = ADAPTERS[name].METAINFO
    assert (ROOT / "tools" / "prepare" / f"{meta['key']}.py").exists()
    missing = run_tool(f"prepare/{meta['key']}.py", "--root", "nowhere", check=False, cwd=tmp_path)
    assert (missing.returncode, missing.stdout, missing.stderr.count("\n")) == (1, "", 1), missing.stderr
    assert missing.stderr.startswith("error: ") and "nowhere" in missing.stderr
    text = run_tool(f"prepare/{meta['key']}.py", "--help").stdout
    assert f"tools/prepare/{meta['key']}.py" in text and meta["url"] in text and f"licence  {meta['licence']}\n" in text


def copy_of(name, data_home, tmp_path):
    root = tmp_path / "corpus"
    shutil.copytree(data_home / tree_folder(name), root)
    return ADAPTERS[name], root


def check_crops(adapter, root, frames):
    """The adapter gives the same videos in the same order, whichever variant it reads."""
    for split in ("train", "test"):
        videos, crops = (entries(adapter(str(root), split, fold=2, frames=variant)) for variant in ("video", frames))
        assert videos
        for video, crop in zip(videos, crops, strict=True):
            assert crop | {"path": ""} == video | {"path": ""}
            assert crop["path"] == str(root / frames / video["name"])


@pytest.mark.parametrize("name", ("CREMAD", "MMI", "RAVDESS"))
def test_an_adapter_reads_the_crops_of_its_videos(name, data_home, tmp_path):
    adapter, root = copy_of(name, data_home, tmp_path)
    with pytest.raises(UserError, match=rf"faces_9/faces.csv.*python tools/prepare/{adapter.METAINFO['key']}\.py"):
        adapter(str(root), "train", frames="faces_9")
    videos = [entry["name"] for split in ("test", "train") for entry in entries(adapter(str(root), split))]
    write_csv(
        root / "faces_9" / "faces.csv",
        "name,path,num_frames,num_faces,policy",
        [[video, f"faces_9/{video}", 9, 9, "keep-last"] for video in videos],
    )
    check_crops(adapter, root, "faces_9")


@pytest.mark.slow
@pytest.mark.parametrize("name", ("MMI", "RAVDESS"))
def test_a_tool_makes_what_its_adapter_reads(name, data_home, tmp_path):
    """Squares have no face: their crops are full frames. Folds are made where there are none."""
    adapter, root = copy_of(name, data_home, tmp_path)
    (root / "folds.csv").unlink(missing_ok=True)
    options = ("--root", root, "--size", "32", "--detect-size", "32", "--workers", "1")
    done = run_tool(f"prepare/{adapter.METAINFO['key']}.py", *options, check=False)
    # there is an official number of test videos of RAVDESS, and the tree is not all of it
    complaint = "fold 1 has 8 test videos, officially 240" if name == "RAVDESS" else ""
    assert done.returncode == bool(complaint) and complaint in done.stderr, done.stderr
    check_crops(adapter, root, "faces_32")
    sample = adapter(str(root), "test", frames="faces_32", pipeline=[dict(type=ReadFrames, size=32)])._read(0)
    assert len(sample["frames"]) == (14 if name == "MMI" else 12)


def test_crops_made_of_fewer_videos_are_refused(tmp_path):
    (tmp_path / "faces_224").mkdir()
    report = tmp_path / "faces_224" / "faces.csv"
    report.write_text("name,path,num_frames,num_faces,policy\na,faces_224/a,9,9,drop\n")
    assert in_crops([{"name": "a"}], report)[0]["path"] == str(tmp_path / "faces_224" / "a")
    with pytest.raises(UserError, match="1 videos are not in it, such as 'b'"):
        in_crops([{"name": "a"}, {"name": "b"}], report)
    report.write_text("name,path,num_frames,num_faces,policy\na,../../a,9,9,drop\n")
    with pytest.raises(UserError, match="leaves the data root"):
        in_crops([{"name": "a"}], report)


def test_a_corpus_that_is_not_complete_is_told(data_home, tmp_path, capsys):
    root = tmp_path / "dfew"
    shutil.copytree(data_home / "dfew", root)
    clip = sorted((root / "Clip" / "clip_224x224").iterdir())[0]
    shutil.rmtree(clip)
    with pytest.raises(UserError, match=rf"1 of \d+ videos are missing, such as {clip}; fold 1 has \d+ .*officially"):
        check_corpus(DFEW, root)
    assert "videos of 11,697 of the official corpus" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["v1", "videos/other.mp4"], "line 4: name 'v1' stands for .*other.mp4 here and for .*v1.mp4 before"),
        (["", "videos/other.mp4"], "line 4: name is empty"),
    ],
)
def test_no_video_of_ones_own_is_dropped_in_silence(row, reason, tmp_path):
    listed = [["v0", "videos/v0.mp4"], ["v1", "videos/v1.mp4"]]
    write_csv(tmp_path / "videos.csv", "name,path", [*listed, row])
    with pytest.raises(UserError, match=reason):
        videos_listed(tmp_path, "videos.csv")


def test_a_list_of_many_folds_is_read_in_time_that_grows_with_it(tmp_path):
    """A video stands in a row for each of its folds; 30,000 rows take a second, not the minutes of a search in each."""
    rows = [[f"v{number % 10_000}", f"videos/v{number % 10_000}.mp4"] for number in range(30_000)]
    write_csv(tmp_path / "videos.csv", "name,path", rows)
    start = time.process_time()
    assert len(videos_listed(tmp_path, "videos.csv")) == 10_000
    assert time.process_time() - start < 5
