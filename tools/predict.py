"""Predict videos of your own: python tools/predict.py CHECKPOINT me.mp4"""

from cefl_bench.cli.predict import main

if __name__ == "__main__":
    main()
