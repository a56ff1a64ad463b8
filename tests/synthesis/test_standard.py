"""One corpus for everybody: the frames are the standard ones on any processor, and a rendering that differs says so."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.run import run_tool

from cefl_bench.datasets.synthetic_faces import SyntheticFaces
from cefl_bench.errors import UserError
from cefl_bench.synthesis.corpus import GENERATOR_VERSION, PRESETS, Corpus
from cefl_bench.synthesis.decoded import decode, frames_sha256
from cefl_bench.synthesis.standard import STANDARD_FRAMES_SHA256
from cefl_bench.synthesis.video import encode, to_yuv

RENDER_ONE = """
import sys
from pathlib import Path
from cefl_bench.synthesis.corpus import Corpus
from cefl_bench.synthesis.video import encode, render_video
plan = Corpus("tiny", 0, Path("unused")).videos()[int(sys.argv[1])]
sys.stdout.buffer.write(encode(render_video(plan)))
"""


@pytest.fixture
def corpus(tiny_corpus, tmp_path) -> Corpus:
    """A copy of the tiny corpus that a test may spoil."""
    return Corpus("tiny", 0, Path(shutil.copytree(tiny_corpus, tmp_path / "tiny")))


def facts(root: Path) -> dict:
    return SyntheticFaces(str(root), "test").protocol_facts()


def test_the_tiny_corpus_is_the_standard_one(tiny_corpus):
    card = json.loads((tiny_corpus / "card.json").read_text())
    assert card["frames_sha256"] == STANDARD_FRAMES_SHA256["tiny", 0]
    assert card["frames_checked"] == 14
    expected = {"rendering": "standard", "generator": GENERATOR_VERSION, "preset": "tiny", "seed": 0}
    assert facts(tiny_corpus) == expected
    assert SyntheticFaces(str(tiny_corpus), "train").notes == []


def test_every_preset_has_its_standard_frames():
    assert set(STANDARD_FRAMES_SHA256) == {(preset, 0) for preset in PRESETS}
    assert all(len(bytes.fromhex(digest)) == 32 for digest in STANDARD_FRAMES_SHA256.values())


def test_another_processors_libraries_render_the_same_bytes(tiny_corpus):
    """NumPy without its vector kernels, and the linear algebra of a processor of 2008."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    switched_off = " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))
    older = {"NPY_DISABLE_CPU_FEATURES": switched_off, "OPENBLAS_CORETYPE": "Nehalem"}
    number = 5
    done = subprocess.run(
        [sys.executable, "-c", RENDER_ONE, str(number)], capture_output=True, env=os.environ | older, timeout=100
    )
    plan = Corpus("tiny", 0, tiny_corpus).videos()[number]
    assert done.stdout == (tiny_corpus / "videos" / f"{plan.name}.mp4").read_bytes(), done.stderr.decode()[-500:]


def test_a_rendering_that_differs_says_so_at_once_and_in_the_protocol(corpus):
    corpus.write_tables("ab" * 32)
    done = run_tool("prepare/synthetic.py", "--preset", "tiny", "--out", corpus.root)
    warnings = [line for line in done.stdout.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1 and "not the standard frames" in warnings[0] and "abababababab" in warnings[0]
    assert facts(corpus.root)["rendering"] == "abababababab"
    notes = SyntheticFaces(str(corpus.root), "all").notes
    assert len(notes) == 1 and "not the standard frames" in notes[0]


def test_a_corpus_of_ones_own_seed_is_known_by_its_frames_and_needs_no_warning(corpus):
    own = Corpus("tiny", 5, corpus.root)
    own.write_tables("cd" * 32)
    assert own.warning() is None
    assert facts(own.root) == {"rendering": "cdcdcdcdcdcd", "generator": 2, "preset": "tiny", "seed": 5}
    assert SyntheticFaces(str(own.root), "all").notes == []


def test_a_corpus_of_an_older_toolkit_is_unknown(corpus):
    (corpus.root / "card.json").write_text(json.dumps({"generator": 1, "preset": "tiny", "seed": 0}))
    assert facts(corpus.root) == {"rendering": "unknown"}


def test_a_damaged_card_is_told_in_one_line(corpus):
    (corpus.root / "card.json").write_text("{")
    with pytest.raises(UserError, match=r"card\.json is damaged"):
        SyntheticFaces(str(corpus.root), "test")


def test_a_changed_frame_changes_the_hash_and_a_copy_does_not(corpus, tmp_path):
    """Also when it is a spot in one of the frames."""
    path = corpus.path_of(corpus.videos()[0])
    assert frames_sha256(Path(shutil.copy2(path, tmp_path / "copy.mp4"))) == frames_sha256(path)
    frames = decode(path)[:4]
    changed = frames.copy()
    changed[2, 50:54, 50:54] = 255 * (changed[2, 50:54, 50:54] < 128)
    hashes = set()
    for number, video in enumerate((frames, changed)):
        (tmp_path / f"{number}.mp4").write_bytes(encode(video))
        hashes.add(frames_sha256(tmp_path / f"{number}.mp4"))
    assert len(hashes) == 2


def test_a_video_that_cannot_be_decoded_is_told_in_one_line(tmp_path):
    (tmp_path / "cut.mp4").write_bytes(b"\x00" * 100)
    with pytest.raises(UserError, match=r"cut\.mp4"):
        frames_sha256(tmp_path / "cut.mp4")


def test_yuv_is_what_ffmpeg_makes_of_rgb():
    """Within the rounding of its own converter; with flat 2 x 2 blocks, so that no filter of the colours matters."""
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.repeat(rng.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8), 8, 1), 8, 2)
    ours = to_yuv(blocks)
    for frame, planes in zip(blocks, ours, strict=True):
        theirs = av.VideoFrame.from_ndarray(frame, format="rgb24").to_ndarray(format="yuv420p")
        assert np.abs(planes[:128].astype(int) - theirs[:128].astype(int)).max() <= 1
        assert np.abs(planes[128:].astype(int) - theirs[128:].astype(int)).mean() < 8
