"""Score a checkpoint: python tools/test.py work_dirs/.../last.pth"""

import argparse

from cefl_bench.cli.options import (
    add_checkpoint,
    add_data_on,
    add_launcher,
    add_no_pack,
    file_path,
    loading,
    options_and_checkpoint,
)
from cefl_bench.errors import one_line_errors


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Score a checkpoint on the test split, and leave result.json, predictions.csv and confusion.png."
    )
    add_checkpoint(parser)
    parser.add_argument("--fold", type=int, metavar="K", help="fold to test on, counted from 1 (default: the config's)")
    parser.add_argument(
        "--out", type=file_path, metavar="D", help="where results go (default: test/ beside the checkpoint)"
    )
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="also fit a temperature on the held-out part of the training fold (of a run with --select val), tell the "
        "expected calibration error before and after, and leave calibrated.pth, whose scores are probabilities",
    )
    add_launcher(parser)
    add_no_pack(parser)
    add_data_on(parser)
    return parser


@one_line_errors
def main() -> None:
    parser = make_parser()
    arguments = parser.parse_args()
    options, checkpoint = options_and_checkpoint(parser, arguments)
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.test import test

    test(options, checkpoint, arguments.out, arguments.calibrate)
