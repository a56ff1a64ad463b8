"""Check that DFEW is unpacked as its config expects: python tools/prepare/dfew.py

page     https://dfew-dataset.github.io/ (on application)
licence  research only, by agreement
layout   ROOT/Clip/clip_224x224/00001/*.jpg
         ROOT/EmoLabel_DataSplit/{train,test}(single-labeled)/set_1.csv to set_5.csv

Its clips come as crops of faces: nothing is cut out.
"""

from cefl_bench.commands.prepare import check_corpus, parser_for
from cefl_bench.errors import one_line_errors


@one_line_errors
def main() -> None:
    parser = parser_for("dfew", __doc__)
    parser.add_argument("--frames", default="clip_224x224", help="folder below ROOT/Clip (default: clip_224x224)")
    arguments = parser.parse_args()
    from cefl_bench.datasets.dfew import DFEW

    check_corpus(DFEW, arguments.root, frames=arguments.frames)
