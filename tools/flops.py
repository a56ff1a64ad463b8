"""Tell what models cost: python tools/flops.py configs/ceflnet_dfew.py configs/ceflnet_dfew_paper.py"""

from cefl_bench.cli.flops import main

if __name__ == "__main__":
    main()
