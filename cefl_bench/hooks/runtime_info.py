"""mmengine's note of where a training is, without what makes a GPU wait."""

from typing import Any

from mmengine.hooks import RuntimeInfoHook
from mmengine.runner import Runner

from cefl_bench.registry import HOOKS


@HOOKS.register_module()
class RuntimeInfo(RuntimeInfoHook):
    """Mmengine's `RuntimeInfoHook`, but for the losses, which that one reads after every batch; `EpochLosses` has them.

    Neither does it keep the config as text, which takes half a second to format, nor ask git: `result.json` has both.

    `PlainRunner` takes it in the place of mmengine's.
    """

    stateless = True

    def before_run(self, runner: Runner) -> None:
        self.last_loop_stage = None

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        pass
