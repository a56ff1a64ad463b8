"""What a user did wrong, told in one line and an exit status."""

import atexit
import contextlib
import functools
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable

COMMAND = "cefl-bench"
"""The console command; its first words stand in `sys.argv[0]` when a tool was called by it."""
TOOL = re.compile(r"(?P<torchrun>\btorchrun [^;]*?)?(?<![\w./])(?:python\s+)?tools/(?P<tool>(?:prepare/)?\w+)\.py\b")

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""
TIDY_SECONDS = 1.5
"""How long a tool may tidy up after Ctrl-C. What it then leaves, locks and half-written files, the next run sweeps."""
WAKE, WAKE_AGAIN_SECONDS = signal.SIGURG, 0.3
"""A signal that means nothing to anybody else, and when it is sent once more."""


class UserError(ValueError):
    """Something the user wrote or lacks. One line: what was wrong, where, what was expected, what to do."""


def one_line_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Wrap a tool's `main`: a `UserError` becomes one line on stderr and status 1, Ctrl-C a short one and status 130.

    After Ctrl-C a tool ends within two seconds, whatever it is at. Anything else is our own mistake and keeps its
    traceback.
    """

    @functools.wraps(main)
    def wrapped() -> None:
        interrupt = _Interrupt()
        try:
            interrupt.watch()
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
            interrupt.tell()
            raise SystemExit(INTERRUPTED) from None
        finally:
            interrupt.leave()

    return wrapped


class _Interrupt:
    """Ctrl-C, told once; a thread ends the process where that takes too long.

    A library may swallow the KeyboardInterrupt, or be in the middle of a long calculation.
    """

    def __init__(self) -> None:
        self._lock, self._told = threading.Lock(), False
        self._signals = -1

    def watch(self) -> None:
        """Begin to wait for Ctrl-C; only the main thread hears of it."""
        if threading.current_thread() is threading.main_thread():
            heard, self._signals = os.pipe()
            os.set_blocking(self._signals, False)
            signal.set_wakeup_fd(self._signals, warn_on_full_buffer=False)
            signal.signal(WAKE, lambda *_: None)
            atexit.register(self._end)  # registered first, called last
            threading.Thread(target=self._end_in_time, args=(heard,), daemon=True).start()

    def leave(self) -> None:
        """Wait no more, unless Ctrl-C has come."""
        if self._signals != -1 and not self._told:
            signal.set_wakeup_fd(-1)
            signal.signal(WAKE, signal.SIG_DFL)
            atexit.unregister(self._end)
            os.close(self._signals)

    def tell(self) -> None:
        """Print the line, unless it is there."""
        with self._lock:
            if not self._told:
                print("interrupted", file=sys.stderr, flush=True)
            self._told = True

    def _end_in_time(self, heard: int) -> None:
        number = os.read(heard, 1)  # of a signal; nothing when the other end is closed
        while number and number[0] != signal.SIGINT:
            if number[0] != WAKE:
                _wake_main_thread()
            number = os.read(heard, 1)
        if not number:
            os.close(heard)
            return
        _wake_main_thread()
        time.sleep(WAKE_AGAIN_SECONDS)
        _wake_main_thread()  # the first may have come in the moment before it began to wait
        time.sleep(TIDY_SECONDS - WAKE_AGAIN_SECONDS)
        self.tell()
        import multiprocessing  # here, so that what it does at exit is registered after `_end`

        for child in multiprocessing.active_children():
            child.kill()
        self._end()

    def _end(self) -> None:
        """End the process, without the second or more in which Python takes large libraries apart."""
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(INTERRUPTED)


def _wake_main_thread() -> None:
    """Let the main thread see to the signals that have come, wherever it waits.

    The system may hand a signal to another thread, as one that is starting threads; the main thread, which alone runs
    Python's handlers, then waits on.
    """
    signal.pthread_kill(threading.main_thread().ident or 0, WAKE)


def as_called(text: str) -> str:
    """A text that names tools, with their names as this process was called.

    `python tools/train.py` stays in a checkout's tool and becomes `cefl-bench train` in the console command, which also
    works where there is no folder `tools/`.
    """
    return TOOL.sub(_console_call, text) if sys.argv[0].startswith(COMMAND) else text


def _console_call(found: re.Match[str]) -> str:
    words = found["tool"].replace("/", " ")
    return f"{found['torchrun']}-m cefl_bench.cli {words}" if found["torchrun"] else f"{COMMAND} {words}"
