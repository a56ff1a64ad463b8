"""Check RAVDESS and cut out its faces: python tools/prepare/ravdess.py"""

from cefl_bench.cli.prepare.ravdess import main

if __name__ == "__main__":
    main()
