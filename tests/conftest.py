"""What several test files share."""

import gc
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scenes import scenes_tree
from trees import TREES, dfew_tree, moving_square, synthetic_tree, write_video

from cefl_bench.config import load_config
from cefl_bench.launch import build_dataset
from cefl_bench.packing import decode_always, pack

ROOT = Path(__file__).parents[1]
SYNTHETIC, DFEW = (str(ROOT / "configs" / f"ceflnet_{name}.py") for name in ("synthetic", "dfew"))
TINY = (
    "model.backbone.trunk=test_resnet",
    "model.backbone.trunk_args.channels=(8,16,16,32)",
    "data_preprocessor.size=32",
    "train_cfg.max_epochs=3",
    "train_dataloader.batch_size=14",
    "train_dataloader.num_workers=1",
    "val_dataloader.num_workers=1",
)
"""Options that make ceflnet_synthetic.py small enough for tests."""


def tree_folder(name: str) -> str:
    """The folder of a dataset's tree in `data_home`, where its config looks for it."""
    return {"SyntheticFaces": "synthetic_demo", "CSVVideos": "own"}.get(name, name.lower())


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


def list_frames(root, name, num_frames):
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


def run_tool(*arguments: str | Path, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run `tools/<first argument>` as a person would; a failure shows what it printed."""
    command = [sys.executable, str(ROOT / "tools" / arguments[0]), *map(str, arguments[1:])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, **options)
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done
