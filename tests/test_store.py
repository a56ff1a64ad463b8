"""Packed frames: the very bytes that decoding gives, and what is damaged, out of date or unreadable is named."""

import json
import os
import shutil
import time

import numpy as np
import pytest
from conftest import ROOT
from torch.utils.data import DataLoader
from trees import dfew_tree, moving_square, synthetic_tree, write_video

from cefl_bench.config import load_config
from cefl_bench.datasets.synthetic_faces import SyntheticFaces
from cefl_bench.errors import UserError
from cefl_bench.launch import build_dataset
from cefl_bench.packing import decode_always, pack, store_of, verify
from cefl_bench.registry import TRANSFORMS
from cefl_bench.store import plan
from cefl_bench.store.index import Index, PackedVideo, read_index, write_index
from cefl_bench.store.read import PackedFrames, Store, open_store
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadVideo
from cefl_bench.transforms.sample_clips import SampleClips

SYNTHETIC, DFEW = (str(ROOT / "configs" / f"ceflnet_{name}.py") for name in ("synthetic", "dfew"))


@pytest.fixture(scope="module")
def packed_home(tmp_path_factory):
    """A data home with two small corpora, one of videos and one of images, both packed. Read only."""
    home = tmp_path_factory.mktemp("packed")
    synthetic_tree(home / "synthetic_demo", per_class=1)
    # longer than what is decoded at a time, with keyframes far apart
    long = moving_square(150, label=3, seed=7, size=64)
    write_video(home / "synthetic_demo" / "videos" / "s2_sad_0.mp4", long, g="90", bf="3", movflags="faststart")
    _list_frames(home / "synthetic_demo", "s2_sad_0", 150)
    dfew_tree(home / "dfew")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CEFL_BENCH_DATA", str(home))
        pack(SYNTHETIC, (), 2)
        pack(DFEW, (), 1)
    return home


@pytest.fixture
def home(packed_home, tmp_path, monkeypatch):
    """A copy of it, which the configs find; its videos are the same files."""
    shutil.copytree(packed_home / "synthetic_demo", tmp_path / "synthetic_demo", copy_function=_link_video)
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def folder(home):
    return home / "synthetic_demo" / "packed" / "ReadVideo_56"


def _link_video(source, target):
    return os.link(source, target) if source.endswith(".mp4") else shutil.copy2(source, target)


def _list_frames(root, name, num_frames):
    """Let the lists say that a video has so many frames."""
    for file, value in (("labels.csv", str(num_frames)), ("intensities.csv", "0.5 " * num_frames)):
        lines = (root / file).read_text().splitlines()
        lines = [f"{line.rpartition(',')[0]},{value}" if line.startswith(f"{name},") else line for line in lines]
        (root / file).write_text("\n".join(lines) + "\n")


def dataset(config=SYNTHETIC, loader="train_dataloader", packed=True, **options):
    config = load_config(config, options)
    if not packed:
        decode_always(config)
    return build_dataset(config, loader)


@pytest.mark.parametrize("config", [SYNTHETIC, DFEW], ids=["videos", "images"])
@pytest.mark.parametrize("loader", ["train_dataloader", "test_dataloader"])
def test_frames_are_the_very_bytes_that_decoding_gives(packed_home, config, loader, monkeypatch):
    monkeypatch.setenv("CEFL_BENCH_DATA", str(packed_home))
    packed, decoded = (dataset(config, loader, packed) for packed in (True, False))
    assert store_of(packed) and not store_of(decoded)
    for index in range(len(packed)):
        assert packed[index]["video"].tobytes() == decoded[index]["video"].tobytes()
        entry = packed.get_data_info(index)
        frames, truth = (
            data.pipeline.transforms[0](entry | {"data_root": data.data_root})["frames"] for data in (packed, decoded)
        )
        assert isinstance(frames, PackedFrames) and not isinstance(truth, PackedFrames)
        assert len(frames) == len(truth)
        # all, in any order, some twice: what is decoded by jumping about is what was packed in one go
        order = np.random.default_rng(index).integers(len(truth), size=len(truth))
        fetched = frames.fetch(order)
        assert fetched.dtype == np.uint8 and fetched.flags.writeable
        np.testing.assert_array_equal(fetched, truth.fetch(order))


