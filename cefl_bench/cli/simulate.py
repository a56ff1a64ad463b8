"""Simulate tables of which the truth is known: python tools/simulate.py --out docs/comparisons_simulated.md"""

import argparse

from cefl_bench.errors import UserError, one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="How often a leaderboard calls one of two equal methods better, how often it finds a lead, and how "
        "many of its intervals hold the truth: with methods that are simulated, so that the truth is known. Uses one "
        "core; the numbers are a Markdown page.",
    )
    parser.add_argument(
        "--tables", type=int, default=300, metavar="N", help="simulated tables a setting (default: 300)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="random seed (default: 0)")
    parser.add_argument("--quick", action="store_true", help="only two kinds of test sets, to try it out")
    parser.add_argument("--out", metavar="F", help="write the page to this file instead of printing it")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    for name, least in (("tables", 1), ("seed", 0)):
        if getattr(arguments, name) < least:
            raise UserError(f"--{name} is {getattr(arguments, name)}: expected {least} or more")
    from cefl_bench.commands.simulate import make_page  # here, so that --help need not wait for NumPy
    from cefl_bench.files import check_writable, write_text

    check_writable("--out", arguments.out)
    page = make_page(arguments.tables, arguments.seed, arguments.quick)
    if arguments.out is None:
        print(page, end="")
    else:
        write_text(arguments.out, page)
