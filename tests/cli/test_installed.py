"""The wheel holds all that the toolkit needs, and works where there is no checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from helpers.run import ROOT

BUILD = "from setuptools.build_meta import build_wheel; build_wheel('wheel')"
NOT_SHIPPED = ("__pycache__", "measured")
"""Compiled files, and the runs that model_zoo.md shows: a checkout's."""


def test_an_installed_toolkit_has_its_configs_and_looks_for_data_in_the_current_folder(tmp_path):
    source, site, empty = (tmp_path / name for name in ("source", "site", "empty"))
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("cefl_bench", "configs"):
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=skip)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    run([sys.executable, "-c", BUILD], source)
    (wheel,) = (source / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)

    for folder, _, files in os.walk(source / "cefl_bench", followlinks=True):
        for file in files:
            path = (Path(folder) / file).relative_to(source)
            assert (site / path).is_file() or set(path.parts) & set(NOT_SHIPPED), f"the wheel lacks {path}"
    assert not (site / "tests").exists() and not (site / "configs").exists(), "top-level names of others"
    (entry_points,) = site.glob("*.dist-info/entry_points.txt")
    assert "cefl-bench = cefl_bench.cli.__main__:main" in entry_points.read_text()

    empty.mkdir()
    done = run([sys.executable, "-m", "cefl_bench.cli", "doctor", "ceflnet_dfew"], empty, status=1, path=site)
    assert f"DFEW is not at {empty / 'data' / 'dfew'}" in done
    assert "cefl-bench prepare synthetic && cefl-bench train" in done and "tools/" not in done
    assert list(empty.iterdir()) == []


def run(command: list[str], folder: Path, status: int = 0, path: Path | None = None) -> str:
    variables = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "CEFL_BENCH_DATA")}
    variables |= {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout + done.stderr