def test_a_store_covers_all_folds_and_any_config_of_its_size(home, folder):
    videos = {f"videos/{path.name}" for path in (home / "synthetic_demo" / "videos").iterdir()}
    assert set(read_index(folder).videos) == videos and len(videos) == 28
    for fold in (1, 2, 3, 4):
        assert store_of(dataset(**{"train_dataloader.dataset.fold": fold}))
    assert not store_of(dataset(**{"train_dataloader.dataset.pipeline.0.size": 40}))


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_read_packed_frames(home, start):
    data = dataset()
    batches = list(DataLoader(data, batch_size=7, num_workers=2, multiprocessing_context=start))
    for index, video in enumerate(np.concatenate([batch["video"].numpy() for batch in batches])):
        np.testing.assert_array_equal(video, data[index]["video"])


def test_no_frame_of_the_next_video_can_be_read(folder):
    store = open_store(folder)
    name, video = next(iter(store.index.videos.items()))
    with pytest.raises(IndexError):
        store.frames(store.root / name).fetch(np.array([video.num_frames]))


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
    path.write_text(path.read_text().replace('"version": 1', '"version": 2', 1))


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
    for use in (dataset, lambda: pack(SYNTHETIC, (), 1), lambda: verify(SYNTHETIC, (), 1)):
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
    assert verify(SYNTHETIC, (), 2) == [f"{folder}: 28 videos are intact"]
    video = read_index(folder).videos["videos/s3_fear_0.mp4"]
    flip(folder / "shard_0000.npy", 128 + (video.start + 3) * 56 * 56 * 3)
    with pytest.raises(UserError, match=r"shard_0000\.npy: 1 videos are damaged, such as videos/s3_fear_0\.mp4"):
        verify(SYNTHETIC, (), 2)


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
    with pytest.raises(UserError, match=r"out of date \(2 videos are new or have another size .*tools/pack\.py"):
        dataset()
    with pytest.raises(UserError, match="out of date"):
        verify(SYNTHETIC, (), 1)
    (line,) = pack(SYNTHETIC, (), 1)
    assert line.startswith(f"{folder}: 29 videos, 710 frames")
    packed, decoded = dataset(), dataset(packed=False)
    for index in range(len(packed)):
        assert packed[index]["video"].tobytes() == decoded[index]["video"].tobytes()
    after = read_index(folder)
    assert after.shards == before.shards | {1: 40}, "only the two are packed"
    kept = set(before.videos) - {"videos/s2_fear_0.mp4"}
    assert {name: after.videos[name] for name in kept} == {name: before.videos[name] for name in kept}
    assert verify(SYNTHETIC, (), 1)


def test_shards_without_a_video_are_removed(home, folder):
    for path in (home / "synthetic_demo" / "videos").iterdir():
        change(path, moving_square(20, label=0, seed=len(path.name)))
    _list_frames(home / "synthetic_demo", "s2_sad_0", 20)
    pack(SYNTHETIC, (), 2)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "index.json", "shard_0001.npy"]


def test_frames_of_another_decoder_are_refused_and_packed_anew(home, folder):
    index = read_index(folder)
    index.decoder["decord"] = "0.6.0"
    write_index(folder, index)
    with pytest.raises(UserError, match=r"made with decord 0\.6\.0, .* here are decord [1-9]"):
        dataset()
    before = (folder / "shard_0000.npy").read_bytes()
    pack(SYNTHETIC, (), 2)
    assert dataset() and (folder / "shard_0000.npy").read_bytes() == before


@pytest.fixture
def broken(home, folder):
    """One video that is none, and one that ends in the middle; packed."""
    videos = home / "synthetic_demo" / "videos"
    content = (videos / "s2_sad_0.mp4").read_bytes()
    for name, left in (("s2_happy_0", b"broken"), ("s2_sad_0", content[:2000] + bytes(len(content) - 2000))):
        (videos / f"{name}.mp4").unlink()
        (videos / f"{name}.mp4").write_bytes(left)
    shutil.rmtree(folder)
    with pytest.raises(UserError, match="could not be read, all others are packed"):
        pack(SYNTHETIC, (), 2)
    return videos


def errors_of(data):
    errors = {}
    for index in range(len(data)):
        try:
            data[index]
        except UserError as error:
            errors[data.get_data_info(index)["name"]] = str(error)
    return errors


