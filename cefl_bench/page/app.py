"""What the page's server answers. The only place where starlette is used."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Collection
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cefl_bench.page.jobs import Job, Jobs
from cefl_bench.predict.about import About

STATIC = Path(__file__).parent / "static"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LOOK_SECONDS = 0.2
"""Between two looks at whether the page must be told something."""
QUIET_SECONDS = 10.0
"""After which a word is sent that means nothing: a page that is gone is noticed by it."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may load for the page: nothing from anywhere else."""
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",  # no browser keeps a face on its disk
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}


def make_app(jobs: Jobs, about: About, token: str, hosts: Collection[str]) -> ASGIApp:
    """The server of a page.

    Args:
        token: what whoever reads or changes anything must know: in the header `X-Token`, or to read as `?token=`.
        hosts: the names under which the page may be opened, without a port.
    """
    doors = _Doors(jobs, about)
    routes = [
        Route("/", doors.page),
        Route("/static/{name}", doors.static),
        Route("/about", doors.about),
        Route("/events", doors.events),
        Route("/jobs", doors.upload, methods=["POST"]),
        Route("/jobs/{id}", doors.delete, methods=["DELETE"]),
        Route("/jobs/{id}/{file}", doors.result),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False  # what is not there is not there
    return _Guard(app, token, hosts)


class _Doors:
    """An answer for every address."""

    def __init__(self, jobs: Jobs, about: About) -> None:
        self._jobs, self._about = jobs, about
        self._files = {path.name: path for path in STATIC.iterdir() if path.suffix in KINDS}

    async def page(self, request: Request) -> Response:
        return _static(self._files["index.html"])

    async def static(self, request: Request) -> Response:
        path = self._files.get(request.path_params["name"])
        return _nothing() if path is None else _static(path)

    async def about(self, request: Request) -> Response:
        about, limits = self._about, self._jobs.limits
        told = {"method": about.method, "trained_on": about.trained_on, "rendered": about.rendered}
        told |= {"classes": list(about.classes), "values": about.values, "warnings": list(about.warnings)}
        return JSONResponse(told | {"max_bytes": limits.max_bytes, "max_seconds": limits.max_seconds})

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._changes(), media_type="text/event-stream")

    async def upload(self, request: Request) -> Response:
        """Take a video, whose bytes are the body as they are."""
        most = self._jobs.limits.max_bytes
        if int(request.headers.get("content-length", 0)) > most:
            return _too_large(most)
        job = self._jobs.begin(request.query_params.get("name", ""))
        if job is None:
            return _refused(429, f"there are {self._jobs.limits.max_jobs} videos already: delete some")
        try:
            refusal = await self._receive(request, job)
        except ClientDisconnect:
            refusal = _refused(400, "the video did not arrive")
        except OSError as error:
            refusal = _refused(507, f"the video cannot be kept while it is judged ({error.strerror}): make room")
        except BaseException:  # the server ends
            self._jobs.abandon(job)
            raise
        if refusal is not None:
            self._jobs.abandon(job)
            return refusal
        self._jobs.enqueue(job)
        return JSONResponse({"id": job.id}, 201)

    async def delete(self, request: Request) -> Response:
        return Response(status_code=204) if self._jobs.delete(request.path_params["id"]) else _nothing()

    async def result(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["id"])
        path = None if job is None else job.files.get(request.path_params["file"])
        return _nothing() if path is None or not path.is_file() else FileResponse(path)

    async def _receive(self, request: Request, job: Job) -> Response | None:
        """Write a video as it comes; what is answered where it is refused."""
        size = 0
        with open(job.upload, "wb") as file:
            async for part in request.stream():
                size += len(part)
                if size > self._jobs.limits.max_bytes:
                    return _too_large(self._jobs.limits.max_bytes)
                if job.is_deleted:
                    return _refused(410, "the video was deleted while it arrived")
                file.write(part)
        return None

    async def _changes(self) -> AsyncIterator[str]:
        """All jobs, whenever something about them changes."""
        told, quiet = "", 0.0
        while not self._jobs.is_closed:
            now = json.dumps(self._jobs.views())
            if now != told:
                told, quiet = now, 0.0
                yield f"data: {now}\n\n"
            elif quiet >= QUIET_SECONDS:
                quiet = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(LOOK_SECONDS)
            quiet += LOOK_SECONDS


class _Guard:
    """Lets in who calls the server by its own name and knows the token, and tells browsers what they may load.

    The first keeps off sites whose name suddenly leads to this machine, the second all other sites and users.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: Collection[str]) -> None:
        self._app, self._token, self._hosts = app, token, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "nothing else is switched on"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                kept = [pair for pair in message["headers"] if pair[0].decode() not in HEADERS]
                message = {**message, "headers": [*kept, *given]}
            await send(message)

        refusal = self._refusal(Request(scope))
        await (self._app if refusal is None else refusal)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        if _without_port(request.headers.get("host", "")) not in self._hosts:
            return _refused(421, f"this page is not to be found under this name: call it {sorted(self._hosts)[0]}")
        reads = request.method in ("GET", "HEAD")
        if reads and request.url.path.startswith("/static/"):
            return None
        given = request.headers.get("x-token") or (request.query_params.get("token", "") if reads else "")
        if secrets.compare_digest(given.encode(), self._token.encode()):
            return None
        return _refused(403, "the token of this start is missing: open the address that the tool printed")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _static(path: Path) -> Response:
    return FileResponse(path, media_type=KINDS[path.suffix])


def _nothing() -> Response:
    return _refused(404, "there is nothing here")


def _too_large(most: int) -> Response:
    return _refused(413, f"the video is too large: at most {most / 2**20:.0f} MB are taken")


def _refused(status: int, line: str) -> Response:
    return PlainTextResponse(line, status)
