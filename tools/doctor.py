"""Say what is wrong with the data of a config, before training: python tools/doctor.py configs/ceflnet_dfew.py"""

from cefl_bench.cli.doctor import main

if __name__ == "__main__":
    main()
