"""Pack the videos of a config's corpus: python tools/pack.py configs/ceflnet_dfew.py"""

import argparse

from cefl_bench.cli.options import add_config, add_workers, configs_of
from cefl_bench.errors import UserError, one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Decode every video of a config's corpus once, all folds, at the size that the config reads, into "
        "packed/READER_SIZE below the data root. From then on training and testing read these frames, the same as "
        "decoding gives and many times faster; --no-pack goes without them. A frame takes SIZE x SIZE x 3 bytes; "
        "the tool says how much that is before it starts. Call it again when it was stopped, or when videos are new or "
        "changed. To remove packed frames, delete their folder: nothing else knows of it.",
        epilog="example: python tools/pack.py configs/ceflnet_dfew.py --workers 8",
    )
    add_config(parser)
    add_workers(parser)
    parser.add_argument("--verify", action="store_true", help="compare packed frames with their checksums, and stop")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    if arguments.workers < 1:
        raise UserError(f"--workers is {arguments.workers}: expected 1 or more")
    from cefl_bench.commands.pack import pack, verify  # here, so that --help need not wait for torch

    work = verify if arguments.verify else pack
    (config,) = configs_of(arguments)
    for line in work(config, arguments.workers):
        print(line)
