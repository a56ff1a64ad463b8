"""Tell what models cost: python tools/flops.py configs/ceflnet_dfew.py configs/ceflnet_dfew_paper.py"""

import argparse
import sys

from cefl_bench.cli.options import add_config, file_path, loading
from cefl_bench.errors import UserError, one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Parameters, MACs and FLOPs (two per MAC) of one test video, per part and kind of layer. Needs no "
        "data, no weights and no GPU. Everything is counted twice, by PyTorch and by fvcore. A difference of more than "
        "2 %, or an operator that neither counts, is an error that names the operator.",
        epilog="example: python tools/flops.py configs/*.py --json costs.json",
    )
    add_config(parser, many=True)
    parser.add_argument(
        "--json", type=file_path, metavar="F", help="also write the numbers to this file, one object per config"
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    with loading():  # here, so that --help need not wait for torch
        from tqdm import tqdm

        from cefl_bench.commands.facts import config_cost
        from cefl_bench.config import load_config
        from cefl_bench.config_options import parse_options
        from cefl_bench.cost.table import cost_table
        from cefl_bench.files import check_writable, write_json

    check_writable("--json", arguments.json)
    options, costs = parse_options(arguments.cfg_options), []
    for path in tqdm(arguments.configs, desc="counting", unit="config", disable=None, leave=False):
        try:
            config = load_config(path, options, dataset=arguments.dataset)
            costs.append((config.config_name, config_cost(config)))
        except UserError as error:
            tqdm.write(f"error: {path}: {error}", file=sys.stderr)
    if costs:
        print(cost_table(costs))
    write_json(arguments.json, [{"config": name, **cost} for name, cost in costs])
    if len(costs) < len(arguments.configs):
        raise SystemExit(1)
