"""Cut out the faces of videos of your own: python tools/prepare/own.py"""

from cefl_bench.cli.prepare.own import main

if __name__ == "__main__":
    main()
