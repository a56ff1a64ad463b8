"""What a user did wrong, told in one line and an exit status."""

import functools
import os
import sys
from collections.abc import Callable


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
            print(f"error: {str(error).rpartition('UserError: ')[2].strip()}", file=sys.stderr)
            raise SystemExit(1) from None
        except OSError as error:  # a full disk, a folder that may not be written
            print(f"error: {error.filename or 'writing'}: {error.strerror or error}", file=sys.stderr)
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None

    return wrapped
