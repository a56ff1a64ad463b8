"""Divide the subjects of MMI into ten folds, once, and cut out the faces: python tools/prepare/mmi.py

page     https://mmifacedb.eu/ (on application)
licence  research only, by agreement
layout   ROOT/Sessions/<id>/session.xml, with the .avi and the .xml files of the session beside it

ROOT/folds.csv keeps the test fold of every subject, so that no subject is on both sides, with about the same
share of each emotion in every fold. An existing file is kept.
"""

from cefl_bench.commands.prepare import add_crop_options, check_corpus, crop_corpus, parser_for
from cefl_bench.errors import UserError, one_line_errors


@one_line_errors
def main() -> None:
    parser = parser_for("mmi", __doc__)
    parser.add_argument(
        "--views", type=int, nargs="+", default=(0,), help="as in the config: 0 frontal, 1 profile, 2 both (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other folds (default: 0)")
    parser.add_argument("--folds-only", action="store_true", help="stop when the folds are made")
    add_crop_options(parser)
    arguments = parser.parse_args()
    from cefl_bench.datasets.folds import make_folds
    from cefl_bench.datasets.mmi import MMI, read_sessions

    if not (arguments.root / "Sessions").is_dir():
        raise UserError(f"{arguments.root / 'Sessions'} does not exist: {MMI.METAINFO['access']}")
    entries, _ = read_sessions(arguments.root, arguments.views)
    print(make_folds(arguments.root, entries, MMI.METAINFO["num_folds"], arguments.seed))
    if arguments.folds_only:
        check_corpus(MMI, arguments.root, views=arguments.views)
    else:
        crop_corpus(MMI, arguments, views=arguments.views)
