"""Train and test configs on all folds: python tools/benchmark.py configs/*_synthetic.py --out work_dirs/synthetic"""

from cefl_bench.cli.benchmark import main

if __name__ == "__main__":
    main()
