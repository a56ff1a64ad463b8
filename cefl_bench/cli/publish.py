"""Publish the weights of a run: python tools/publish.py work_dirs/ceflnet_synthetic/fold1_seed0"""

import argparse

from cefl_bench.cli.options import file_path, loading
from cefl_bench.errors import one_line_errors
from cefl_bench.files import check_file
from cefl_bench.runs.folder import RESULT


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Write the weights of a finished run as model.safetensors, with a model card (README.md) that says "
        "what they are, what they were trained on and what they scored. The optimizer, the history and the paths of "
        "this machine stay behind. Nothing is uploaded.",
    )
    parser.add_argument("run", type=file_path, metavar="RUN", help="the work dir of a training")
    parser.add_argument("--out", type=file_path, metavar="D", help="where they go (default: published in the work dir)")
    parser.add_argument("--half", action="store_true", help="round the weights to float16: half the file")
    return parser


@one_line_errors
def main() -> None:
    arguments = make_parser().parse_args()
    check_file(f"{arguments.run}/{RESULT}", "result", "the work dir of a finished training, which holds it")
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.publish import publish

    print(publish(arguments.run, arguments.out, arguments.half))
