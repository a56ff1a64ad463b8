"""Divide the subjects of BU-4DFE (or BU-3DFE) into ten folds, once: python tools/prepare/bu3dfe.py

page     https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html (on application)
licence  research only, by agreement
layout   BU-4DFE: ROOT/F001/<Expression>/000.jpg; BU-3DFE: ROOT/F0001/F0001_AN01WH_F2D.bmp

ROOT/folds.csv keeps the test fold of every subject, so that no subject is on both sides. An existing file is kept.
The images show a face and little else: nothing is cut out.
"""

from cefl_bench.commands.prepare import check_corpus, parser_for
from cefl_bench.errors import UserError, one_line_errors


@one_line_errors
def main() -> None:
    parser = parser_for("bu3dfe", __doc__)
    parser.add_argument("--layout", default="dynamic", help="dynamic (BU-4DFE) or static (BU-3DFE) (default: dynamic)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other folds (default: 0)")
    arguments = parser.parse_args()
    if arguments.layout not in ("dynamic", "static"):
        raise UserError(f"--layout is {arguments.layout!r}: expected dynamic or static")
    from cefl_bench.datasets.bu3dfe import BU3DFE, read_sequences
    from cefl_bench.datasets.folds import make_folds

    if not arguments.root.is_dir():
        raise UserError(f"{arguments.root} does not exist: {BU3DFE.METAINFO['access']}")
    entries = read_sequences(arguments.root, arguments.layout)
    print(make_folds(arguments.root, entries, BU3DFE.METAINFO["num_folds"], arguments.seed))
    check_corpus(BU3DFE, arguments.root, layout=arguments.layout)
