"""What a user did wrong, told in one line and an exit status."""

import functools
import os
import re
import sys
from collections.abc import Callable

COMMAND = "cefl-bench"
"""The console command; its first words stand in `sys.argv[0]` when a tool was called by it."""
TOOL = re.compile(r"(?P<torchrun>\btorchrun [^;]*?)?(?<![\w./])(?:python\s+)?tools/(?P<tool>(?:prepare/)?\w+)\.py\b")


class UserError(ValueError):
    """Something the user wrote or lacks. One line: what was wrong, where, what was expected, what to do."""


def one_line_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Wrap a tool's `main`: a `UserError` becomes one line on stderr and status 1, Ctrl-C a short one and status 130.

    Anything else is our own mistake and keeps its traceback.
    """

    @functools.wraps(main)
    def wrapped() -> None:
        try:
            main()
        except UserError as error:
            if os.environ.get("CEFL_BENCH_DEBUG"):
                raise
            # one that a data worker raised comes with the worker's traceback before it
            print(as_called(f"error: {str(error).rpartition('UserError: ')[2].strip()}"), file=sys.stderr)
            raise SystemExit(1) from None
        except OSError as error:  # a full disk, a folder that may not be written
            print(f"error: {error.filename or 'writing'}: {error.strerror or error}", file=sys.stderr)
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None

    return wrapped


def as_called(text: str) -> str:
    """A text that names tools, with their names as this process was called.

    `python tools/train.py` stays in a checkout's tool and becomes `cefl-bench train` in the console command, which also
    works where there is no folder `tools/`.
    """
    return TOOL.sub(_console_call, text) if sys.argv[0].startswith(COMMAND) else text


def _console_call(found: re.Match[str]) -> str:
    words = found["tool"].replace("/", " ")
    return f"{found['torchrun']}-m cefl_bench.cli {words}" if found["torchrun"] else f"{COMMAND} {words}"
