"""Export a network so that it runs elsewhere: python tools/export.py work_dirs/.../last.pth --format onnx"""

import argparse

from cefl_bench.cli.options import ExistingConfig, file_path, loading
from cefl_bench.errors import one_line_errors
from cefl_bench.runs.built_in import check_checkpoint


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Write the network of a checkpoint with its preprocessing, frames in and scores out, and all that "
        "tools/predict.py needs to know of it, to one file. It names no path of this machine.",
        epilog="example: python tools/export.py work_dirs/ceflnet_synthetic/fold1_seed0/last.pth --format onnx",
    )
    parser.add_argument(
        "checkpoint",
        type=file_path,
        metavar="CHECKPOINT",
        help="a .pth or .safetensors file, loaded as weights only, never as code, or demo, which is built in",
    )
    parser.add_argument(
        "--format",
        choices=("onnx", "torch-export"),
        default="onnx",
        help="onnx (default) runs in onnxruntime and other programs, without PyTorch; torch-export is a .pt2 file for "
        "torch.export.load of the same version of PyTorch",
    )
    parser.add_argument(
        "--out", type=file_path, metavar="F", help="the file (default: the checkpoint's name, beside it)"
    )
    told = "needed only where the checkpoint does not know its own"
    parser.add_argument("--config", action=ExistingConfig, metavar="CONFIG", help=told)
    return parser


@one_line_errors
def main() -> None:
    arguments = make_parser().parse_args()
    check_checkpoint(arguments.checkpoint)
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.export import ExportOptions, export

    export(arguments.checkpoint, ExportOptions(arguments.format, arguments.out, arguments.config))
