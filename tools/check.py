"""Check that a config and its parts keep the contracts: python tools/check.py my_leaf.py"""

from cefl_bench.cli.check import main

if __name__ == "__main__":
    main()
