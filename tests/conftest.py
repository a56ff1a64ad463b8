"""What several rooms' tests share."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a rendered `tiny` synthetic corpus (labels.csv, intensities.csv, card.json, videos/); read only."""
    folder = tmp_path_factory.mktemp("corpus") / "tiny"
    tool = [sys.executable, str(ROOT / "tools/prepare/synthetic.py"), "--preset", "tiny", "--out", str(folder)]
    done = subprocess.run(tool, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return folder
