"""A process that has imported everything and computed nothing, and forks children for tests that kill processes.

Children of the tests' own process would not do: what has computed with several threads cannot compute after a fork.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from typing import Any
from unittest import mock


def fork(target: Callable[..., None], arguments: tuple) -> BaseProcess:
    """Call a function, which must be importable, in a new process: started."""
    process = _context().Process(target=target, args=arguments)
    process.start()
    return process


@cache
def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    forkserver._forkserver._stop()  # one that the code under test started has imported less
    context.set_forkserver_preload(["helpers.preload"])
    # Python before 3.13 does not tell the server where modules are, and it imports nothing then, without a word.
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path))):
        forkserver.ensure_running()
    return context
