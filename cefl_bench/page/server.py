"""Serves a page on this machine until Ctrl-C. The only place where uvicorn is used."""

import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import uvicorn

from cefl_bench.errors import UserError
from cefl_bench.page.app import make_app
from cefl_bench.page.folder import own_folder
from cefl_bench.page.jobs import Jobs, Limits
from cefl_bench.predict.predictor import Choices, Predictor

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine that lead nowhere else."""
ANY = ("0.0.0.0", "::", "")
STOP_SECONDS = 0.3
"""How long the end waits for answers that are on their way."""
ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end the server as Ctrl-C does, so that it tidies up."""


@contextmanager
def serving(
    predictor: Predictor,
    host: str = "127.0.0.1",
    port: int = 0,
    limits: Limits | None = None,
    choices: Choices | None = None,
) -> Iterator[str]:
    """Serve for the time of a `with` block; gives the address of the page, with its token.

    Videos are judged in one thread and requests answered in another, so that the block can end at any moment. All that
    was given and made is gone then.

    Args:
        host: the address to listen at, which is also the name to open the page under.
        port: 0 for any free one.

    Raises:
        UserError: when nobody can listen there.
    """
    with _listening(host, port) as listener, ExitStack() as threads, own_folder() as folder:
        jobs = Jobs(predictor, folder, limits or Limits(), choices)
        token, name = secrets.token_urlsafe(24), _in_address(host)
        app = make_app(jobs, predictor.about, token, LOOPBACK if name in LOOPBACK else (name,))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        # they are waited for when the folder is gone, since a network in the middle of a batch cannot be stopped
        threads.callback(thread.join, STOP_SECONDS)
        threads.callback(jobs.join)
        try:
            yield f"http://{name}:{listener.getsockname()[1]}/?token={token}"
        finally:
            server.should_exit = True
            jobs.close()


def serve(predictor: Predictor, host: str, port: int, limits: Limits, choices: Choices) -> None:
    """Serve, and say where, until Ctrl-C or a signal that ends the process, which raise KeyboardInterrupt."""
    for number in ENDS:
        signal.signal(number, signal.default_int_handler)
    with serving(predictor, host, port, limits, choices) as address:
        print(f"open {address}", flush=True)
        print("Ctrl-C ends it, and deletes all videos and results", flush=True)
        threading.Event().wait()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if host in ANY:
        raise UserError(f"--host {host!r}: name the address of this machine that the page is opened under, not all")
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]
        raise UserError(f"{host} port {port} cannot be listened at ({reason}): give another --port, or 0") from None
    with listener:
        yield listener


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host
