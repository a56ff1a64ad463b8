"""Packed frames are the very bytes that decoding gives, whatever is packed, and errors are the same."""

import json
import pickle
import shutil
from functools import partial

import numpy as np
import pytest
from helpers.run import DFEW, SYNTHETIC, dataset, list_frames
from helpers.trees import moving_square, write_video
from helpers.trees_lab import bu3dfe_static_tree
from torch.utils.data import DataLoader

from cefl_bench.commands.pack import pack, store_of, verify
from cefl_bench.config import load_config
from cefl_bench.datasets.synthetic_faces import SyntheticFaces
from cefl_bench.errors import UserError
from cefl_bench.registry import TRANSFORMS
from cefl_bench.store import plan
from cefl_bench.store.index import Index, PackedVideo, read_index, write_index
from cefl_bench.store.read import PackedFrames, Store, open_store
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadVideo
from cefl_bench.transforms.sample_clips import SampleClips


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


@pytest.mark.parametrize("key", ["afew", "mmi", "bu3dfe", "ferv39k", "mafw", "cremad", "ravdess"])
def test_every_corpus_is_packed_alike(key, with_data, monkeypatch):
    options = {}
    if (
        "frames" in load_config(DFEW, dataset=key).test_dataloader.dataset and key != "afew"
    ):  # the trees hold what is downloaded
        options = {f"{part}_dataloader.dataset.frames": "video" for part in ("train", "val", "test")}
    pack(load_config(DFEW, options, dataset=key), 2)
    packed, decoded = (dataset(DFEW, "test_dataloader", packed, key, **options) for packed in (True, False))
    assert store_of(packed)
    for index in range(len(packed)):
        assert packed[index]["video"].tobytes() == decoded[index]["video"].tobytes()
    shutil.rmtree(store_of(packed).folder)


def test_videos_that_share_a_folder_of_images_are_kept_apart(tmp_path, monkeypatch):
    bu3dfe_static_tree(tmp_path / "bu3dfe")
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    static = {f"{part}_dataloader.dataset.layout": "static" for part in ("train", "val", "test")}
    pack(load_config(DFEW, static, dataset="bu3dfe"), 2)
    packed, decoded = (dataset(DFEW, "test_dataloader", packed, "bu3dfe", **static) for packed in (True, False))
    videos = [packed[index]["video"].tobytes() for index in range(len(packed))]
    assert videos == [decoded[index]["video"].tobytes() for index in range(len(packed))]
    assert len(set(videos)) == len(videos) and len({packed.get_data_info(i)["path"] for i in range(len(packed))}) < 6


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


def test_a_run_reads_the_packed_frames_that_it_began_with(home, folder, tmp_path):
    """Opened once, not asked for again at every clip; a process that it is sent to opens them itself."""
    data = dataset()
    begun = data[0]["video"]
    assert len(pickle.dumps(data)) < store_of(data).num_bytes() / 10, "the frames go along"
    folder.rename(tmp_path / "away")
    assert store_of(data) and not store_of(dataset()) and not store_of(pickle.loads(pickle.dumps(data)))
    np.testing.assert_array_equal(data[0]["video"], begun)


def test_no_frame_of_the_next_video_can_be_read(folder):
    store = open_store(folder)
    name, video = next(iter(store.index.videos.items()))
    frames, beyond = store.frames({"path": store.root / name}), np.array([0, video.num_frames])
    for fetch in (frames.fetch, frames.rows, partial(frames.fetch_into, np.zeros((2, 56, 56, 3), np.uint8))):
        with pytest.raises(IndexError):
            fetch(beyond)
    with pytest.raises(IndexError):
        frames.rows(np.array([-1]))


