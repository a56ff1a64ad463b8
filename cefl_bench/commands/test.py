"""Score a checkpoint on the test split."""

from pathlib import Path

from cefl_bench.commands import calibrate
from cefl_bench.commands.facts import known_before
from cefl_bench.commands.machine import fit_to_machine, start_processes, switch_test, told_as, told_of_network
from cefl_bench.commands.pack import decode_always
from cefl_bench.commands.runner import PlainRunner
from cefl_bench.commands.setup import RunOptions, build_dataset, of_checkpoint, say, taken_data_on
from cefl_bench.commands.train import finish
from cefl_bench.commands.unseen import check_unseen
from cefl_bench.errors import UserError
from cefl_bench.files import check_folder, sha256_of
from cefl_bench.hooks.progress import Progress
from cefl_bench.hooks.write_result import WriteResult
from cefl_bench.parallel.distributed import take_gpu
from cefl_bench.plain import plain
from cefl_bench.runs import checkpoints
from cefl_bench.runs.built_in import checkpoint_file, folder_beside
from cefl_bench.runs.environment import device_name
from cefl_bench.runs.folder import LAST, TEST

TRAINING_KEYS = (
    *("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler"),
    *("val_dataloader", "val_cfg", "val_evaluator"),
)


def test(options: RunOptions, checkpoint: str, out: str | None = None, with_temperature: bool = False) -> Path:
    """Score a checkpoint, and leave `result.json`, `predictions.csv` and `confusion.png`.

    Args:
        with_temperature: also fit a temperature on the held-out part of the training fold, and leave `calibrated.pth`.

    Returns:
        The folder they are in: `out`, else `test` beside the checkpoint.
    """
    folder = Path(out or folder_beside(checkpoint) / TEST)
    check_folder(folder)
    take_gpu(options.launcher)
    options, config = of_checkpoint(options, checkpoint)
    start_processes(options.launcher)
    data_on = taken_data_on(options, config)
    resolved = plain(config.to_dict())
    config.data_on = data_on
    if options.no_pack:
        decode_always(config)
    held_out = calibrate.held_out_videos(config, checkpoint, options.launcher) if with_temperature else None
    test_set = build_dataset(config, "test_dataloader")
    check_unseen(test_set, "test_dataloader", config, checkpoint)
    if (folder / LAST).exists():
        raise UserError(
            f"--out {str(folder)!r} holds a training run, whose result.json would be lost: name another folder"
        )
    meta = checkpoints.meta_of(checkpoints.load(checkpoint), checkpoint)
    # How the weights were trained is the checkpoint's to say, how they are tested the config's.
    tested = {key: resolved[key] for key in ("test_dataloader", "data_preprocessor")}
    trained, protocol = (meta["config"], meta.get("protocol")) if meta else (resolved, None)
    facts = known_before(config, trained | tested, {"test": test_set}, protocol)
    facts |= {"config": resolved}
    facts["checkpoint"] = {
        "path": str(checkpoint),
        "sha256": sha256_of(checkpoint_file(checkpoint)),
        "epoch": meta["epoch"] if meta else None,
    }
    say(f"{facts['dataset']}, fold {facts['fold']}: {len(test_set)} test videos, on {device_name()}, into {folder}")
    config.work_dir = str(folder)
    for key in TRAINING_KEYS:
        config.pop(key, None)
    fit_to_machine(config)
    with told_as("the test"):
        runner = PlainRunner.from_cfg(config)
        switch_test(config, runner.model)
        runner.build_loops("test_loop")
    checkpoints.load_into(getattr(runner.model, "module", runner.model), checkpoint)
    fitted = None
    if held_out is not None:
        fitted = calibrate.fit(held_out, config.test_dataloader.batch_size, runner.model.eval())
    for hook in (Progress(), WriteResult(facts)):
        runner.register_hook(hook)
    with told_of_network(config, runner.model, "in the test"):
        runner.test()
    runner.end_workers()
    finish(folder)
    if fitted is not None:
        calibrate.write(folder, checkpoint, fitted)
    return folder
