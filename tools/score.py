"""Score anybody's predictions: python tools/score.py predictions.csv"""

from cefl_bench.cli.score import main

if __name__ == "__main__":
    main()
