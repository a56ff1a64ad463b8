"""Score a checkpoint: python tools/test.py configs/ceflnet_synthetic.py work_dirs/.../last.pth"""

import argparse

from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Score a checkpoint on the test split, and leave result.json, predictions.csv and confusion.png."
    )
    parser.add_argument("config", help="the config that the checkpoint was trained with")
    parser.add_argument("checkpoint", help="a .pth file; loaded as weights only, never as code")
    parser.add_argument("--fold", type=int, metavar="K", help="fold to test on, counted from 1 (default: the config's)")
    parser.add_argument("--out", metavar="D", help="where results go (default: test/ beside the checkpoint)")
    parser.add_argument(
        "--launcher", choices=("none", "pytorch", "slurm"), default="none", help="who started the processes of this run"
    )
    parser.add_argument("--no-pack", action="store_true", help="decode videos, though there be packed frames of them")
    parser.add_argument(
        "--cfg-options", nargs="+", default=(), metavar="KEY=VALUE", help="change values of the config, by dotted path"
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = vars(parse_arguments())
    from cefl_bench.launch import RunOptions, test  # here, so that --help need not wait for torch

    checkpoint, out = arguments.pop("checkpoint"), arguments.pop("out")
    test(RunOptions(**arguments), checkpoint, out)


if __name__ == "__main__":
    main()
