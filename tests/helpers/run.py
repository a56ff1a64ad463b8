"""What several test files call."""

import subprocess
import sys
from pathlib import Path

import pytest

from cefl_bench.commands.pack import decode_always
from cefl_bench.commands.setup import build_dataset
from cefl_bench.config import load_config

ROOT = Path(__file__).parents[2]
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


def list_frames(root, name, num_frames):
    """Let the lists say that a video has so many frames."""
    for file, value in (("labels.csv", str(num_frames)), ("intensities.csv", "0.5 " * num_frames)):
        lines = (root / file).read_text().splitlines()
        lines = [f"{line.rpartition(',')[0]},{value}" if line.startswith(f"{name},") else line for line in lines]
        (root / file).write_text("\n".join(lines) + "\n")


def dataset(config=SYNTHETIC, loader="train_dataloader", packed=True, corpus=None, **options):
    config = load_config(config, options, dataset=corpus)
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
