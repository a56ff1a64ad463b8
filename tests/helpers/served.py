"""A page that is served in this process, and what a browser or a stranger may ask of it."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from cefl_bench.page.jobs import Limits
from cefl_bench.page.server import serving
from cefl_bench.predict.predictor import Predictor
from helpers.children import wait_until
from helpers.stub_model import StubModel


class Served:
    """A page by its address."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.address, self.host, self.port = address, parts.hostname, parts.port
        (self.token,) = parse_qs(parts.query)["token"]

    def ask(self, path: str, method: str = "GET", body: Any = None, token: bool = True, **headers: str) -> "Answer":
        """Ask with the token, unless told otherwise; `x_y` names the header `X-Y`."""
        connection = HTTPConnection(self.host, self.port, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, ({"X-Token": self.token} if token else {}) | given)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def give(self, content: Any, name: str = "me.mp4") -> "Answer":
        return self.ask(f"/jobs?name={quote(name)}", "POST", content)

    def jobs(self) -> list[dict]:
        """The list of jobs, as the page is told it."""
        connection = HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request("GET", f"/events?token={self.token}")
            return json.loads(connection.getresponse().readline().decode().removeprefix("data: "))
        finally:
            connection.close()

    def job(self, name: str) -> dict:
        return next(job for job in self.jobs() if job["id"] == name)

    def until(self, name: str, *states: str) -> dict:
        """Wait until a job is in one of some states."""
        wait_until(lambda: self.job(name)["state"] in states, 60)
        return self.job(name)


class Answer:
    """What came back, read to its end."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status, self.headers, self.content = response.status, response.headers, response.read()

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


@contextmanager
def served(model: StubModel | None = None, host: str = "127.0.0.1", **limits: Any) -> Iterator[Served]:
    with serving(Predictor(model or StubModel(rendered=True)), host, limits=Limits(**limits)) as address:
        yield Served(address)


def pages_in(folder: Path) -> list[Path]:
    """The folders of servers in a folder for temporary files."""
    return sorted(folder.glob("cefl_bench_page_*"))


def temporary_in(folder: str) -> None:
    """Let this process have its temporary files there; also one that has asked where they are before."""
    tempfile.tempdir = folder
