"""Check that a config and its parts keep the contracts: python tools/check.py my_leaf.py"""

import argparse

from cefl_bench.cli.options import add_config, configs_of
from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Check a config and the parts of its model, as tests/contracts checks those of this toolkit: "
        "shapes, clips that do not mix, gradients, half precision, the meta device, save and load, counted FLOPs. The "
        "parts run at their own size, from random weights; no data is needed. A config may lie anywhere, take bases "
        "from cefl_bench.configs, and name classes of any package that Python can import.",
        epilog="example: python tools/check.py my_leaf.py",
    )
    add_config(parser, many=True)
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    configs = configs_of(arguments)  # before what takes longer to load
    from cefl_bench.contracts.configs import examine_leaf

    checked = broken = 0
    for path, config in zip(arguments.configs, configs, strict=True):
        print(f"{config.config_name} ({path})", flush=True)
        for subject, promise, reason in examine_leaf(path, config):
            checked += 1
            broken += reason is not None
            print(f"  {'ok    ' if reason is None else 'BROKEN'}  {subject}: {promise}", end="")
            print("" if reason is None else f": {reason}", flush=True)
    print(f"{broken} of {checked} promises broken" if broken else f"all {checked} promises kept")
    if broken:
        raise SystemExit(1)
