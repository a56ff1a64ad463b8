"""What several test files share."""

import gc
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scenes import scenes_tree
from trees import TREES

ROOT = Path(__file__).parents[1]
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


def run_tool(*arguments: str | Path, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run `tools/<first argument>` as a person would; a failure shows what it printed."""
    command = [sys.executable, str(ROOT / "tools" / arguments[0]), *map(str, arguments[1:])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, **options)
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done
