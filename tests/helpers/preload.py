"""All that tools import, for the server that forks them (`server.py`)."""

import cefl_bench.benchmark.run
import cefl_bench.commands.pack
import cefl_bench.commands.test
import cefl_bench.commands.train
import helpers.run

__all__ = ["cefl_bench", "helpers"]
