"""Check CREMA-D and cut out its faces: python tools/prepare/cremad.py"""

from cefl_bench.cli.prepare.cremad import main

if __name__ == "__main__":
    main()
