"""Measure what a model costs in time and memory: python tools/speed.py configs/ceflnet_synthetic.py"""

from cefl_bench.cli.speed import main

if __name__ == "__main__":
    main()
