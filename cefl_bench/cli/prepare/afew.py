"""Check that AFEW is unpacked as its config expects: python tools/prepare/afew.py

page     https://cs.anu.edu.au/few/AFEW.html (on application)
licence  research only, by agreement
layout   ROOT/Train_AFEW/Happy/*.avi, ROOT/Val_AFEW/Happy/*.avi
         ROOT/Train_AFEW/AlignedFaces_LBPTOP_Points, ROOT/Val_AFEW/AlignedFaces_LBPTOP_Points_Val

It comes with aligned faces: nothing is cut out. Two videos of Val_AFEW have none; they count as wrong with
on_error='skip'.
"""

from cefl_bench.commands.prepare import check_corpus, parser_for
from cefl_bench.errors import one_line_errors


@one_line_errors
def main() -> None:
    arguments = parser_for("afew", __doc__).parse_args()
    from cefl_bench.datasets.afew import AFEW

    check_corpus(AFEW, arguments.root, may_lack=2)
