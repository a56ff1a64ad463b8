"""Check that DFEW is unpacked as its config expects: python tools/prepare/dfew.py"""

from cefl_bench.cli.prepare.dfew import main

if __name__ == "__main__":
    main()
