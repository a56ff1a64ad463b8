"""Show what a model saw: python tools/explain.py configs/ceflnet_synthetic.py work_dirs/.../last.pth"""

import argparse

from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Draw, for chosen test videos, the frames of each clip, its activation, the true intensity where "
        "it is known, and the class scores."
    )
    parser.add_argument("config", help="the config that the checkpoint was trained with")
    parser.add_argument("checkpoint", help="a .pth file; loaded as weights only, never as code")
    parser.add_argument("--videos", nargs="+", default=(), metavar="NAME", help="names as in predictions.csv")
    parser.add_argument(
        "--num",
        type=int,
        default=4,
        metavar="N",
        help="without --videos: the first video of each of N classes (default 4)",
    )
    parser.add_argument("--fold", type=int, metavar="K", help="fold to look at, counted from 1 (default: the config's)")
    parser.add_argument("--out", metavar="D", help="where figures go (default: explain/ beside the checkpoint)")
    parser.add_argument("--no-pack", action="store_true", help="decode videos, though there be packed frames of them")
    parser.add_argument(
        "--cfg-options", nargs="+", default=(), metavar="KEY=VALUE", help="change values of the config, by dotted path"
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    from cefl_bench.explain import explain  # here, so that --help need not wait for torch
    from cefl_bench.launch import RunOptions

    options = RunOptions(
        arguments.config, fold=arguments.fold, no_pack=arguments.no_pack, cfg_options=arguments.cfg_options
    )
    for figure in explain(options, arguments.checkpoint, arguments.videos, arguments.num, arguments.out):
        print(figure)


if __name__ == "__main__":
    main()
