"""Measure what a model costs in time and memory: python tools/speed.py configs/ceflnet_synthetic.py"""

import argparse
from typing import TYPE_CHECKING

from cefl_bench.cli.options import add_compute, add_config, add_data_on, compute_given, configs_of, file_path
from cefl_bench.errors import UserError, one_line_errors

if TYPE_CHECKING:  # --help need not wait for torch
    from mmengine.config import Config


CLIPS = 256
"""Videos in a pass, where nothing else is said."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Latency, throughput of inference and of training, and peak memory of a model with random weights "
        "on random videos; or, with one of the options below, something else.",
    )
    add = parser.add_argument
    add_config(parser, many=True)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--data", action="store_true", help="how fast the data loader of the training split reads")
    one.add_argument("--train", action="store_true", help="pipeline efficiency: how much of a training is computing")
    one.add_argument(
        "--versus-usual",
        action="store_true",
        help="training beside the usual way: JPEG frames, torchvision transforms frame by frame, eager float32; "
        "needs no data",
    )
    one.add_argument("--sweep", action="store_true", help="each compute switch alone and together; which ones to use")
    add("--device", metavar="D", help="cpu, cuda or cuda:0 (default: the GPU where there is one)")
    add("--threads", type=int, metavar="N", help="CPU threads of PyTorch (default: PyTorch's own choice)")
    add("--batch", type=int, metavar="B", help="the fixed batch, in videos (default: the config's when training)")
    add("--max-batch", type=int, metavar="B", help="largest batch that is tried (default: 32 on a CPU, else 1024)")
    add("--warmup", type=int, default=5, metavar="N", help="calls before the clock starts (5)")
    add("--iterations", type=int, default=20, metavar="N", help="timed calls, at least (20); fewer where slow")
    add("--min-seconds", type=float, default=1.0, metavar="S", help="timed seconds, at least, per measurement (1)")
    add(
        "--clips",
        type=int,
        metavar="N",
        help="with --data, --train, --versus-usual: videos in a pass (256; two batches for --versus-usual)",
    )
    add("--no-pack", action="store_true", help="with --data, --train: decode, even if packed frames exist")
    add(
        "--repeats",
        type=int,
        default=5,
        metavar="N",
        help="timed passes, or rounds in turns (5)",
    )
    add(
        "--profile", type=file_path, metavar="D", help="with --train: also a table and a trace of torch.profiler into D"
    )
    add("--json", type=file_path, metavar="F", help="also write the numbers to this file")
    add_data_on(parser)
    add_compute(parser)
    return parser.parse_args()


@one_line_errors
def main() -> None:
    given = parse_arguments()
    from cefl_bench.commands.speed import use_threads  # here, so that --help need not wait for torch
    from cefl_bench.config import set_compute

    compute = compute_given(given)
    configs = configs_of(given)
    if compute and (given.data or given.sweep):
        raise UserError("--data and --sweep take no compute switches: reading has none, and a sweep measures them all")
    if given.data_on is not None and not (given.train or given.versus_usual):
        raise UserError("--data-on says where a training's frames wait: give it with --train or --versus-usual")
    for config in configs:
        set_compute(config, compute)
        if given.data_on is not None:
            config.data_on = given.data_on
        if given.batch is not None and "train_dataloader" in config:
            config.train_dataloader.batch_size = given.batch
    use_threads(given.threads)
    if given.data:
        print(_data(given, configs))
    elif given.train:
        print(_train(given, configs))
    elif given.versus_usual:
        print(_versus(given, configs))
    elif given.sweep:
        print(_sweep(given, configs))
    else:
        print(_models(given, configs))


def _data(given: argparse.Namespace, configs: "list[Config]") -> str:
    from cefl_bench.commands.speed_data import measure_loaders, speed_data_table

    return speed_data_table(measure_loaders(configs, given.clips or CLIPS, given.repeats, given.no_pack, given.json))


def _train(given: argparse.Namespace, configs: "list[Config]") -> str:
    from cefl_bench.commands.speed_train import TrainSpeedOptions, measure_trainings, train_speed_table

    options = TrainSpeedOptions(given.clips or CLIPS, given.repeats, given.no_pack, given.profile)
    return train_speed_table(measure_trainings(configs, options, given.json))


def _versus(given: argparse.Namespace, configs: "list[Config]") -> str:
    from cefl_bench.commands.speed_versus import VersusOptions, versus_table, versus_usual

    return versus_table(versus_usual(configs, VersusOptions(given.clips, given.repeats), given.json))


def _sweep(given: argparse.Namespace, configs: "list[Config]") -> str:
    from cefl_bench.commands.speed import device_from
    from cefl_bench.commands.speed_sweep import sweep_models
    from cefl_bench.cost.sweep_table import sweep_table

    device = device_from(given.device)
    return sweep_table(sweep_models(configs, device, given.batch, given.repeats, given.min_seconds, given.json))


def _models(given: argparse.Namespace, configs: "list[Config]") -> str:
    from cefl_bench.commands.speed import device_from, measure_models
    from cefl_bench.cost.speed_table import speed_table
    from cefl_bench.cost.stopwatch import Stopwatch
    from cefl_bench.cost.trials import SpeedOptions

    stopwatch = Stopwatch(given.warmup, given.iterations, given.min_seconds)
    options = SpeedOptions(device_from(given.device), given.batch, given.max_batch, stopwatch)
    return speed_table(measure_models(configs, options, given.json))
