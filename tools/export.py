"""Export a network so that it runs elsewhere: python tools/export.py CHECKPOINT --format onnx"""

from cefl_bench.cli.export import main

if __name__ == "__main__":
    main()
