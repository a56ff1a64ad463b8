"""mmengine's note of where a training is, without what makes a GPU wait."""

from typing import Any

from mmengine.hooks import RuntimeInfoHook
from mmengine.runner import Runner

from cefl_bench.registry import HOOKS


@HOOKS.register_module()
class RuntimeInfo(RuntimeInfoHook):
    """Mmengine's `RuntimeInfoHook`, but for the losses, which that one reads after every batch; `EpochLosses` has them.

    `PlainRunner` takes it in the place of mmengine's.
    """

    stateless = True

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        pass
