"""What pytest does before it collects tests; what they share is in `helpers.fixtures`."""

import gc
import os
import sys

import pytest

# Before torch is imported, which looks once: one thread, since pytest-xdist keeps the cores busy, and no GPU, except
# for the tests that need one, which `-m gpu` runs.
os.environ.setdefault("OMP_NUM_THREADS", "1")
if ("-m", "gpu") not in zip(sys.argv, sys.argv[1:], strict=False):
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

LONG_FILES = (
    "test_placement",
    "test_train",
    "test_configs",
    "test_export",
    "test_synthesis_production",
    "test_decoders",
    "test_parity",
    "test_parts",
    "test_doctor",
    "test_store",
    "test_processes",
    "test_benchmark_runs",
    "test_inputs",
    "test_packing",
    "test_feed",
    "test_speed",
)
"""The files that take longest: begun early, so that no process has one left when the others are done."""

gc.disable()  # while modules are imported and tests collected: nothing is garbage yet


def pytest_configure(config: pytest.Config) -> None:
    """The process that hands tests out to others runs none, and can do without what they import."""
    if not config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        config.pluginmanager.import_plugin("helpers.fixtures")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`-m long` runs the tests that take minutes; nothing else does. Long files come first."""
    items.sort(key=lambda item: LONG_FILES.index(item.path.stem) if item.path.stem in LONG_FILES else len(LONG_FILES))
    if config.getoption("markexpr") == "long":
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not sys.modules["torch"].cuda.is_available():
        pytest.skip("needs a GPU, and -m gpu to see it")
