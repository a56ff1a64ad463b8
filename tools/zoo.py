"""Write model_zoo.md from the configs and the results under version control: python tools/zoo.py"""

from cefl_bench.cli.zoo import main

if __name__ == "__main__":
    main()
