"""Publish the weights of a run: python tools/publish.py work_dirs/ceflnet_synthetic/fold1_seed0"""

from cefl_bench.cli.publish import main

if __name__ == "__main__":
    main()
