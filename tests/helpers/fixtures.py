"""What several test files share."""

import copy
import gc
import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import mmengine.dataset.base_dataset
import numpy as np
import pytest
import torch

from cefl_bench.commands import facts
from cefl_bench.commands.pack import pack
from cefl_bench.config import load_config
from cefl_bench.plain import plain
from helpers.children import Child
from helpers.run import DFEW, SYNTHETIC, list_frames, run_tool, tree_folder
from helpers.scenes import scenes_tree
from helpers.shared import built_once
from helpers.trees import TREES, dfew_tree, moving_square, synthetic_tree, write_video


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let Ctrl-C reach the processes that tests start, even where the tests themselves run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def quick_datasets() -> Iterator[None]:
    """Mmengine collects garbage whenever a dataset is made: not here, where it would go through all of pytest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmengine.dataset.base_dataset, "gc", _NoGarbage)
        gc.freeze()
        yield


@pytest.fixture(scope="session", autouse=True)
def count_once() -> Iterator[None]:
    """What a network costs is counted at the first of its many small trainings; tests of costs call what counts."""
    count, known = facts.cost_or_reason, {}

    def cost_or_reason(model, *shape):
        key = json.dumps(plain([model, *shape]), sort_keys=True)
        if key not in known:
            known[key] = count(model, *shape)
        return copy.deepcopy(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "cost_or_reason", cost_or_reason)
        yield


class _NoGarbage:
    @staticmethod
    def collect() -> None:
        pass


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Let no test depend on which ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with a small tree of every dataset, where its config looks for it. Read only."""

    def build(home: Path) -> None:
        for name, build_tree in TREES.items():
            build_tree(home / tree_folder(name))

    return built_once(tmp_path_factory, "data_home", build)


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered corpus of the preset `tiny`: labels.csv, intensities.csv, card.json, videos/. Read only."""
    one_worker = ("--preset", "tiny", "--workers", "1")  # each takes longer to start than all videos to render
    home = built_once(
        tmp_path_factory,
        "corpus",
        lambda home: run_tool("prepare/synthetic.py", *one_worker, "--out", home / "tiny"),
    )
    return home / "tiny"


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data root of a synthetic corpus with nothing wrong, whose videos are all different. Read only."""
    return built_once(tmp_path_factory, "healthy", scenes_tree)


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
def packed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with two small corpora, one of videos and one of images, both packed. Read only."""
    return built_once(tmp_path_factory, "packed_home", _build_packed_home)


@pytest.fixture
def home(packed_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of its videos and their packed frames, which the configs find."""
    shutil.copytree(packed_home / "synthetic_demo", tmp_path / "synthetic_demo", copy_function=_link_video)
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def folder(home: Path) -> Path:
    """The packed frames of `home`."""
    return home / "synthetic_demo" / "packed" / "ReadVideo_56"


@pytest.fixture
def start_tool(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Starts a tool as a process that the test may kill (`Child`); those that are left end with the test."""
    children: list[Child] = []

    def start(*arguments, **options) -> Child:
        children.append(Child(*arguments, folder=tmp_path / f"child_{len(children)}", **options))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def _build_packed_home(home: Path) -> None:
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


def _link_video(source: str, target: str) -> object:
    return os.link(source, target) if source.endswith(".mp4") else shutil.copy2(source, target)
