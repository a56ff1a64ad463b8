"""What several test files share."""

import os

# Before torch is imported: tests run on the CPU, a thread for each process that pytest-xdist starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import gc
import shutil
import signal
from pathlib import Path

import pytest
from helpers.run import DFEW, SYNTHETIC, Child, list_frames, run_tool, tree_folder
from helpers.scenes import scenes_tree
from helpers.trees import TREES, dfew_tree, moving_square, synthetic_tree, write_video

from cefl_bench.commands.pack import pack
from cefl_bench.config import load_config


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Whoever runs the tests in the background has made them deaf to Ctrl-C, and every process that they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def quick_collection() -> None:
    """Mmengine collects garbage whenever a dataset is made: do not search all that is imported by now each time."""
    gc.freeze()


@pytest.fixture(scope="session")
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with a small tree of every dataset; the synthetic one also where the config looks for it."""
    home = tmp_path_factory.mktemp("data")
    for name, build in TREES.items():
        build(home / tree_folder(name))
    return home


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a rendered `tiny` corpus (labels.csv, intensities.csv, card.json, videos/); read only."""
    folder = tmp_path_factory.mktemp("corpus") / "tiny"
    run_tool("prepare/synthetic.py", "--preset", "tiny", "--out", folder)
    return folder


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data root of a synthetic corpus with nothing wrong, whose videos are all different; read only."""
    return scenes_tree(tmp_path_factory.mktemp("healthy"))


@pytest.fixture
def sick(healthy: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(healthy, tmp_path / "sick"))


@pytest.fixture
def with_data(data_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`data_home`, and the configs find it."""
    monkeypatch.setenv("CEFL_BENCH_DATA", str(data_home))
    return data_home


@pytest.fixture(scope="session")
def packed_home(tmp_path_factory):
    """A data home with two small corpora, one of videos and one of images, both packed. Read only."""
    home = tmp_path_factory.mktemp("packed")
    synthetic_tree(home / "synthetic_demo", per_class=1)
    # longer than what is decoded at a time, with keyframes far apart
    long = moving_square(150, label=3, seed=7, size=64)
    write_video(home / "synthetic_demo" / "videos" / "s2_sad_0.mp4", long, g="90", bf="3", movflags="faststart")
    list_frames(home / "synthetic_demo", "s2_sad_0", 150)
    dfew_tree(home / "dfew")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CEFL_BENCH_DATA", str(home))
        pack(load_config(SYNTHETIC), 2)
        pack(load_config(DFEW), 1)
    return home


@pytest.fixture
def home(packed_home, tmp_path, monkeypatch):
    """A copy of it, which the configs find; its videos are the same files."""
    shutil.copytree(packed_home / "synthetic_demo", tmp_path / "synthetic_demo", copy_function=_link_video)
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def start_tool(tmp_path: Path):
    """Starts a tool as a process that a test may kill (`Child`); what is left of them ends with the test."""
    children: list[Child] = []

    def start(*arguments, **options) -> Child:
        children.append(Child(*arguments, log=tmp_path / f"child_{len(children)}.log", **options))
        return children[-1]

    yield start
    for child in children:
        child.kill()


@pytest.fixture
def folder(home):
    return home / "synthetic_demo" / "packed" / "ReadVideo_56"


def _link_video(source, target):
    return os.link(source, target) if source.endswith(".mp4") else shutil.copy2(source, target)
