"""Say what is wrong with the data of a config, before training: python tools/doctor.py configs/ceflnet_dfew.py"""

import argparse
import sys

from cefl_bench.cli.options import add_config, add_folds, add_workers, configs_of, file_path, loading, take_folds
from cefl_bench.errors import UserError, as_called, one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Look at all the videos that a config would train and test on, over all its folds: missing and "
        "broken ones, copies and subjects on both sides of a split, counts that differ from the official ones. Where "
        "it trains on one corpus and tests on another, at each of the two.",
        epilog="exit status: 0 when there is no error (warnings may be there), 1 when there is one",
    )
    add_config(parser)
    parser.add_argument("--fold", type=int, metavar="K", help="only this fold, counted from 1 (default: all)")
    parser.add_argument("--json", type=file_path, metavar="F", help="also write everything that was found to this file")
    add_folds(parser)
    add_workers(parser)
    parser.add_argument(
        "--timeout", type=float, default=60, metavar="S", help="seconds for one video (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="read nine frames of each video instead of all")
    parser.add_argument("--names", type=int, default=3, metavar="N", help="names to show a line (default: %(default)s)")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    for name in ("workers", "timeout"):
        if not getattr(arguments, name) > 0:
            raise UserError(f"--{name} is {getattr(arguments, name)}: expected more than 0")
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.doctor.examine import examine
        from cefl_bench.doctor.table import table
        from cefl_bench.files import check_writable, write_json

    check_writable("--json", arguments.json)
    take_folds(arguments)
    (config,) = configs_of(arguments)
    reports = examine(config, arguments.fold, arguments.workers, arguments.timeout, not arguments.quick)
    print(as_called("\n\n".join(table(report, arguments.names) for report in reports)))
    healthy = all(report.healthy for report in reports)
    write_json(arguments.json, {"healthy": healthy, "corpora": [report.record() for report in reports]})
    sys.exit(0 if healthy else 1)
