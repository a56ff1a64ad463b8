"""What a tool changes in the process that runs it: kept, and put back."""

import contextlib
import gc
import logging
import multiprocessing
import os
import random
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

GLOBALS_OF_MMENGINE = (MMLogger, MessageHub, DefaultScope, Visualizer)
"""Classes that keep their instances by name: a second training of the same name would get those of the first."""


@contextlib.contextmanager
def unchanged() -> Iterator[None]:
    """Put back, after the block, what a tool changes in its process: folder, variables, threads, randomness, logs."""
    folder, environment, words, places = Path.cwd(), dict(os.environ), sys.argv, list(sys.path)
    draws = random.getstate(), np.random.get_state(), torch.get_rng_state()
    threads, vision_threads, tuning = torch.get_num_threads(), cv2.getNumThreads(), torch.backends.cudnn.benchmark
    start_method = multiprocessing.get_start_method(allow_none=True)
    interrupt, root, figures = signal.getsignal(signal.SIGINT), logging.getLogger(), set(plt.get_fignums())
    level, handlers = root.level, list(root.handlers)
    instances = [dict(kind._instance_dict) for kind in GLOBALS_OF_MMENGINE]
    for kind in GLOBALS_OF_MMENGINE:
        kind._instance_dict.clear()
    try:
        yield
    finally:
        gc.collect()  # a runner's worker processes end with it, and let go of its folder
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv, sys.path[:] = words, places
        random.setstate(draws[0])
        np.random.set_state(draws[1])
        torch.set_rng_state(draws[2])
        torch.set_num_threads(threads)
        cv2.setNumThreads(vision_threads)
        torch.backends.cudnn.benchmark = tuning
        multiprocessing.set_start_method(start_method, force=True)
        signal.signal(signal.SIGINT, interrupt)
        root.setLevel(level)
        root.handlers[:] = handlers
        for figure in set(plt.get_fignums()) - figures:
            plt.close(figure)
        for kind, before in zip(GLOBALS_OF_MMENGINE, instances, strict=True):
            kind._instance_dict.clear()
            kind._instance_dict.update(before)


@contextlib.contextmanager
def as_in_a_new_process() -> Iterator[None]:
    """Let warnings go to stderr, each anew, as they do without pytest, which collects them."""

    def show(message, category, filename, lineno, file=None, line=None):
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        warnings.showwarning = show
        yield
