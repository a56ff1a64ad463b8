"""A folder of runs that several test files look at."""

import shutil
from pathlib import Path

import pytest
from helpers.simulated import SMALL, TWO, simulate


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Two methods, two folds, two seeds; read only."""
    return simulate(tmp_path_factory.mktemp("runs"), TWO, SMALL)


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs"))
