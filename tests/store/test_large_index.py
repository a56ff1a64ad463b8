"""The index of a large store: time and memory of its reading grow with the number of videos, and no faster."""

import time

from cefl_bench.store.index import Index, PackedVideo, read_index, write_index

VIDEOS, PER_SHARD, FRAMES = 20_000, 150, 140
MAX_MICROSECONDS = 100
"""CPU time per video to write the index, and to read it; a million videos then take less than two minutes each."""
MAX_BYTES = 200
"""Of the file, per video."""


def test_a_large_index_is_written_and_read_in_linear_time(tmp_path):
    folder = tmp_path / "ReadAny_128"
    folder.mkdir()
    videos = {}
    for number in range(VIDEOS):
        shard, place = divmod(number, PER_SHARD)
        videos[f"id{shard:05d}/{number:08d}"] = PackedVideo(shard, place * FRAMES, FRAMES, number, f"{number:064x}")
    shards = dict.fromkeys(range(len(videos) // PER_SHARD + 1), PER_SHARD * FRAMES)
    index = Index("ReadAny_128", 128, {"decord": "1"}, shards, videos)
    read = []
    for work in (lambda: write_index(folder, index), lambda: read.append(read_index(folder))):
        start = time.process_time()
        work()
        assert (time.process_time() - start) / VIDEOS * 1e6 < MAX_MICROSECONDS
    assert read == [index]
    assert (folder / "index.json").stat().st_size / VIDEOS < MAX_BYTES
