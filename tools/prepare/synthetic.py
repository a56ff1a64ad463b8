"""Render the embedded synthetic face-video corpus: python tools/prepare/synthetic.py --preset demo"""

from cefl_bench.cli.prepare.synthetic import main

if __name__ == "__main__":
    main()
