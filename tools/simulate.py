"""Simulate tables of which the truth is known: python tools/simulate.py --out docs/comparisons_simulated.md"""

from cefl_bench.cli.simulate import main

if __name__ == "__main__":
    main()
