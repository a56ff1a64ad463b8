"""Measure what a model costs in time and memory: python tools/speed.py configs/ceflnet_synthetic.py"""

import argparse

from cefl_bench.cli.options import add_compute, add_config, compute_given, configs_of, file_path
from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Latency, throughput of inference and of training, and peak memory of a model with random weights "
        "on random videos; with --data, how fast its data loader reads.",
    )
    add = parser.add_argument
    add_config(parser, many=True)
    add("--device", metavar="D", help="cpu, cuda or cuda:0 (default: the GPU where there is one)")
    add("--threads", type=int, metavar="N", help="CPU threads of PyTorch (default: PyTorch's own choice)")
    add("--batch", type=int, metavar="B", help="the fixed batch, in videos (default: the config's when training)")
    add("--max-batch", type=int, metavar="B", help="largest batch that is tried (default: 32 on a CPU, else 1024)")
    add("--warmup", type=int, default=5, metavar="N", help="calls before the clock starts (5)")
    add("--iterations", type=int, default=20, metavar="N", help="timed calls, at least (20); fewer where slow")
    add("--min-seconds", type=float, default=1.0, metavar="S", help="timed seconds, at least, per measurement (1)")
    add("--data", action="store_true", help="measure the data loader of the training split instead")
    add("--clips", type=int, default=256, metavar="N", help="with --data: videos in a pass (256)")
    add("--no-pack", action="store_true", help="with --data: measure decoding alone, not packed frames too")
    add("--repeats", type=int, default=5, metavar="N", help="with --data: timed passes (5)")
    add("--json", type=file_path, metavar="F", help="also write the numbers to this file")
    add_compute(parser)
    return parser.parse_args()


@one_line_errors
def main() -> None:
    given = parse_arguments()
    compute = compute_given(given)
    if given.data:
        # here, so that --help need not wait for torch
        from cefl_bench.commands.speed_data import measure_loaders, speed_data_table

        work = (given.clips, given.repeats, given.no_pack, given.json)
        print(speed_data_table(measure_loaders(configs_of(given), *work)))
        return
    from cefl_bench.commands.speed import device_from, measure_models, use_threads
    from cefl_bench.config import set_compute
    from cefl_bench.cost.speed_table import speed_table
    from cefl_bench.cost.stopwatch import Stopwatch
    from cefl_bench.cost.trials import SpeedOptions

    configs = configs_of(given)
    for config in configs:
        set_compute(config, compute)
    use_threads(given.threads)
    stopwatch = Stopwatch(given.warmup, given.iterations, given.min_seconds)
    device, numbers = device_from(given.device), (given.batch, given.max_batch)
    options = SpeedOptions(device, *numbers, stopwatch)
    print(speed_table(measure_models(configs, options, given.json)))
