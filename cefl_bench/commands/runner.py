"""mmengine's runner, without what it writes and prints beside our own files."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import BaseLoop, Runner
from mmengine.visualization import Visualizer


class PlainRunner(Runner):
    """Makes no dated folder, no log and no copy of the config: hooks and `config.py` tell more, in fewer files."""

    def build_logger(self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any) -> MMLogger:
        return MMLogger.get_instance(self._experiment_name, log_level=log_level)

    def build_visualizer(self, visualizer: Any = None) -> Visualizer:
        return Visualizer.get_instance(self._experiment_name)

    def build_loops(self, *names: str) -> None:
        """Build `train_loop`, `val_loop` or `test_loop` now: what they refuse is told before the run, not in it."""
        for name in names:
            getattr(self, name)

    def end_workers(self) -> None:
        """End the processes that read videos. Left to the garbage collector, each loader would wait five seconds."""
        for loop in (self._train_loop, self._val_loop, self._test_loop):
            if isinstance(loop, BaseLoop):
                loop.dataloader._iterator = None

    def _log_env(self, env_cfg: dict) -> None:
        """Formatting the config takes a second, and `result.json` has the environment."""

    def dump_config(self) -> None:
        with suppress(OSError):  # another process of the run was here first
            Path(self._log_dir).rmdir()
