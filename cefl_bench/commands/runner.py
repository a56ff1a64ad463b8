"""mmengine's runner, without what it writes and prints beside our own files, and without what makes a GPU wait."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import EMAHook, Hook, RuntimeInfoHook
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from mmengine.utils import ManagerMixin
from mmengine.visualization import Visualizer
from torch import nn
from torch.utils.data import DataLoader

from cefl_bench.compute.quiet import quiet
from cefl_bench.feeding.feed import Feed, build_feed
from cefl_bench.feeding.residence import Residence
from cefl_bench.hooks.runtime_info import RuntimeInfo
from cefl_bench.hooks.write_result import WriteResult


class ShowsNothing(Visualizer):
    """Mmengine's visualizer without a program to show anything in, and so without matplotlib, which takes a second."""

    def __init__(self, name: str) -> None:
        ManagerMixin.__init__(self, name)
        self.dataset_meta = None
        self._vis_backends: dict[str, Any] = {}


class PlainRunner(Runner):
    """Makes no dated folder, no log and no copy of the config: hooks and `config.py` tell more, in fewer files."""

    def build_logger(self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any) -> MMLogger:
        return MMLogger.get_instance(self._experiment_name, log_level=log_level)

    def build_visualizer(self, visualizer: Any = None) -> Visualizer:
        return ShowsNothing.get_instance(self._experiment_name)

    def build_loops(self, *names: str) -> None:
        """Build `train_loop`, `val_loop` or `test_loop` now: what they refuse is told before the run, not in it."""
        for name in names:
            getattr(self, name)

    def end_workers(self) -> None:
        """End the processes that read videos. Left to the garbage collector, each loader would wait five seconds."""
        for loader in self._loaders:
            if isinstance(loader, Feed):
                loader.end_workers()
            else:
                loader._iterator = None

    # mmengine's is a static method, which it calls as one of the runner
    def build_dataloader(
        self, dataloader: Any, seed: int | None = None, diff_rank_seed: bool = False
    ) -> Feed | DataLoader:
        if not isinstance(dataloader, Mapping):
            return super().build_dataloader(dataloader, seed, diff_rank_seed)
        self._loaders.append(build_feed(dataloader, seed, self._residence, diff_rank_seed=diff_rank_seed))
        return self._loaders[-1]

    @cached_property
    def _loaders(self) -> list[Feed | DataLoader]:
        return []

    @cached_property
    def _residence(self) -> Residence:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return Residence(self.cfg.get("data_on", "auto"), torch.device(device))

    def register_hook(self, hook: Hook | dict[str, Any], priority: str | int | None = None) -> None:
        # Here and not in the configs, which are part of the protocol: it moves no score.
        if isinstance(hook, dict) and hook.get("type") is RuntimeInfoHook:
            hook = hook | {"type": RuntimeInfo}
        if isinstance(hook, dict) and hook.get("type") is EMAHook:
            # Beside `WriteResult`, so after `Validate`: held-out videos are scored with averaged weights, as tests are.
            hook = hook | {"priority": WriteResult.priority}
        super().register_hook(hook, priority)

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper | OptimWrapperDict:
        if isinstance(optim_wrapper, OptimWrapper | OptimWrapperDict):
            return optim_wrapper  # built before, and quiet since
        return quiet(super().build_optim_wrapper(optim_wrapper))

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Where processes share gradients, each keeps to the GPU it has taken, whatever its number is."""
        if model_wrapper_cfg is None and self.distributed:
            model_wrapper_cfg = dict(
                type=MMDistributedDataParallel,
                device_ids=[torch.cuda.current_device()] if torch.cuda.is_available() else None,
                broadcast_buffers=False,
                find_unused_parameters=self.cfg.get("find_unused_parameters", False),
            )
        return super().wrap_model(model_wrapper_cfg, model)

    def _log_env(self, env_cfg: dict) -> None:
        """Formatting the config takes a second, and `result.json` has the environment."""

    def dump_config(self) -> None:
        with suppress(OSError):  # another process of the run was here first
            Path(self._log_dir).rmdir()
