"""Say what a trained model sees in videos of your own: python tools/predict.py work_dirs/.../last.pth me.mp4"""

import argparse
import math

from cefl_bench.cli.options import ExistingConfig, file_path
from cefl_bench.errors import one_line_errors
from cefl_bench.files import check_file
from cefl_bench.runs.folder import A_CHECKPOINT


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Find and follow the faces in videos, judge each over time, and leave for each timeline.csv, "
        "timeline.json, timeline.png and annotated.mp4. Nothing leaves this machine.",
        epilog="example: python tools/predict.py work_dirs/ceflnet_synthetic/fold1_seed0/last.pth me.mp4 --out results",
    )
    parser.add_argument(
        "checkpoint",
        type=file_path,
        metavar="CHECKPOINT",
        help="a .pth or .safetensors file, loaded as weights only, never as code; or the .onnx file that "
        "tools/export.py made of one, which needs no PyTorch",
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
    parser.add_argument(
        "--faces",
        choices=("auto", "find", "none"),
        default="auto",
        help="find the faces, or take the whole frame for one (none), as in clips that show nothing but a face; auto "
        "(default) finds them, but in folders of crops that a prepare tool made",
    )
    parser.add_argument(
        "--window",
        type=_seconds_or_whole,
        metavar="S",
        help="seconds that are judged together, or whole for all of a short video (default: as long as the training "
        "videos are)",
    )
    parser.add_argument(
        "--stride",
        type=float,
        metavar="S",
        help="seconds from one window to the next; more is faster (default: half a window)",
    )
    parser.add_argument(
        "--batch-size", type=int, default=8, metavar="N", help="windows that the network sees at a time (default 8)"
    )
    parser.add_argument("--no-video", action="store_true", help="leave annotated.mp4 out, which takes a second pass")
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="for how long a webcam is watched (default 10)"
    )
    told = "needed only where the checkpoint does not know its own"
    parser.add_argument("--config", action=ExistingConfig, metavar="CONFIG", help=told)
    return parser


def _seconds_or_whole(text: str) -> float:
    return math.inf if text == "whole" else float(text)


@one_line_errors
def main() -> None:
    arguments = make_parser().parse_args()
    check_file(arguments.checkpoint, *A_CHECKPOINT)
    from cefl_bench.commands.predict import PredictOptions, predict  # here, so that --help need not wait for torch
    from cefl_bench.predict.predictor import Choices

    predict(
        arguments.checkpoint,
        PredictOptions(
            sources=arguments.sources,
            out=arguments.out,
            config=arguments.config,
            choices=Choices(arguments.faces, arguments.window, arguments.stride, arguments.batch_size),
            annotate=not arguments.no_video,
            seconds=arguments.seconds,
        ),
    )
