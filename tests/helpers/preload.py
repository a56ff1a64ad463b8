"""All that tools import, for the server that forks them (`server.py`)."""

import matplotlib.backends.backend_agg
import matplotlib.pyplot
import sklearn.model_selection
import timm
import torch._dynamo

import cefl_bench.benchmark.run
import cefl_bench.commands.demo
import cefl_bench.commands.explain
import cefl_bench.commands.pack
import cefl_bench.commands.test
import cefl_bench.commands.train
import helpers.benchmarks
import helpers.kills
import helpers.run
from cefl_bench import registry

for each in (registry.DATASETS, registry.TRANSFORMS, registry.MODELS, registry.METRICS, registry.HOOKS):
    each.import_from_location()

__all__ = ["cefl_bench", "helpers", "matplotlib", "sklearn", "timm", "torch"]
