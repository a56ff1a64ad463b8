"""Tell what models cost: python tools/flops.py configs/ceflnet_dfew.py configs/ceflnet_dfew_paper.py"""

import argparse
import json
import sys
from pathlib import Path

from cefl_bench.errors import UserError, one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Parameters, MACs and FLOPs (two per MAC) of one test video, per part and kind of layer. Needs no "
        "data, no weights and no GPU. Counted twice, by torch and by fvcore; where they differ by more than 2 %, or an "
        "operator is counted by neither, the config is an error that names it.",
        epilog="example: python tools/flops.py configs/*.py --json costs.json",
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="leaves of configs/")
    parser.add_argument("--json", metavar="F", help="also write the numbers to this file, one object per config")
    parser.add_argument(
        "--cfg-options", nargs="+", default=(), metavar="KEY=VALUE", help="change values of each config, by dotted path"
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    from tqdm import tqdm

    from cefl_bench.config import load_config, parse_options  # here, so that --help need not wait for torch
    from cefl_bench.cost.table import cost_table
    from cefl_bench.facts import config_cost
    from cefl_bench.files import write_text
    from cefl_bench.measure import check_writable

    check_writable(arguments.json)
    options, costs = parse_options(arguments.cfg_options), []
    for path in tqdm(arguments.configs, desc="counting", unit="config", disable=None, leave=False):
        try:
            costs.append({"config": Path(path).stem, **config_cost(load_config(path, options))})
        except UserError as error:
            tqdm.write(f"error: {path}: {error}", file=sys.stderr)
    if costs:
        print(cost_table(costs))
    if arguments.json is not None:
        write_text(arguments.json, json.dumps(costs, indent=2, allow_nan=False) + "\n")
    if len(costs) < len(arguments.configs):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
