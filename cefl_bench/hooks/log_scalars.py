"""Writes the numbers of each epoch where TensorBoard or Weights & Biases read them: files in the run's folder.

Nothing is sent anywhere. `wandb sync` sends what it wrote, whenever its user wants that.
"""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from cefl_bench.errors import UserError
from cefl_bench.hooks.write_result import WriteResult
from cefl_bench.registry import HOOKS
from cefl_bench.runs.folder import TENSORBOARD

PACKAGES = {"tensorboard": "pip install 'tensorboard>=2.18'", "wandb": "pip install 'wandb>=0.19'"}
"""Programs that show a training, named as their packages -> how to install them."""
PROJECT = "cefl_bench"


class Writer(Protocol):
    """Where numbers go."""

    def write(self, epoch: int, values: Mapping[str, float]) -> None:
        """Values by name, such as `test/war`, so that they outlive a kill."""

    def close(self) -> None: ...


@HOOKS.register_module()
class LogScalars(Hook):
    """Writes what `history` in result.json gains with each epoch; a resumed run goes on where it stopped.

    Args:
        programs: of `PACKAGES`; checked by `check_programs`.
        results: knows the history.
        facts: the fields of a `Result` that are known before the run starts.
    """

    priority = "LOWEST"  # below Checkpoint, which knows at which epoch a resumed run begins
    stateless = True

    def __init__(self, programs: Sequence[str], results: WriteResult, facts: Mapping[str, Any]) -> None:
        self.programs, self.results, self.facts = programs, results, facts
        self._writers: list[Writer] = []
        self._written: set[tuple[int, str]] = set()

    def before_train(self, runner: Runner) -> None:
        if is_main_process():
            folder = Path(runner.work_dir)
            self._writers = [WRITERS[program](folder, runner.epoch, self.facts) for program in self.programs]

    def after_train_epoch(self, runner: Runner) -> None:
        self._write()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._write()

    def after_train(self, runner: Runner) -> None:
        for writer in self._writers:
            writer.close()

    def _write(self) -> None:
        row = self.results.history[-1]
        epoch = int(row["epoch"] or 0)
        new = {key: value for key, value in named(row).items() if (epoch, key) not in self._written}
        self._written |= {(epoch, key) for key in new}
        for writer in self._writers:
            writer.write(epoch, new)


def check_programs(programs: Sequence[str]) -> None:
    """Raises: UserError: when the package of a program is not installed."""
    for program in programs:
        if find_spec(program) is None:
            raise UserError(f"--log {program} needs the package {program}: {PACKAGES[program]}")


def named(row: Mapping[str, float | None]) -> dict[str, float]:
    """A line of the history by names that these programs group: `train/loss`, `held_out/war`, `test/war`."""
    values: dict[str, float] = {}
    for key, value in row.items():
        if value is None or key == "epoch":
            continue
        if key.startswith("val_"):
            values[f"held_out/{key.removeprefix('val_')}"] = value
        elif key in ("war", "uar"):
            values[f"test/{key}"] = value
        else:  # the name of a metric has a stroke in it already
            values[key if "/" in key else f"train/{key}"] = value
    return values


class TensorBoard:
    """Event files in `tensorboard/`; what was written after the epoch that a run resumes from is taken back."""

    def __init__(self, folder: Path, epoch: int, facts: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter  # not everybody has the package

        self._file = SummaryWriter(str(folder / TENSORBOARD), purge_step=epoch + 1)

    def write(self, epoch: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._file.add_scalar(name, value, epoch)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class WandB:
    """A run of Weights & Biases in `wandb/`, offline whatever the environment says; a resumed run has the same id."""

    def __init__(self, folder: Path, epoch: int, facts: Mapping[str, Any]) -> None:
        import wandb  # not everybody has the package

        about = {name: facts[name] for name in ("config", "fold", "seed", "protocol_id")}
        self._run = wandb.init(
            project=PROJECT,
            name=f"{facts['config_name']}, fold {facts['fold']}, seed {facts['seed']}",
            id=hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12],
            resume="allow",
            dir=str(folder),
            mode="offline",
            config=about,
            settings=wandb.Settings(
                silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True
            ),
        )

    def write(self, epoch: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=epoch)

    def close(self) -> None:
        self._run.finish()


WRITERS: dict[str, type[TensorBoard] | type[WandB]] = {"tensorboard": TensorBoard, "wandb": WandB}
