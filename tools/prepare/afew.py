"""Check that AFEW is unpacked as its config expects: python tools/prepare/afew.py"""

from cefl_bench.cli.prepare.afew import main

if __name__ == "__main__":
    main()
