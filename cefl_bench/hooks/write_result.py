"""Leaves result.json and predictions.csv, the two files that every report reads."""

import json
import math
import resource
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from mmengine.dist import all_gather_object, collect_results, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from cefl_bench.files import write_text
from cefl_bench.functional.localization import localization_scores
from cefl_bench.functional.recall import predicted_class, recall_scores
from cefl_bench.functional.views import view_scores
from cefl_bench.hooks.losses import EpochLosses
from cefl_bench.records import Prediction
from cefl_bench.registry import HOOKS
from cefl_bench.runs import checkpoints
from cefl_bench.runs.folder import PREDICTIONS, RESULT, SELECTED
from cefl_bench.runs.log import add_to_log
from cefl_bench.runs.predictions import write_predictions
from cefl_bench.runs.result import SCHEMA_VERSION

WARM_UP_BATCHES = 3
"""After so many the peak of a GPU's memory is counted anew."""


@HOOKS.register_module()
class WriteResult(Hook):
    """After training: the metrics of the last and of the best test epoch. After a test: those of the checkpoint.

    Where `Validate` scores a held-out part of the training fold, first of all those of the epoch that is best on it,
    whose weights go to `selected.pth`. It goes by the measure that picks the best test epoch, so that the two differ in
    nothing but where they look.

    Args:
        facts: the fields of a `Result` that are known before the run starts.
    """

    # Above Checkpoint, so that what an epoch taught is in the checkpoint that follows it.
    priority = "BELOW_NORMAL"

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self._outputs: list[Prediction] = []
        self._unreadable: dict[str, set[str]] = {"train": set(), "test": set()}
        self._last_predictions: list[Prediction] = []
        self._losses = EpochLosses()
        self._tested, self._warm = False, False
        self._memory: dict[str, int] = {}
        self._epoch_start = time.monotonic()
        # What a resumed run takes over from the checkpoint:
        self._state: dict[str, Any] = {"history": [], "best": None, "last": None, "init": None, "train_seconds": 0.0}

    @property
    def history(self) -> list[dict[str, float | None]]:
        """A line per epoch so far, as result.json has it."""
        return self._state["history"]

    def before_train(self, runner: Runner) -> None:
        if self._state["init"] is None:
            model = getattr(runner.model, "module", runner.model)
            source = {name: value for name, value in model.backbone.init_source._asdict().items() if value}
            self._state["init"] = source | {"sha256": checkpoints.weights_sha256(model.state_dict())}

    def before_train_epoch(self, runner: Runner) -> None:
        self._losses, self._epoch_start = EpochLosses(), time.monotonic()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._losses.add(outputs)
        self._note_unreadable("train", data_batch["unreadable"])
        if batch_idx + 1 == WARM_UP_BATCHES and not self._warm and torch.cuda.is_available():
            # what was tried in the first steps, such as cuDNN's workspaces, is not what a training needs
            torch.cuda.reset_peak_memory_stats()
        self._warm = self._warm or batch_idx + 1 >= WARM_UP_BATCHES

    def after_train_epoch(self, runner: Runner) -> None:
        seconds = time.monotonic() - self._epoch_start
        self._state["train_seconds"] += seconds
        row = {"epoch": runner.epoch + 1} | self._losses.means() | {"seconds": seconds}
        self._state["history"].append(row | {"lr": max(runner.optim_wrapper.get_lr()["lr"])})

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._collect(outputs)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._collect(outputs)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._tested = True
        if not self._gather(len(runner.val_dataloader.dataset)):
            return
        known = metrics or {}
        scores = self._scores() | {"epoch": runner.epoch, "extra": extra_metrics(known)}
        self.facts["lower_is_better"] = lower_is_better(runner.val_evaluator, scores["extra"])
        self._state["last"] = scores
        self._state["history"][-1] |= {name: scores[name] for name in ("uar", "war")} | scores["extra"]
        if self._state["best"] is None or scores["war"] > self._state["best"]["war"]:
            self._state["best"] = scores
        if "val/war" in known:
            self._select(scores, {name: known[f"val/{name}"] for name in ("uar", "war")})

    def _select(self, scores: dict[str, Any], val: dict[str, float]) -> None:
        self._state["history"][-1] |= {f"val_{name}": value for name, value in val.items()}
        selected = self._state.get("selected")
        if selected is None or val["war"] > selected["val"]["war"]:
            chosen_by = "war on the held-out part of the training fold"
            self._state["selected"] = scores | {"val": val, "selected_by": chosen_by}
            self._state["selected_predictions"] = []
            for prediction in self._last_predictions:
                kept = {"name": prediction["name"], "label": int(prediction["label"])}
                kept["subject"], kept["group"] = prediction.get("subject", ""), prediction.get("group", "")
                kept["scores"] = np.asarray(prediction["scores"]).tolist()  # NaN stays NaN
                self._state["selected_predictions"].append(kept)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if self._gather(len(runner.test_dataloader.dataset)):
            extra = extra_metrics(metrics or {})
            self.facts["lower_is_better"] = lower_is_better(runner.test_evaluator, extra)
            self._write(runner, {"checkpoint": self._scores() | {"extra": extra} | self.facts.pop("checkpoint")})

    def after_train(self, runner: Runner) -> None:
        if not self._tested:  # resumed after the last epoch
            runner.val_loop.run()
        gathered = all_gather_object(self._unreadable["train"])
        self._unreadable["train"] = set().union(*gathered)
        if is_main_process():
            best = self._state["best"] | {"selected_by": "war on the test set, as most papers do"}
            metrics = {"last": self._state["last"], "best_test": best}
            if "selected" in self._state:
                metrics = {"selected_by_val": self._state["selected"]} | metrics
                self._last_predictions = self._state["selected_predictions"]
            self._write(runner, metrics)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        checkpoint["result"] = json.dumps(self._state)
        selected = self._state.get("selected")
        if selected is not None and selected["epoch"] == runner.epoch and is_main_process():
            weights = {name: checkpoint[name] for name in ("meta", "state_dict")}
            checkpoints.save(Path(runner.work_dir) / SELECTED, weights)
            so_far = f"best on the held-out videos so far, val WAR {selected['val']['war']:.3f}"
            add_to_log(runner.work_dir, f"wrote {SELECTED}: epoch {runner.epoch}, {so_far}")

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._state = json.loads(checkpoint["result"])

    def _collect(self, outputs: list[Prediction]) -> None:
        for output in outputs:
            on_cpu = {
                key: value.float().cpu().numpy() if torch.is_tensor(value) else value for key, value in output.items()
            }
            self._outputs.append(cast(Prediction, on_cpu))

    def _gather(self, size: int) -> bool:
        """Bring all processes' predictions together, in the dataset's order; True on the process that has them."""
        self._memory = _largest(all_gather_object(_peak_memory()))
        predictions = collect_results(self._outputs, size, device="gpu")
        self._outputs = []
        if not is_main_process():
            return False
        self._last_predictions = predictions
        self._unreadable["test"] = set()
        self._note_unreadable("test", [prediction["unreadable"] for prediction in predictions])
        return True

    def _note_unreadable(self, split: str, notes: list[str]) -> None:
        for note in notes:
            for reason in filter(None, note.split("\n")):
                if reason not in self._unreadable[split]:
                    self._unreadable[split].add(reason)
                    tqdm.write(f"skipped in {split}: {reason}")

    def _scores(self) -> dict[str, Any]:
        label = np.array([prediction["label"] for prediction in self._last_predictions])
        pred = predicted_class(np.stack([prediction["scores"] for prediction in self._last_predictions]))
        scores = recall_scores(label, pred, len(self.facts["classes"]))
        if "view_scores" in self._last_predictions[0]:
            scores |= {"views": view_scores(self._last_predictions, len(self.facts["classes"]))}
        localization = localization_scores(self._last_predictions)
        return _plain(scores | ({"localization": localization} if localization["videos"] else {}))

    def _write(self, runner: Runner, metrics: dict[str, Any]) -> None:
        listed = len(self._last_predictions)
        result = self.facts | {
            "schema_version": SCHEMA_VERSION,
            "metrics": metrics,
            "history": self._state["history"],
            "clips": self.facts["clips"]
            | {
                "listed": listed,
                "scored": listed - len(self._unreadable["test"]),
                "unreadable": {split: sorted(notes) for split, notes in self._unreadable.items()},
            },
            "time": {"train_seconds": self._state["train_seconds"]},
            "memory": self._memory,
            "init": self._state["init"],
        }
        folder = Path(runner.work_dir)
        predictions = self._last_predictions
        write_predictions(
            folder / PREDICTIONS,
            [prediction["name"] for prediction in predictions],
            np.array([prediction["label"] for prediction in predictions]),
            np.stack([prediction["scores"] for prediction in predictions]),
            [prediction.get("subject", "") for prediction in predictions],
            [prediction.get("group", "") for prediction in predictions],
        )
        write_text(folder / RESULT, json.dumps(result, indent=2, allow_nan=False) + "\n")


