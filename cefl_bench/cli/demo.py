"""Open a page on this machine that judges your videos or webcam: python tools/demo.py"""

import argparse

from cefl_bench.cli.options import ExistingConfig, add_choices, choices_given, file_path
from cefl_bench.errors import one_line_errors
from cefl_bench.runs.built_in import DEMO, check_checkpoint


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Serve a page for browsers on this machine: drop a video or record one, and see what the model "
        "says of the faces in it over time. Nothing leaves this machine. A video is deleted when it is judged, its "
        "results when you delete them or end the tool.",
        epilog="example: python tools/demo.py",
    )
    add = parser.add_argument
    add(
        "checkpoint",
        nargs="?",
        default=DEMO,
        type=file_path,
        metavar="CHECKPOINT",
        help="a .pth or .safetensors file, loaded as weights only, never as code (default: demo, which is built in)",
    )
    add(
        "--host",
        default="127.0.0.1",
        metavar="H",
        help="the address to listen at (default 127.0.0.1: only this machine can open the page)",
    )
    add("--port", type=int, default=8765, metavar="P", help="0 for any free one (default 8765)")
    add("--max-mb", type=float, default=200.0, metavar="N", help="MB that a video may have (default 200)")
    add("--max-seconds", type=float, default=300.0, metavar="S", help="how long a video may be (default 300)")
    add_choices(parser)
    told = "needed only where the checkpoint does not know its own"
    add("--config", action=ExistingConfig, metavar="CONFIG", help=told)
    return parser


@one_line_errors
def main() -> None:
    arguments = make_parser().parse_args()
    check_checkpoint(arguments.checkpoint)
    from cefl_bench.commands.demo import DemoOptions, demo  # here, so that --help need not wait for torch

    demo(
        arguments.checkpoint,
        DemoOptions(
            host=arguments.host,
            port=arguments.port,
            max_megabytes=arguments.max_mb,
            max_seconds=arguments.max_seconds,
            config=arguments.config,
            choices=choices_given(arguments),
        ),
    )
