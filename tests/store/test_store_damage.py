"""Packed frames that are damaged or out of date are refused by name, and packed again."""

import shutil
from pathlib import Path

import cv2
import pytest
from helpers.run import DFEW, SYNTHETIC, dataset, list_frames
from helpers.trees import moving_square, write_video

from cefl_bench.commands.pack import pack, verify
from cefl_bench.config import load_config
from cefl_bench.errors import UserError
from cefl_bench.store.index import read_index, write_index


def cut(path, kept=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def grow(path):
    path.write_bytes(path.read_bytes() + b"more")


def be_of_another_version(path):
    path.write_text(path.read_text().replace('"version": ', '"version": 9', 1))


DAMAGES = {
    "a shard cut short": ("shard_0000.npy", cut),
    "a shard cut within its header": ("shard_0000.npy", lambda path: cut(path, 1e-5)),
    "an empty shard": ("shard_0000.npy", lambda path: cut(path, 0)),
    "a shard that grew": ("shard_0000.npy", grow),
    "a shard that is gone": ("shard_0000.npy", lambda path: path.unlink()),
    "a damaged magic number": ("shard_0000.npy", lambda path: flip(path, 0)),
    "a damaged shape": ("shard_0000.npy", lambda path: flip(path, path.read_bytes().index(b", 56"))),
    "an index cut short": ("index.json", lambda path: cut(path, 0.9)),
    "an empty index": ("index.json", lambda path: cut(path, 0)),
    "an index cut within its first line": ("index.json", lambda path: cut(path, 0.01)),
    "a damaged index": ("index.json", lambda path: flip(path, -30)),
    "another version": ("index.json", be_of_another_version),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_refused_by_name(home, folder, damage):
    name, spoil = DAMAGES[damage]
    spoil(folder / name)
    for use in (dataset, lambda: pack(load_config(SYNTHETIC), 1), lambda: verify(load_config(SYNTHETIC), 1)):
        with pytest.raises(UserError) as error:
            use()
        message = str(error.value)
        assert message.startswith(f"packed frames {folder / name} ") and "\n" not in message
        assert f"delete the folder {folder}" in message and "tools/pack.py" in message
        assert damage != "an index cut short" or "bytes instead of" in message
    assert dataset(packed=False)[0]
    shutil.rmtree(folder)
    assert dataset()[0]["video"].tobytes() == dataset(packed=False)[0]["video"].tobytes()


def test_a_renamed_store_is_refused(home, folder):
    folder.rename(folder.with_name("ReadVideo_48"))
    with pytest.raises(UserError, match="'ReadVideo_56', so the folder was renamed"):
        dataset(**{"train_dataloader.dataset.pipeline.0.size": 48})


def test_a_flipped_bit_is_found_on_demand(home, folder):
    assert verify(load_config(SYNTHETIC), 2) == [f"{folder}: 28 videos are intact"]
    video = read_index(folder).videos["videos/s3_fear_0.mp4"]
    flip(folder / "shard_0000.npy", 128 + (video.start + 3) * 56 * 56 * 3)
    with pytest.raises(UserError, match=r"shard_0000\.npy: 1 videos are damaged, such as videos/s3_fear_0\.mp4"):
        verify(load_config(SYNTHETIC), 2)


def change(path, frames):
    path.unlink()  # it is the same file in the other copies
    write_video(path, frames)


def test_changed_and_new_videos_are_refused_and_packed(home, folder):
    root, before = home / "synthetic_demo", read_index(folder)
    change(root / "videos" / "s2_fear_0.mp4", moving_square(20, label=1, seed=5))
    shutil.copy(root / "videos" / "s2_fear_0.mp4", root / "videos" / "new.mp4")
    for name in ("labels.csv", "intensities.csv"):
        line = next(line for line in (root / name).read_text().splitlines() if line.startswith("s2_fear_0"))
        with open(root / name, "a") as file:
            file.write(line.replace("s2_fear_0", "new") + "\n")
    with pytest.raises(UserError, match=r"out of date \(2 videos are new or have changed .*tools/pack\.py"):
        dataset()
    with pytest.raises(UserError, match="out of date"):
        verify(load_config(SYNTHETIC), 1)
    (line,) = pack(load_config(SYNTHETIC), 1)
    assert line.startswith(f"{folder}: 29 videos, 710 frames")
    packed, decoded = dataset(), dataset(packed=False)
    for index in range(len(packed)):
        assert packed[index]["video"].tobytes() == decoded[index]["video"].tobytes()
    after = read_index(folder)
    assert after.shards == before.shards | {1: 40}, "only the two are packed"
    kept = set(before.videos) - {"videos/s2_fear_0.mp4"}
    assert {name: after.videos[name] for name in kept} == {name: before.videos[name] for name in kept}
    assert verify(load_config(SYNTHETIC), 1)


def test_images_made_anew_are_refused_and_packed(packed_home, tmp_path, monkeypatch):
    """As many, as large, under the same names; and what a desktop leaves beside them changes nothing."""
    shutil.copytree(packed_home / "dfew", tmp_path / "dfew")
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    before = dataset(DFEW)
    path = Path(before.get_data_info(0)["path"])
    for name in (".DS_Store", "Thumbs.db", "._00001.jpg"):
        (path / name).write_text("left")
    assert dataset(DFEW).fingerprint() == before.fingerprint()
    old = before[0]["video"].tobytes()
    for image in path.glob("[0-9]*.jpg"):
        image.write_bytes(cv2.imencode(".jpg", 255 - cv2.imread(str(image)))[1].tobytes())
    with pytest.raises(UserError, match=rf"out of date \(1 videos are new or have changed since, such as {path}\)"):
        dataset(DFEW)
    pack(load_config(DFEW), 1)
    packed, decoded = dataset(DFEW), dataset(DFEW, packed=False)
    assert packed[0]["video"].tobytes() == decoded[0]["video"].tobytes() != old
    assert packed.fingerprint() == decoded.fingerprint() != before.fingerprint()


def test_a_new_date_does_not_make_a_video_new(home, folder, capsys):
    for path in (home / "synthetic_demo" / "videos").iterdir():
        content = path.read_bytes()
        path.unlink()  # it is the same file in the other copies
        path.write_bytes(content)
    assert dataset()
    capsys.readouterr()
    before = (folder / "index.json").stat().st_mtime_ns
    pack(load_config(SYNTHETIC), 1)
    assert (folder / "index.json").stat().st_mtime_ns == before and "needs" not in capsys.readouterr().out


def test_shards_without_a_video_are_removed(home, folder):
    for path in (home / "synthetic_demo" / "videos").iterdir():
        change(path, moving_square(20, label=0, seed=len(path.name)))
    list_frames(home / "synthetic_demo", "s2_sad_0", 20)
    pack(load_config(SYNTHETIC), 2)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "index.json", "shard_0001.npy"]


def test_frames_of_another_decoder_are_refused_and_packed_anew(home, folder):
    index = read_index(folder)
    index.decoder["decord"] = "0.6.0"
    write_index(folder, index)
    with pytest.raises(UserError, match=r"made with decord 0\.6\.0, .* here are decord [1-9]"):
        dataset()
    before = (folder / "shard_0000.npy").read_bytes()
    pack(load_config(SYNTHETIC), 2)
    assert dataset() and (folder / "shard_0000.npy").read_bytes() == before
