"""A data worker that dies names the video it was at: real data loaders whose workers are really killed."""

import multiprocessing
import os
import re
import signal

import pytest
from helpers.media import place_video, write_csv
from torch.utils.data import DataLoader

from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.datasets.reading import named_deaths
from cefl_bench.errors import UserError
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadFrames, ReadVideo
from cefl_bench.transforms.sample_clips import SampleClips

NUM_VIDEOS = 6


@pytest.fixture
def corpus(tmp_path):
    for number in range(NUM_VIDEOS):
        place_video(tmp_path / f"{number}.mp4", 0)
    rows = [[f"v{number}", f"{number}.mp4", "sad", "train"] for number in range(NUM_VIDEOS)]
    write_csv(tmp_path / "videos.csv", "name,path,label,split", rows)
    pipeline = [dict(type=ReadVideo, size=40), dict(type=SampleClips), dict(type=Pack)]
    return CSVVideos(str(tmp_path), "train", classes=("sad", "happy"), pipeline=pipeline)


def apart(read):
    """The error that `read` ends in, in a process of its own: torch lets a death be felt long after, and anywhere."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)

    def run():
        try:
            with named_deaths():
                read()
        except Exception as error:
            there.send((type(error), str(error)))

    process = context.Process(target=run)
    process.start()
    assert here.poll(60), "no error"
    found = here.recv()
    process.join()
    assert process.exitcode == 0, "nothing is raised on the way out"
    return found


def deadly(corpus, monkeypatch, number, what):
    """Let one video do `what` to whoever decodes it."""
    decode = ReadVideo.decode

    def spoilt(reader, entry):
        if entry["path"].endswith(f"/{number}.mp4"):
            what()
        return decode(reader, entry)

    monkeypatch.setattr(ReadVideo, "decode", spoilt)


@pytest.mark.parametrize("number", [0, 3, 5])
@pytest.mark.parametrize(("how", "said"), [(signal.SIGSEGV, "Segmentation"), (signal.SIGKILL, "Killed")])
def test_a_worker_that_is_killed_names_its_video(number, how, said, corpus, monkeypatch):
    deadly(corpus, monkeypatch, number, lambda: os.kill(os.getpid(), how))
    kind, message = apart(lambda: list(DataLoader(corpus, batch_size=2, num_workers=2, persistent_workers=True)))
    assert kind is UserError and "\n" not in message
    assert re.search(rf"died( .signal: {said}.*)? while it read \S+/{number}\.mp4: ", message), message


def test_a_worker_that_ends_by_itself_names_its_video(corpus, monkeypatch):
    deadly(corpus, monkeypatch, 2, lambda: os._exit(7))
    kind, message = apart(lambda: list(DataLoader(corpus, batch_size=1, num_workers=1)))
    assert kind is UserError and re.search(r"died while it read \S+/2\.mp4: ", message), message


def die_between(batch):
    os.kill(os.getpid(), signal.SIGBUS)


def test_a_worker_that_dies_with_no_video_in_hand_blames_none(corpus):
    """As where shared memory is too small for a batch."""
    kind, message = apart(lambda: list(DataLoader(corpus, batch_size=2, num_workers=1, collate_fn=die_between)))
    assert kind is UserError and ".mp4" not in message
    assert re.search(r"died( .signal: Bus error.)? between two videos, .*/dev/shm", message), message


def test_other_errors_keep_their_own_words(corpus):
    def fill_disk():
        next(iter(DataLoader(corpus, batch_size=1, num_workers=2, persistent_workers=True)))
        raise OSError("disk full")

    assert apart(fill_disk) == (OSError, "disk full")
    with pytest.raises(RuntimeError, match="shapes do not fit"), named_deaths():
        raise RuntimeError("shapes do not fit")
    with pytest.raises(UserError, match="a user's"), named_deaths():
        raise UserError("a user's")


def test_an_error_that_nobody_foresaw_comes_with_the_video(corpus, monkeypatch):
    def divide():
        raise ZeroDivisionError("a mistake of our own")

    deadly(corpus, monkeypatch, 4, divide)
    kind, message = apart(lambda: list(DataLoader(corpus, batch_size=2, num_workers=1)))
    assert kind is RuntimeError and "ZeroDivisionError: a mistake of our own" in message
    assert re.search(r"video \S+/4\.mp4 could not be put through the pipeline", message)


def test_a_reader_that_meets_the_other_kind_names_the_one_for_both(tmp_path, corpus):
    (tmp_path / "1.mp4").unlink()
    (tmp_path / "1.mp4").mkdir()
    with pytest.raises(UserError, match=r"1\.mp4 is a folder, and ReadVideo reads video files: set .* ReadAny"):
        corpus[1]
    corpus.pipeline.transforms[0] = ReadFrames(40)
    with pytest.raises(UserError, match=r"2\.mp4 is a file, and ReadFrames reads folders of images: set .* ReadAny"):
        corpus[2]
