"""Say what a trained model sees in videos of your own: python tools/predict.py demo me.mp4"""

import argparse

from cefl_bench.cli.options import ExistingConfig, add_choices, choices_given, file_path, loading
from cefl_bench.errors import one_line_errors
from cefl_bench.runs.built_in import check_checkpoint


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Find and follow the faces in videos, judge each over time, and leave for each timeline.csv, "
        "timeline.json, timeline.png and annotated.mp4. Nothing leaves this machine.",
        epilog="example: python tools/predict.py demo me.mp4 --out results",
    )
    parser.add_argument(
        "checkpoint",
        type=file_path,
        metavar="CHECKPOINT",
        help="a .pth or .safetensors file, loaded as weights only, never as code; demo, which is built in; or the "
        ".onnx file that tools/export.py made of one, which needs no PyTorch",
    )
    parser.add_argument(
        "sources",
        nargs="+",
        type=file_path,
        metavar="SOURCE",
        help="a video, a folder of videos, a pattern such as 'clips/*.mp4', a folder of images (25 a second), webcam, "
        "or webcam:1 for the second camera",
    )
    parser.add_argument(
        "--out", type=file_path, default="predictions", metavar="D", help="where results go (default: predictions)"
    )
    add_choices(parser)
    parser.add_argument("--no-video", action="store_true", help="leave annotated.mp4 out, which takes a second pass")
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="for how long a webcam is watched (default 10)"
    )
    told = "needed only where the checkpoint does not know its own"
    parser.add_argument("--config", action=ExistingConfig, metavar="CONFIG", help=told)
    return parser


@one_line_errors
def main() -> None:
    arguments = make_parser().parse_args()
    check_checkpoint(arguments.checkpoint)
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.predict import PredictOptions, predict

    predict(
        arguments.checkpoint,
        PredictOptions(
            sources=arguments.sources,
            out=arguments.out,
            config=arguments.config,
            choices=choices_given(arguments),
            annotate=not arguments.no_video,
            seconds=arguments.seconds,
        ),
    )