def test_an_unreadable_video_is_named_and_stays_what_it_was(broken, folder, capsys):
    with pytest.raises(UserError, match="could not be read"):
        pack(SYNTHETIC, (), 1)
    assert "s2_happy_0.mp4 cannot be decoded" in capsys.readouterr().out
    index = read_index(folder)
    assert set(index.unreadable) == {"videos/s2_happy_0.mp4", "videos/s2_sad_0.mp4"} and len(index.videos) == 26
    packed, decoded = dataset(), dataset(packed=False)
    assert store_of(packed) and set(errors_of(packed)) == {"s2_happy_0", "s2_sad_0"}
    assert errors_of(packed) == errors_of(decoded)
    skip = {"train_dataloader.dataset.on_error": "skip"}
    packed, decoded = dataset(**skip), dataset(packed=False, **skip)
    for number in range(len(packed)):
        one, other = packed[number], decoded[number]
        assert one["unreadable"] == other["unreadable"] and one["video"].tobytes() == other["video"].tobytes()


def test_a_mended_video_is_packed(broken, folder):
    for name, num_frames in (("s2_happy_0", 20), ("s2_sad_0", 150)):
        write_video(broken / f"{name}.mp4", moving_square(num_frames, label=2))
    pack(SYNTHETIC, (), 1)
    assert not read_index(folder).unreadable and len(read_index(folder).videos) == 28
    assert not errors_of(dataset())


def test_a_list_that_says_another_length_is_an_error_with_and_without(home):
    _list_frames(home / "synthetic_demo", "s2_fear_0", 25)
    errors = errors_of(dataset())
    assert errors == errors_of(dataset(packed=False)) and set(errors) == {"s2_fear_0"}
    assert "has 20 frames but the list says 25" in errors["s2_fear_0"]


def test_many_shards_hold_what_one_does(home, folder, monkeypatch):
    one = Store(folder)
    shutil.rmtree(folder)
    monkeypatch.setattr(plan, "SHARD_BYTES", 70 * 56 * 56 * 3)  # three videos and a half; one video is longer
    pack(SYNTHETIC, (), 2)
    many = Store(folder)
    assert len(many.index.shards) > 8 and max(many.index.shards.values()) == 150
    for name, video in one.index.videos.items():
        every = np.arange(video.num_frames)
        np.testing.assert_array_equal(
            many.frames(many.root / name).fetch(every), one.frames(one.root / name).fetch(every)
        )


def test_a_large_store_opens_at_once(tmp_path):
    folder = tmp_path / "packed" / "ReadVideo_8"
    folder.mkdir(parents=True)
    np.save(folder / "shard_0000.npy", np.zeros((36_000, 8, 8, 3), np.uint8))
    videos = {f"Clip/{number:05d}.mp4": PackedVideo(0, 3 * number, 3, 2**31, 10**6) for number in range(12_000)}
    write_index(folder, Index("ReadVideo_8", 8, {}, {0: 36_000}, videos))
    begun = time.perf_counter()
    assert len(open_store(folder).index.videos) == 12_000
    assert time.perf_counter() - begun < 0.5
    begun = time.perf_counter()
    open_store(folder)
    assert time.perf_counter() - begun < 0.01, "it is opened once per process"


def test_a_plan_that_does_not_fit_any_more_is_dropped(home, folder):
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / plan.PLAN).write_text(json.dumps({"version": 0}))
    (folder / plan.JOURNAL).write_text('["videos/s2_fear_0.mp4", 5]\n')
    (folder / "shard_0003.npy").write_bytes(b"left")
    (folder / ".index.1.tmp.json").write_bytes(b"half")
    pack(SYNTHETIC, (), 2)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "index.json", "shard_0000.npy"]
    assert dataset() and verify(SYNTHETIC, (), 2)


def test_without_packed_frames_verify_says_so(home, folder):
    shutil.rmtree(folder)
    with pytest.raises(UserError, match="there are no packed frames"):
        verify(SYNTHETIC, (), 1)


def test_a_pipeline_outside_a_dataset_decodes(home):
    path = home / "synthetic_demo" / "videos" / "s1_fear_0.mp4"
    assert not isinstance(ReadVideo(56)({"path": str(path), "num_frames": -1})["frames"], PackedFrames)
    alone = SyntheticFaces("synthetic_demo", "test", pipeline=[ReadVideo(56), SampleClips(), Pack()])
    assert alone[0]["video"].tobytes() == dataset(loader="test_dataloader")[0]["video"].tobytes()


def test_every_reader_has_a_store_of_its_own():
    readers = [TRANSFORMS.get(name) for name in ("ReadVideo", "ReadFrames")]
    assert len({reader(size).key for reader in readers for size in (56, 112)}) == 4
