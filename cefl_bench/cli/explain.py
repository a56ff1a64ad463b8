"""Show what a model saw: python tools/explain.py work_dirs/.../last.pth"""

import argparse

from cefl_bench.cli.options import add_checkpoint, add_no_pack, file_path, loading, options_and_checkpoint
from cefl_bench.errors import one_line_errors


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Draw, for chosen test videos, what each clip (or frame, where a model sees one clip) is worth for "
        "the predicted class, its activation where the model weighs clips, the true intensity where it is known, and "
        "the class scores."
    )
    add_checkpoint(parser)
    parser.add_argument("--videos", nargs="+", default=(), metavar="NAME", help="names as in predictions.csv")
    parser.add_argument(
        "--num",
        type=int,
        default=4,
        metavar="N",
        help="without --videos: the first video of each of N classes (default 4)",
    )
    parser.add_argument("--fold", type=int, metavar="K", help="fold to look at, counted from 1 (default: the config's)")
    parser.add_argument(
        "--out", type=file_path, metavar="D", help="where figures go (default: explain/ beside the checkpoint)"
    )
    add_no_pack(parser)
    return parser


@one_line_errors
def main() -> None:
    parser = make_parser()
    arguments = parser.parse_args()
    options, checkpoint = options_and_checkpoint(parser, arguments)
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.explain import explain

    for figure in explain(options, checkpoint, arguments.videos, arguments.num, arguments.out):
        print(figure)
