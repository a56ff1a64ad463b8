"""Check CREMA-D and cut out its faces: python tools/prepare/cremad.py

page     https://github.com/CheyneyComputerScience/CREMA-D (clone with git-lfs)
licence  ODbL
layout   ROOT/VideoFlash/1001_DFA_ANG_XX.flv
"""

from cefl_bench.commands.prepare import add_crop_options, crop_corpus, parser_for
from cefl_bench.errors import one_line_errors


@one_line_errors
def main() -> None:
    parser = parser_for("cremad", __doc__)
    add_crop_options(parser)
    arguments = parser.parse_args()
    from cefl_bench.datasets.cremad import CREMAD

    crop_corpus(CREMAD, arguments)
