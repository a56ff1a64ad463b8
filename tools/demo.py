"""A page on this machine that judges your videos: python tools/demo.py CHECKPOINT"""

from cefl_bench.cli.demo import main

if __name__ == "__main__":
    main()
