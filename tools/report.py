"""Compare the runs of a folder: python tools/report.py D"""

from cefl_bench.cli.report import main

if __name__ == "__main__":
    main()
