"""Train and test a config: python tools/train.py configs/ceflnet_synthetic.py"""

from cefl_bench.cli.train import main

if __name__ == "__main__":
    main()