def extra_metrics(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """What metrics computed beside those that every result has, by `<metric>/<name>`."""
    known = ("recall/", "localization/", "val/")
    return {key: _plain(float(value)) for key, value in metrics.items() if not key.startswith(known)}


def lower_is_better(evaluator: Evaluator, names: Iterable[str]) -> list[str]:
    """The names of those metrics of which a low value is good, as their class says with `higher_is_better = False`."""
    low = tuple(f"{metric.prefix}/" for metric in evaluator.metrics if not getattr(metric, "higher_is_better", True))
    return sorted(name for name in names if low and name.startswith(low))


def _plain(value: Any) -> Any:
    """NumPy to what JSON knows; a NaN becomes null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list):
        return [_plain(item) for item in np.asarray(value).tolist()]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _largest(memory: Sequence[dict[str, int]]) -> dict[str, int]:
    """Of each kind of memory that of the process which took most."""
    return {kind: max(one[kind] for one in memory) for kind in memory[0]}


def _peak_memory() -> dict[str, int]:
    """Peak bytes: of this process, and allocated and reserved on the GPU."""
    memory = {"process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    if torch.cuda.is_available():
        memory |= {"gpu_allocated": torch.cuda.max_memory_allocated(), "gpu_reserved": torch.cuda.max_memory_reserved()}
    return memory
