"""Benchmarks whose trainings are quick, or wait where a test wants to kill them."""

import json
import shutil
import sys
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner

from cefl_bench.benchmark.job import Job
from cefl_bench.benchmark.local import LocalExecutor
from cefl_bench.benchmark.slurm import SlurmExecutor
from helpers.holds import wait_while_held
from helpers.run import ROOT

STAND_IN = Path(__file__).with_name("stand_in.py")


class HoldTraining(Hook):
    """Lets a real training wait where `hold_before` says so."""

    stateless = True
    priority = "LOWEST"  # what the epoch before left is saved by then

    def before_train_epoch(self, runner: Runner) -> None:
        wait_while_held(Path(runner.work_dir), runner.epoch + 1)


def look_often() -> None:
    """Let a benchmark look at its jobs many times a second."""
    LocalExecutor.pause, SlurmExecutor.pause = 0.05, 0.5


def train_by_stand_in() -> None:
    """Let the jobs of a benchmark call `stand_in.py` with the words that they would train with."""
    look_often()
    usual = Job.command

    def command(job: Job) -> list[str]:
        words = usual(job)
        assert words[:3] == [sys.executable, "-m", "cefl_bench.cli"], words
        job.folder.mkdir(parents=True, exist_ok=True)
        facts = job.folder.absolute() / ".facts.json"
        known = {"config": job.config, "fold": job.fold, "data_fingerprint": job.data_fingerprint()}
        facts.write_text(json.dumps(known))
        return [sys.executable, "-S", str(STAND_IN), str(facts), *words[3:]]

    Job.command = command


def leaf_with(folder: Path, name: str, text: str) -> Path:
    """A leaf `<name>_synthetic` that is CEFLNet's with more lines, in a copy of the configs."""
    configs = folder / "configs"
    if not configs.exists():
        shutil.copytree(ROOT / "configs", configs)
    leaf = configs / f"{name}_synthetic.py"
    leaf.write_text((configs / "ceflnet_synthetic.py").read_text() + text)
    return leaf


def processes_of(folder: Path) -> list[int]:
    """The processes that were started to work in a folder: trainings by its name, and workers of the stand-in."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(int(path.name))
    return found
