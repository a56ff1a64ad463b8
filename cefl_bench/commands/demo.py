"""A page on this machine that judges videos: load a model, and serve until Ctrl-C."""

import sys
from dataclasses import dataclass, field

from cefl_bench.errors import UserError
from cefl_bench.predict.predictor import Choices, Predictor


@dataclass(frozen=True)
class DemoOptions:
    """What the command line says."""

    host: str = "127.0.0.1"
    port: int = 8765
    max_megabytes: float = 200.0
    max_seconds: float = 300.0
    config: str | None = None
    choices: Choices = field(default_factory=Choices)


def demo(checkpoint: str, options: DemoOptions) -> None:
    """Serve the page of a model; returns never, KeyboardInterrupt ends it.

    Raises:
        UserError: when a limit makes no sense, a package is missing, or the checkpoint or the address cannot be used.
    """
    for name, value in (("--max-mb", options.max_megabytes), ("--max-seconds", options.max_seconds)):
        if not 0 < value < float("inf"):
            raise UserError(f"{name} is {value}: expected a number above 0")
    try:
        from cefl_bench.page.server import LOOPBACK, serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        packages = "pip install 'starlette>=1' 'uvicorn>=0.40'"
        raise UserError(f"the page needs the package {error.name}, which is not installed: {packages}") from None
    from cefl_bench.page.jobs import Limits

    predictor = Predictor.load(checkpoint, options.config)
    for warning in predictor.about.warnings:
        print(f"note: {warning}", file=sys.stderr, flush=True)
    if options.host not in (*LOOPBACK, "::1"):
        told = "videos travel through your network unencrypted, and browsers give the page no webcam"
        print(f"note: {told}", file=sys.stderr, flush=True)
    limits = Limits(round(options.max_megabytes * 2**20), options.max_seconds)
    serve(predictor, options.host, options.port, limits, options.choices)
