"""Divide the subjects of MMI into ten folds, once, and cut out the faces: python tools/prepare/mmi.py"""

from cefl_bench.cli.prepare.mmi import main

if __name__ == "__main__":
    main()
