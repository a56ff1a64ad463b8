"""Train and test what a config describes: resolve it to a plan, then run the plan."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import EMAHook

from cefl_bench.commands.facts import SPLITS, counts_off, data_fingerprint, known_before, other_data
from cefl_bench.commands.machine import (
    batch_in_words,
    check_schedule,
    check_shared_memory,
    fit_to_machine,
    start_processes,
    switch,
    switch_network,
    told_as,
    told_of_network,
)
from cefl_bench.commands.pack import decode_always
from cefl_bench.commands.runner import PlainRunner
from cefl_bench.commands.setup import RunOptions, build_dataset, configured, say, taken_data_on, weigh_classes
from cefl_bench.commands.unseen import learned_before, marks
from cefl_bench.config import HELD_OUT
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import sweep, write_text
from cefl_bench.functional.protocol import SCRATCH, difference, is_other_corpus, other_run
from cefl_bench.hooks.checkpoint import Checkpoint
from cefl_bench.hooks.log_scalars import LogScalars, check_programs
from cefl_bench.hooks.progress import Progress
from cefl_bench.hooks.project_cost import ProjectCost
from cefl_bench.hooks.reseed import Reseed
from cefl_bench.hooks.validate import Validate
from cefl_bench.hooks.write_result import WriteResult
from cefl_bench.models.late_averages import late_statistics, late_weights
from cefl_bench.models.start import init_source
from cefl_bench.parallel.distributed import take_gpu
from cefl_bench.parallel.workers import HOLDER, LOCK, alone_in
from cefl_bench.plain import plain
from cefl_bench.records import Cost
from cefl_bench.report.summary import summary
from cefl_bench.runs import checkpoints
from cefl_bench.runs.environment import device_name
from cefl_bench.runs.folder import CONFIG, CONFUSION, CURVES, LAST, RESULT, WORK_DIRS
from cefl_bench.runs.read_result import read_result


@dataclass
class Plan:
    """A training, checked: nothing that the user wrote can stop it any more, but the videos themselves."""

    config: Config
    resolved: dict[str, Any]
    """The config as plain values, with `num_processes`: what the result and the checkpoint keep."""
    datasets: dict[str, VideoDataset]
    """`train`, `test`, and `val` where a part of the training fold is held out."""
    folder: Path
    resume: bool
    price: float | None
    """Of an hour of one GPU, or of this machine where there is none."""
    log: Sequence[str]
    """Programs that the numbers of each epoch are written for."""
    finished: bool
    """Whether this very run is complete in the folder."""


def train(options: RunOptions) -> Path:
    """Train and test, and leave the files of `runs/folder.py` in the work dir.

    Returns:
        The work dir.

    Raises:
        UserError: before anything is written, when something is wrong with config, options or lists.
    """
    plan = resolve(options)
    with _held(plan):
        if plan.finished:
            say(f"already finished: {plan.folder / RESULT}")
        else:
            run(plan)
        return finish(plan.folder)


def resolve(options: RunOptions) -> Plan:
    """Options and config -> a plan, with everything checked that can be without reading a video."""
    check_programs(options.log)
    if options.price is not None and not 0 < options.price < float("inf"):
        raise UserError(f"--price is {options.price:g}: expected a number above 0")
    take_gpu(options.launcher)
    config = configured(options)
    if "train_cfg" not in config:
        raise UserError(f"config {options.config!r} has no train_cfg: expected one that can be trained")
    check_schedule(config)
    start_processes(options.launcher)
    data_on = taken_data_on(options, config)
    resolved = plain(config.to_dict()) | {"num_processes": get_world_size()}
    if options.no_pack:  # not part of the config: the frames are the same, so a run continues with them or without
        decode_always(config)
    config.data_on = data_on
    datasets = {split: build_dataset(config, loader) for split, loader in SPLITS.items() if loader in config}
    _check_split(resolved, datasets)
    default = Path(WORK_DIRS) / config.config_name / f"fold{datasets['train'].fold}_seed{config.randomness.seed}"
    folder = Path(options.work_dir or default)
    config.work_dir = str(folder)
    finished = _is_finished(folder, resolved, datasets, options.resume)
    fit_to_machine(config)
    switch(config)
    return Plan(config, resolved, datasets, folder, options.resume, options.price, options.log, finished)


@contextmanager
def _held(plan: Plan) -> Iterator[None]:
    """Hold the work dir while a run is in it, and sweep what killed ones left half-written.

    Raises:
        UserError: when another run is in it.
    """
    made = [folder for folder in (plan.folder, *plan.folder.parents) if not folder.exists()]
    plan.folder.mkdir(parents=True, exist_ok=True)
    # a benchmark holds the folder of a job for it
    holding = is_main_process() and HOLDER not in os.environ
    with alone_in(plan.folder, "training into", "give another --work-dir") if holding else nullcontext():
        if holding:
            sweep(plan.folder)
        try:
            yield
        finally:
            if is_main_process() and set(plan.folder.iterdir()) <= {
                plan.folder / LOCK
            }:  # stopped before it wrote anything
                (plan.folder / LOCK).unlink(missing_ok=True)
                for folder in made:
                    folder.rmdir()


def run(plan: Plan) -> None:
    """Train and test by a plan."""
    config, datasets = plan.config, plan.datasets
    start = init_source(config.model.backbone.get("init_cfg"))  # refuses weights that are not there
    facts = known_before(config, plan.resolved, datasets)
    for note in datasets["test"].notes:
        say(note)
    for line in counts_off(datasets):
        say(f"not the official corpus: {line}")
    held_out = f", {len(datasets['val'])} held-out" if "val" in datasets else ""
    packed = ", packed" if facts["data"]["packed"] else ""
    say(
        f"{facts['dataset']}, fold {facts['fold']}: {len(datasets['train'])} training{held_out} and "
        f"{len(datasets['test'])} test videos{packed}\n"
        f"{config.config_name}: {_cost_in_words(facts['cost'])}, {batch_in_words(config, get_world_size())}\n"
        f"{device_name()}, seed {facts['seed']}, protocol {facts['protocol_id']}, into {plan.folder}"
    )
    with told_as("train_dataloader.dataset.pipeline"):
        video_bytes = datasets["train"][0]["video"].nbytes
    check_shared_memory(config, video_bytes)
    runner = build_runner(plan, facts)
    for line in _late_averages(runner, untrained=start.source == SCRATCH):
        say(line)
    if is_main_process():
        write_text(plan.folder / CONFIG, Config(plan.resolved, format_python_code=False).dump())
    with told_of_network(config, runner.model, "in training"):
        runner.train()
    runner.end_workers()


def _late_averages(runner: PlainRunner, untrained: bool) -> Iterator[str]:
    """Lines on the running averages that tests take, where this training is too short for them."""
    if untrained and (line := late_statistics(runner.model, runner.max_iters)):
        yield line
    for hook in runner.hooks:
        if isinstance(hook, EMAHook):
            skipped = hook.begin_iter + hook.begin_epoch * len(runner.train_dataloader)
            if line := late_weights(hook.ema_cfg, runner.max_iters - skipped):
                yield line


def build_runner(plan: Plan, facts: dict[str, Any]) -> PlainRunner:
    """The runner of a plan, with its compute switches and all hooks.

    Args:
        facts: the fields of a `Result` that are known before the run starts.

    Raises:
        UserError: when something cannot be built from the config.
    """
    config = plan.config
    weigh_classes(config, plan.datasets["train"])
    with told_as("the run"):
        runner = PlainRunner.from_cfg(config)
        switch_network(config, runner.model)
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        runner.build_loops("train_loop", "val_loop")
    results = WriteResult(facts)
    before = learned_before(config, facts["trained_on"], plan.datasets["test"])
    learned_from = {*before, *marks(plan.datasets["train"])}
    hooks = [Reseed(), Progress(), results, Checkpoint(facts | {"learned_from": sorted(learned_from)}, plan.resume)]
    hooks.append(ProjectCost(facts["num_folds"], plan.price))
    if plan.log:
        hooks.append(LogScalars(plan.log, results, facts))
    if HELD_OUT in config:
        hooks.append(Validate(config[HELD_OUT], config.val_evaluator))
    for hook in hooks:
        runner.register_hook(hook)
    return runner


def finish(folder: Path) -> Path:
    """Draw the curves and the confusion matrix of a finished run or test, and say how it ended."""
    if is_main_process():
        # here, since matplotlib takes a second to load, and before the training nobody needs it
        from cefl_bench.report.confusion import draw_confusion
        from cefl_bench.report.curves import draw_curves

        result = read_result(folder / RESULT)
        if result["history"]:  # a test of a checkpoint has none
            draw_curves(result, folder / CURVES)
        draw_confusion(result, folder / CONFUSION)
        say(summary(folder))
    return folder


def _cost_in_words(cost: Cost) -> str:
    if "uncounted" in cost:
        if is_main_process():
            print(f"warning: {cost['uncounted']}; the result will have no MACs", file=sys.stderr, flush=True)
        return "parameters and MACs per video not counted"
    return f"{cost['params'] / 1e6:.2f} M parameters, {cost['macs'] / 1e9:.2f} GMACs per video"


def _check_split(config: dict[str, Any], datasets: dict[str, VideoDataset]) -> None:
    """Refuse to train on test videos, and to score other test videos, or in another way, than `tools/test.py` would."""
    train_set, test_set = datasets["train"], datasets["test"]
    if train_set.fold != test_set.fold and not is_other_corpus(config["test_dataloader"]["dataset"]):
        raise UserError(f"training is on fold {train_set.fold}, testing on fold {test_set.fold}: set both with --fold")
    names = {  # of two corpora, videos may share a name
        split: {(data.data_root, data.get_data_info(index)["name"]) for index in range(len(data))}
        for split, data in datasets.items()
    }
    for one, other in combinations(names, 2):
        if both := sorted(names[one] & names[other]):
            raise UserError(
                f"{len(both)} videos are in {one} and in {other}, such as {both[0][1]!r}: the lists must not overlap"
            )
    val, test = ({**config[loader]["dataset"], "on_error": None} for loader in ("val_dataloader", "test_dataloader"))
    if changed := difference(val, test):
        raise UserError(f"val_dataloader and test_dataloader read different data ({changed[0]}): change both")


def _is_finished(folder: Path, config: dict[str, Any], datasets: dict[str, VideoDataset], resume: bool) -> bool:
    """Whether this very run is complete. Refuses to overwrite a run, or to continue one by another config or data."""
    result, last = folder / RESULT, folder / LAST
    if not (result.exists() or last.exists()):
        if resume:
            say(f"nothing to resume in {folder}: starting with the first epoch")
        return False
    if not resume:
        raise UserError(f"{folder} holds a run already: --resume continues it, or give another --work-dir")
    meta = checkpoints.meta_of(checkpoints.load(last), last) if last.exists() else None
    if meta is None:
        raise UserError(f"{folder} holds results but no {LAST} of a training: give another --work-dir")
    before = meta["config"]
    if changed := other_run(before, config):
        raise UserError(
            f"{folder} holds a run of another config ({'; '.join(changed[:3])}): give another --work-dir or set it back"
        )
    if splits := other_data(meta.get("data_fingerprint", {}), data_fingerprint(datasets)):
        raise UserError(
            f"{folder} holds a run on other data (videos or labels of {', '.join(splits)} have changed since it "
            "began): give another --work-dir, or set the data back"
        )
    # A run killed between the two files has a result and not yet the weights it belongs to: its last epoch is repeated.
    return result.exists() and meta["epoch"] == config["train_cfg"]["max_epochs"]
