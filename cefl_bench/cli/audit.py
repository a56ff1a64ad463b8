"""Ask whether a model uses time: python tools/audit.py work_dirs/.../last.pth"""

import argparse

from cefl_bench.cli.options import add_checkpoint, add_data_on, add_no_pack, file_path, loading, options_and_checkpoint
from cefl_bench.errors import one_line_errors


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Test a checkpoint with the frames of its test videos as sampled, shuffled, reversed, halved, and "
        "with one frame in every place; tell what each costs, and leave audit.json and audit.png."
    )
    add_checkpoint(parser)
    parser.add_argument("--fold", type=int, metavar="K", help="fold to test on, counted from 1 (default: the config's)")
    parser.add_argument("--shuffle-seed", type=int, default=0, metavar="S", help="of the random orders (default 0)")
    parser.add_argument("--device", metavar="D", help="cpu, cuda or cuda:0 (default: the GPU where there is one)")
    parser.add_argument(
        "--batch", type=int, metavar="B", help="videos that the network sees at a time (default: the config's)"
    )
    parser.add_argument(
        "--out", type=file_path, metavar="D", help="where the two files go (default: beside the checkpoint)"
    )
    add_no_pack(parser)
    add_data_on(parser)
    return parser


@one_line_errors
def main() -> None:
    parser = make_parser()
    arguments = parser.parse_args()
    options, checkpoint = options_and_checkpoint(parser, arguments)
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.audit import AuditOptions, audit

    audit(options, checkpoint, AuditOptions(arguments.shuffle_seed, arguments.device, arguments.batch), arguments.out)
