"""Check that MAFW is unpacked as its config expects: python tools/prepare/mafw.py"""

from cefl_bench.cli.prepare.mafw import main

if __name__ == "__main__":
    main()
