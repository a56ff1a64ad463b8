"""Check RAVDESS and cut out its faces: python tools/prepare/ravdess.py

page     https://zenodo.org/records/1188976 (Video_Speech_Actor_01.zip to Video_Speech_Actor_24.zip)
licence  CC BY-NC-SA 4.0
layout   ROOT/Actor_01/02-01-06-01-02-01-01.mp4; only video without sound (02) of speech (01) is used
"""

from cefl_bench.commands.prepare import add_crop_options, crop_corpus, parser_for
from cefl_bench.errors import one_line_errors


@one_line_errors
def main() -> None:
    parser = parser_for("ravdess", __doc__)
    add_crop_options(parser)
    arguments = parser.parse_args()
    from cefl_bench.datasets.ravdess import RAVDESS

    crop_corpus(RAVDESS, arguments)
