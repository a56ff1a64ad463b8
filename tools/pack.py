"""Pack the videos of a config's corpus: python tools/pack.py configs/ceflnet_dfew.py"""

from cefl_bench.cli.pack import main

if __name__ == "__main__":
    main()
