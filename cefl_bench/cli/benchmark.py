"""Train and test configs on all folds: python tools/benchmark.py configs/*_synthetic.py --out work_dirs/synthetic"""

import argparse

from cefl_bench.cli.options import (
    add_amp,
    add_compute,
    add_config,
    add_data_on,
    add_no_pack,
    add_price,
    compute_given,
    file_path,
)
from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train and test every config on every fold with every seed, each by a call of tools/train.py, "
        "into D/CONFIG/foldK_seedS. The same command again runs what is missing: a finished job is left alone, a "
        "stopped one goes on after its last epoch, a failed one is tried again. A job that fails does not stop the "
        "others; the exit status is 1 then. Two runs at once share the work.",
        epilog="example: python tools/benchmark.py configs/c3d_dfew.py configs/ceflnet_dfew.py --seeds 0,1,2 "
        "--out work_dirs/dfew --executor slurm --slurm partition=gpu gres=gpu:1 cpus-per-task=8 time=720",
    )
    add = parser.add_argument
    add_config(parser, many=True)
    add("--out", type=file_path, required=True, metavar="D", help="where results go")
    add("--folds", default="all", metavar="K,..", help="folds to test on, counted from 1, or all (default)")
    add("--seeds", default="0", metavar="S,..", help="random seeds (default: 0)")
    add("--executor", choices=("local", "slurm"), default="local", help="this machine (default) or a cluster")
    add("--gpus", type=int, metavar="N", help="run a job on each of N GPUs (default: all); 0 uses the CPU alone")
    add("--jobs", type=int, metavar="N", help="jobs at once: on a CPU, where they share cores (1), or in SLURM")
    add("--slurm", nargs="+", default=(), metavar="KEY=VALUE", help="options of sbatch; time in minutes (1440)")
    add("--select", choices=("last", "val"), default="last", help="the epoch that counts, as in tools/train.py")
    add_amp(parser)
    add_compute(parser)
    add_no_pack(parser)
    add_data_on(parser)
    add(
        "--options-for",
        nargs="+",
        action="append",
        default=[],
        metavar="CONFIG KEY=VALUE",
        help="change values of one of the configs alone; give it once per config",
    )
    add("--clips-per-s", type=float, metavar="N", help="in training, to project the cost where no job has finished yet")
    add_price(parser)
    add("--dry-run", action="store_true", help="say what would run, and stop")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    from cefl_bench.benchmark.matrix import BenchmarkOptions  # here, so that --help need not wait for torch
    from cefl_bench.benchmark.run import benchmark

    compute = compute_given(arguments)
    if not benchmark(BenchmarkOptions(**vars(arguments), compute=compute)):
        raise SystemExit(1)
