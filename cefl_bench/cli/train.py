"""Train and test a config: python tools/train.py configs/ceflnet_synthetic.py"""

import argparse

from cefl_bench.cli.options import (
    ExistingConfig,
    add_amp,
    add_compute,
    add_config_options,
    add_data_on,
    add_folds,
    add_launcher,
    add_no_pack,
    add_price,
    compute_given,
    file_path,
    loading,
    take_folds,
)
from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train a config, test it, and leave result.json, predictions.csv, confusion.png and last.pth.",
        epilog="example: python tools/train.py configs/ceflnet_synthetic.py --cfg-options train_cfg.max_epochs=1",
    )
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        action=ExistingConfig,
        help="a config file, or the name of one of ours: ceflnet_dfew; not needed to --resume a run",
    )
    parser.add_argument("--fold", type=int, metavar="K", help="fold to test on, counted from 1 (default: the config's)")
    parser.add_argument("--seed", type=int, metavar="S", help="random seed (default: the config's)")
    parser.add_argument(
        "--work-dir", type=file_path, metavar="D", help="where results go (default: work_dirs/CONFIG/foldK_seedS)"
    )
    parser.add_argument("--resume", action="store_true", help="continue the run in the work dir, if there is one")
    add_amp(parser)
    add_launcher(parser)
    parser.add_argument(
        "--select",
        choices=("last", "val"),
        default="last",
        help="the epoch that counts: the last (default), or the best on a held-out tenth of the training fold",
    )
    parser.add_argument(
        "--log",
        action="append",
        default=[],
        choices=("tensorboard", "wandb"),
        help="also write the numbers of each epoch for TensorBoard or Weights & Biases: files in the work dir, nothing "
        "is sent; may be given twice",
    )
    add_no_pack(parser)
    add_data_on(parser)
    add_config_options(parser)
    add_folds(parser)
    add_price(parser)
    add_compute(parser)
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    take_folds(arguments)
    with loading():  # here, so that --help need not wait for torch
        from cefl_bench.commands.setup import RunOptions
        from cefl_bench.commands.train import train

    compute = compute_given(arguments)
    train(RunOptions(**vars(arguments), compute=compute))
