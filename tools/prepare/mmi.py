"""Share the subjects of MMI out over ten folds, once: python tools/prepare/mmi.py"""

import argparse
from pathlib import Path

from cefl_bench.errors import UserError, one_line_errors
from cefl_bench.files import data_home


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Write folds.csv beside Sessions/: the test fold of every subject, so that nobody is in "
        "training and in test, with about the same share of each emotion in every fold. Folds that are there are kept."
    )
    parser.add_argument("--root", type=Path, help="folder of the corpus (default: mmi in $CEFL_BENCH_DATA, else data/)")
    parser.add_argument(
        "--views", type=int, nargs="+", default=(0,), help="as views in the config: 0 frontal, 1 profile, 2 both"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other folds (default: 0)")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    from cefl_bench.datasets.folds import make_folds
    from cefl_bench.datasets.mmi import MMI, read_sessions

    root = arguments.root or data_home() / "mmi"
    if not (root / "Sessions").is_dir():
        raise UserError(f"{root / 'Sessions'} does not exist: {MMI.METAINFO['access']}")
    entries, left_out = read_sessions(root, arguments.views)
    for reason, sessions in left_out.items():
        print(f"{len(sessions)} sessions left out, {reason}")
    print(make_folds(root, entries, MMI.METAINFO["num_folds"], arguments.seed))


if __name__ == "__main__":
    main()
