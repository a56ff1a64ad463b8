"""Check that MAFW is unpacked as its config expects: python tools/prepare/mafw.py

page     https://mafw-database.github.io/MAFW/ (on application)
licence  research only, by agreement
layout   ROOT/data/clips/03747.mp4 (or ROOT/data/clips/03747/*.jpg)
         ROOT/split/single/no_caption/set_1/train.txt, test.txt to set_5

With --crop, the faces of the videos are cut out into ROOT/faces_224 as well; a config reads them by
train_dataloader.dataset.videos=faces_224, and the same for val_dataloader and test_dataloader.
"""

from cefl_bench.commands.prepare import add_crop_options, check_corpus, crop_faces, parser_for
from cefl_bench.errors import one_line_errors


@one_line_errors
def main() -> None:
    parser = parser_for("mafw", __doc__)
    parser.add_argument("--videos", default="data/clips", help="folder of the clips below ROOT (default: data/clips)")
    parser.add_argument("--crop", action="store_true", help="cut out the faces")
    add_crop_options(parser)
    arguments = parser.parse_args()
    from cefl_bench.datasets.mafw import MAFW

    videos = check_corpus(MAFW, arguments.root, videos=arguments.videos)
    if arguments.crop:
        crop_faces(videos, arguments)
