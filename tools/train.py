"""Train and test a config: python tools/train.py configs/ceflnet_synthetic.py"""

import argparse

from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train a config, test it, and leave result.json, predictions.csv, confusion.png and last.pth.",
        epilog="example: python tools/train.py configs/ceflnet_synthetic.py --cfg-options train_cfg.max_epochs=1",
    )
    parser.add_argument("config", help="a leaf of configs/, such as configs/ceflnet_synthetic.py")
    parser.add_argument("--fold", type=int, metavar="K", help="fold to test on, counted from 1 (default: the config's)")
    parser.add_argument("--seed", type=int, metavar="S", help="random seed (default: the config's)")
    parser.add_argument("--work-dir", metavar="D", help="where results go (default: work_dirs/CONFIG/foldK_seedS)")
    parser.add_argument("--resume", action="store_true", help="continue the run in the work dir, if there is one")
    parser.add_argument("--amp", action="store_true", help="mixed precision; needs a CUDA device")
    parser.add_argument(
        "--launcher", choices=("none", "pytorch", "slurm"), default="none", help="who started the processes of this run"
    )
    parser.add_argument(
        "--select",
        choices=("last", "val"),
        default="last",
        help="the epoch that counts: the last, or the best on a tenth of the training fold, which is held out",
    )
    parser.add_argument("--no-pack", action="store_true", help="decode videos, though there be packed frames of them")
    parser.add_argument(
        "--cfg-options", nargs="+", default=(), metavar="KEY=VALUE", help="change values of the config, by dotted path"
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    from cefl_bench.launch import RunOptions, train  # here, so that --help need not wait for torch

    train(RunOptions(**vars(arguments)))


if __name__ == "__main__":
    main()
