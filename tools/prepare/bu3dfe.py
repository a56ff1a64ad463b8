"""Divide the subjects of BU-4DFE (or BU-3DFE) into ten folds, once: python tools/prepare/bu3dfe.py"""

from cefl_bench.cli.prepare.bu3dfe import main

if __name__ == "__main__":
    main()
