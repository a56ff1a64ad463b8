"""Check that FERV39k is unpacked as its config expects: python tools/prepare/ferv39k.py

page     https://wangyanckxx.github.io/Proj_CVPR2022_FERV39k.html (on application)
licence  research only, by agreement
layout   ROOT/2_ClipsforFaceCrop/<Scene>/<Emotion>/<id>/*.jpg
         ROOT/4_setups/All_scenes/train_All.csv, test_All.csv

Its clips come as crops of faces: nothing is cut out.
"""

from cefl_bench.commands.prepare import check_corpus, parser_for
from cefl_bench.errors import one_line_errors


@one_line_errors
def main() -> None:
    arguments = parser_for("ferv39k", __doc__).parse_args()
    from cefl_bench.datasets.ferv39k import FERV39k

    check_corpus(FERV39k, arguments.root)
