"""Share the subjects of BU-4DFE (or BU-3DFE) out over ten folds, once: python tools/prepare/bu3dfe.py"""

import argparse
from pathlib import Path

from cefl_bench.errors import UserError, one_line_errors
from cefl_bench.files import data_home


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Write folds.csv beside the subjects' folders: the test fold of every subject, so that nobody "
        "is in training and in test. Folds that are there are kept."
    )
    parser.add_argument(
        "--root", type=Path, help="folder of the corpus (default: bu3dfe in $CEFL_BENCH_DATA, else data/)"
    )
    parser.add_argument("--layout", default="dynamic", help="dynamic (BU-4DFE) or static (BU-3DFE) (default: dynamic)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other folds (default: 0)")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    if arguments.layout not in ("dynamic", "static"):
        raise UserError(f"--layout is {arguments.layout!r}: expected dynamic or static")
    from cefl_bench.datasets.bu3dfe import BU3DFE, read_sequences
    from cefl_bench.datasets.folds import make_folds

    root = arguments.root or data_home() / "bu3dfe"
    if not root.is_dir():
        raise UserError(f"{root} does not exist: {BU3DFE.METAINFO['access']}")
    entries = read_sequences(root, arguments.layout)
    print(make_folds(root, entries, BU3DFE.METAINFO["num_folds"], arguments.seed))


if __name__ == "__main__":
    main()