def test_rows_count_the_frames_of_all_shards(folder):
    """As they lie one after the other; and a video is fetched to its place as it is fetched."""
    store = open_store(folder)
    rows = np.concatenate(list(store.parts(7)))
    assert len(rows) == store.num_frames and rows.nbytes == store.num_bytes()
    for name, video in store.index.videos.items():
        frames, every = store.frames({"path": store.root / name}), np.arange(video.num_frames)[::-1]
        place = np.zeros((len(every), 56, 56, 3), np.uint8)
        frames.fetch_into(place, every)
        np.testing.assert_array_equal(place, frames.fetch(every))
        np.testing.assert_array_equal(place, rows[frames.rows(every)])


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
        pack(load_config(SYNTHETIC), 2)
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
        pack(load_config(SYNTHETIC), 1)
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
    pack(load_config(SYNTHETIC), 1)
    assert not read_index(folder).unreadable and len(read_index(folder).videos) == 28
    assert not errors_of(dataset())


def test_a_list_that_says_another_length_is_an_error_with_and_without(home):
    list_frames(home / "synthetic_demo", "s2_fear_0", 25)
    errors = errors_of(dataset())
    assert errors == errors_of(dataset(packed=False)) and set(errors) == {"s2_fear_0"}
    assert "has 20 frames but the list says 25" in errors["s2_fear_0"]


def test_many_shards_hold_what_one_does(home, folder, monkeypatch):
    one = Store(folder)
    shutil.rmtree(folder)
    monkeypatch.setattr(plan, "MAX_SHARD_BYTES", 70 * 56 * 56 * 3)  # three videos and a half; one video is longer
    pack(load_config(SYNTHETIC), 2)
    many = Store(folder)
    assert len(many.index.shards) > 8 and max(many.index.shards.values()) == 150
    for name, video in one.index.videos.items():
        every = np.arange(video.num_frames)
        np.testing.assert_array_equal(
            many.frames({"path": many.root / name}).fetch(every), one.frames({"path": one.root / name}).fetch(every)
        )


def test_a_large_store_is_opened_once_in_a_process_until_it_is_another(tmp_path):
    folder = tmp_path / "packed" / "ReadVideo_8"
    folder.mkdir(parents=True)
    np.save(folder / "shard_0000.npy", np.zeros((36_000, 8, 8, 3), np.uint8))
    places = [PackedVideo(0, 3 * number, 3, 2**31, f"{number:064x}") for number in range(12_000)]
    videos = {f"Clip/{number:05d}.mp4": place for number, place in enumerate(places)}
    write_index(folder, Index("ReadVideo_8", 8, {}, {0: 36_000}, videos))
    store = open_store(folder)
    assert len(store.index.videos) == 12_000 and open_store(folder) is store
    write_index(folder, Index("ReadVideo_8", 8, {}, {0: 36_000}, dict(list(videos.items())[:-1])))
    assert len(open_store(folder).index.videos) == 11_999


def test_a_plan_that_does_not_fit_any_more_is_dropped(home, folder):
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / plan.PLAN).write_text(json.dumps({"version": 0}))
    (folder / plan.JOURNAL).write_text('["videos/s2_fear_0.mp4", 5]\n')
    (folder / "shard_0003.npy").write_bytes(b"left")
    (folder / ".index.1.tmp.json").write_bytes(b"half")
    pack(load_config(SYNTHETIC), 2)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "index.json", "shard_0000.npy"]
    assert dataset() and verify(load_config(SYNTHETIC), 2)


def test_without_packed_frames_verify_says_so(home, folder):
    shutil.rmtree(folder)
    with pytest.raises(UserError, match="there are no packed frames"):
        verify(load_config(SYNTHETIC), 1)


def test_a_pipeline_outside_a_dataset_decodes(home):
    path = home / "synthetic_demo" / "videos" / "s1_fear_0.mp4"
    assert not isinstance(ReadVideo(56)({"path": str(path), "num_frames": -1})["frames"], PackedFrames)
    alone = SyntheticFaces("synthetic_demo", "test", pipeline=[ReadVideo(56), SampleClips(), Pack()])
    assert alone[0]["video"].tobytes() == dataset(loader="test_dataloader")[0]["video"].tobytes()


def test_every_reader_has_a_store_of_its_own():
    readers = [TRANSFORMS.get(name) for name in ("ReadVideo", "ReadFrames")]
    assert len({reader(size).key for reader in readers for size in (56, 112)}) == 4
