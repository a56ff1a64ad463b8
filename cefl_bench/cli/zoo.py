"""Write model_zoo.md from the configs and the results under version control: python tools/zoo.py"""

import argparse

from cefl_bench.cli.options import loading
from cefl_bench.errors import UserError, one_line_errors
from cefl_bench.files import check_file, checkout


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Write model_zoo.md: per corpus the methods, what they cost, what they scored here, and what the "
        "literature reports.",
        epilog="example: python tools/zoo.py --add work_dirs/c3d_dfew/fold*_seed0/result.json",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing; exit with 1 when model_zoo.md is outdated")
    what.add_argument("--add", nargs="+", default=(), metavar="RESULT", help="add these runs, with their predictions")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    if checkout() is None:
        raise UserError("model_zoo.md belongs to a checkout, and this toolkit is installed without one: call it there")
    for file in arguments.add:
        check_file(file, "result", "the result.json of a run")
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.zoo import add_results, check_zoo, write_zoo

    if arguments.check:
        check_zoo()
        print("model_zoo.md is up to date")
        return
    for file in add_results(arguments.add):
        print(f"added {file}")
    print(f"wrote {write_zoo()}")
