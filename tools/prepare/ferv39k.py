"""Check that FERV39k is unpacked as its config expects: python tools/prepare/ferv39k.py"""

from cefl_bench.cli.prepare.ferv39k import main

if __name__ == "__main__":
    main()
