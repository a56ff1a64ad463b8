"""Source identity: the same content has one, other content another, whatever names, sizes, dates and desktops say."""

import hashlib
import json
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from cefl_bench import sources
from cefl_bench.sources import CACHE, CROP_RECORD, MISSING, identities


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """Nothing of these tests is kept in the cache of who runs them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def kept_at_once(monkeypatch):
    """Hashes of files that are written just now are kept too."""
    monkeypatch.setattr(sources, "MIN_AGE_NS", -(10**18))


@pytest.fixture
def no_hashing(monkeypatch):
    """Call it, and from then on a video that is not in the cache has no identity."""

    def refuse(*_):
        raise AssertionError("hashed again")

    return lambda: monkeypatch.setattr(sources, "sha256_of", refuse)


def identity(path: Path, **entry) -> str:
    (found,) = identities(path.parent, [{"path": str(path), **entry}])
    return found


def video(root: Path, content: bytes = b"a video", name: str = "clip.mp4") -> Path:
    (root / name).write_bytes(content)
    return root / name


def folder(root: Path, contents: dict[str, str], name: str = "frames") -> Path:
    for image, content in contents.items():
        (root / name / image).parent.mkdir(parents=True, exist_ok=True)
        (root / name / image).write_text(content)
    return root / name


def test_a_file_is_known_by_its_content(tmp_path):
    assert identity(video(tmp_path)) == hashlib.sha256(b"a video").hexdigest()
    assert identity(video(tmp_path, name="Zoë 笑.avi")) == identity(video(tmp_path))
    assert identity(video(tmp_path, b"a vidoe")) != identity(video(tmp_path, name="Zoë 笑.avi"))


def test_a_folder_is_known_by_its_images_in_the_order_of_reading(tmp_path):
    one = identity(folder(tmp_path, {f"{number}.png": f"frame {number}" for number in range(1, 12)}))
    padded = {f"img_{number:03d}.png": f"frame {number}" for number in range(1, 12)}
    assert identity(folder(tmp_path, padded, "padded")) == one, "the same frames in the same order"
    swapped = padded | {"img_002.png": "frame 3", "img_003.png": "frame 2"}
    joined = padded | {"img_002.png": "frame 2f", "img_003.png": "rame 3"}
    others = [identity(folder(tmp_path, changed, f"other {at}")) for at, changed in enumerate((swapped, joined))]
    shorter = {name: content for name, content in padded.items() if name != "img_011.png"}
    assert len({one, *others, identity(folder(tmp_path, shorter, "shorter"))}) == 4


def test_what_is_not_read_does_not_count(tmp_path, kept_at_once, no_hashing):
    frames = folder(tmp_path, {"1.jpg": "one", "2.jpg": "two"})
    before = identity(frames)
    folder(tmp_path, {name: "noise" for name in (".DS_Store", "Thumbs.db", "._1.jpg", "notes.txt", "old.jpg/1.jpg")})
    os.utime(frames)
    no_hashing()
    assert identity(frames) == before


def test_only_the_listed_images_count(tmp_path, kept_at_once):
    frames = folder(tmp_path, {"a.jpg": "one", "b.jpg": "two", "c.jpg": "three"})
    pair, other = identity(frames, images=["a.jpg", "b.jpg"]), identity(frames, images=["b.jpg", "c.jpg"])
    assert len({pair, other, identity(frames, images=["b.jpg", "a.jpg"]), identity(frames)}) == 4
    (frames / "c.jpg").write_text("THREE")
    assert identity(frames, images=["a.jpg", "b.jpg"]) == pair and identity(frames, images=["b.jpg", "c.jpg"]) != other


def test_the_rule_of_crops_is_part_of_them(tmp_path, kept_at_once):
    crops = folder(tmp_path, {"1.jpg": "one"})
    bare = identity(crops)
    folder(tmp_path, {CROP_RECORD: '{"margin": 0.1}'})
    one = identity(crops)
    folder(tmp_path, {CROP_RECORD: '{"margin": 0.2}'})
    assert len({bare, one, identity(crops)}) == 3


def test_a_hash_is_kept_until_the_file_is_written_to(tmp_path, kept_at_once, no_hashing):
    path, frames = video(tmp_path), folder(tmp_path, {"1.jpg": "one", "2.jpg": "two"})
    entries = [{"path": str(path)}, {"path": str(frames)}]
    before = identities(tmp_path, entries)
    no_hashing()
    assert identities(tmp_path, entries) == before
    # of the same size and with the same date: as `touch -r`, or a tool that sets the date of what it copies
    for file, content in ((path, b"b video"), (frames / "2.jpg", b"TWO")):
        state = file.stat()
        file.write_bytes(content)
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
        with pytest.raises(AssertionError, match="hashed again"):
            identities(tmp_path, entries)


def test_a_file_that_may_still_change_is_not_kept(tmp_path, monkeypatch):
    path = video(tmp_path)
    identity(path)
    assert not (tmp_path / CACHE).exists()
    now = path.stat().st_ctime_ns
    monkeypatch.setattr(sources.time, "time_ns", lambda: now + sources.MIN_AGE_NS + 1)
    identity(path)
    assert list(json.loads((tmp_path / CACHE).read_text())["videos"]) == ["clip.mp4"]


def test_where_the_data_may_not_be_written_the_cache_is_the_users(tmp_path, kept_at_once, no_hashing):
    (tmp_path / "data" / CACHE).mkdir(parents=True)  # in the way, as a read-only disk is
    path = video(tmp_path / "data")
    before = identity(path)
    (kept,) = Path(os.environ["XDG_CACHE_HOME"]).rglob("*.json")
    assert before in kept.read_text() and not list((tmp_path / "data").glob(".*.tmp*"))
    no_hashing()
    assert identity(path) == before


def test_without_any_place_for_the_cache_it_hashes_again(tmp_path, kept_at_once, monkeypatch):
    (tmp_path / "data" / CACHE).mkdir(parents=True)
    (tmp_path / "no folder").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no folder"))
    assert identity(video(tmp_path / "data")) == identity(video(tmp_path / "data"))


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"version": 1}', '{"version": 1, "videos": {"clip.mp4": 3}}', '{"version": 9}', "\xff"],
)
def test_a_damaged_cache_is_written_anew(damage, tmp_path, kept_at_once, no_hashing):
    before = identity(video(tmp_path))
    (tmp_path / CACHE).write_bytes(damage.encode("latin-1"))
    assert identity(tmp_path / "clip.mp4") == before
    no_hashing()
    assert identity(tmp_path / "clip.mp4") == before


def test_processes_that_start_at_once_do_not_disturb_each_other(tmp_path, kept_at_once):
    paths = [video(tmp_path, f"video {number}".encode(), f"{number}.mp4") for number in range(40)]
    expected = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=_identify_often, args=(tmp_path, paths, expected)) for _ in range(3)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0, 0, 0]
    assert set(json.loads((tmp_path / CACHE).read_text())["videos"]) <= {path.name for path in paths}
    assert not list(tmp_path.glob(".*.tmp*"))


def _identify_often(root: Path, paths: list[Path], expected: list[str]) -> None:
    for start in range(0, 40, 4):  # each call finds something new to keep, so each writes
        assert identities(root, [{"path": str(path)} for path in paths[: start + 4]]) == expected[: start + 4]


def test_what_is_no_video_is_missing_or_says_why(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "1.jpg").symlink_to(tmp_path / "gone.jpg")
    assert (
        identity(tmp_path / "gone.mp4") == identity(tmp_path / "pipe.mp4") == identity(tmp_path / "broken") == MISSING
    )
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    assert identity(loop).startswith("unreadable: ")
    (tmp_path / "frames").mkdir()
    video(tmp_path / "frames", name="1.jpg")
    os.mkfifo(tmp_path / "frames" / "2.jpg")
    assert identity(tmp_path / "frames") == "unreadable: 2.jpg is no file"
    assert not (tmp_path / CACHE).exists()


def test_a_link_is_what_it_leads_to(tmp_path, kept_at_once):
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "clip.mp4").symlink_to(video(tmp_path / "disk"))
    before = identity(tmp_path / "data" / "clip.mp4")
    video(tmp_path / "disk", b"b video")
    assert identity(tmp_path / "data" / "clip.mp4") != before


def test_a_copy_of_the_data_is_the_same_data(tmp_path, kept_at_once):
    """The cache travels with a copy, and its entries do not hold there; the identities do."""
    (tmp_path / "here").mkdir()
    before = identity(video(tmp_path / "here"))
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    (tmp_path / "there" / "clip.mp4").write_bytes(b"b video")
    assert identity(tmp_path / "there" / "clip.mp4") == hashlib.sha256(b"b video").hexdigest()
    assert identity(tmp_path / "here" / "clip.mp4") == before
