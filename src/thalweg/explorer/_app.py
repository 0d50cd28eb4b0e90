"""The application: one page, its parts, uploads, and computations as streams of lines."""

import asyncio
import contextlib
import importlib.resources
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from thalweg import __version__, datasets
from thalweg._core import ThalwegError
from thalweg.explorer._crew import BusyError, Crew
from thalweg.explorer._guard import Guard, TooLargeError, TooSlowError
from thalweg.explorer._limits import Limits
from thalweg.explorer._shelf import Shelf
from thalweg.explorer._uploads import Uploads

STATIC = importlib.resources.files("thalweg.explorer") / "static"
GLANCE = 0.1
"""Seconds after which it is looked whether a visitor is still there."""
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def create_app(
    *, token: str | None = None, limits: Limits | None = None, stores: Path | None = None
) -> Guard:
    """Return the ASGI application.

    Parameters
    ----------
    token
        Key that visitors must show; a fresh random one if left out.
    limits
        What they may ask for.
    stores
        Folder whose sweeps can be opened, and where new ones are kept.

    Returns
    -------
    Guard
        The application behind its checks; ``app.token`` is the key.
    """
    limits = limits or Limits()
    crew, uploads = Crew(limits), Uploads(limits.uploads)
    rooms = Rooms(crew, uploads, Shelf(stores), limits)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await crew.start()
        try:
            yield
        finally:
            await crew.stop()
            uploads.close()

    routes = [
        Route("/", rooms.page),
        Route("/favicon.ico", rooms.icon),
        Route("/static/{name}", rooms.part),
        Route("/api/options", rooms.options),
        Route("/api/upload", rooms.upload, methods=["POST"]),
        Route("/api/run/{task}", rooms.run, methods=["POST"]),
    ]
    handlers: Any = {TooLargeError: _too_large, TooSlowError: _too_slow, ThalwegError: _wrong}
    inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    key = token or secrets.token_urlsafe(24)
    return Guard(inner, token=key, body=limits.body, patience=limits.patience)


class Rooms:
    """Answers of the routes."""

    def __init__(self, crew: Crew, uploads: Uploads, shelf: Shelf, limits: Limits) -> None:
        self.crew, self.uploads, self.shelf, self.limits = crew, uploads, shelf, limits
        self.parts = {item.name: item.read_bytes() for item in STATIC.iterdir() if item.is_file()}

    async def page(self, _: Request) -> Response:
        """Answer the page."""
        return self._static("index.html")

    async def icon(self, _: Request) -> Response:
        """Answer the icon."""
        return self._static("icon.svg")

    async def part(self, request: Request) -> Response:
        """Answer a script, a style or a picture of the page; only names of the package exist."""
        name = request.path_params["name"]
        return self._static(name) if name in self.parts else Response("not found", 404)

    def _static(self, name: str) -> Response:
        suffix = name[name.rfind(".") :]
        return Response(self.parts[name], media_type=KINDS.get(suffix, "text/plain"))

    async def options(self, _: Request) -> Response:
        """Answer what can be chosen."""
        return JSONResponse(
            {
                "version": __version__,
                "datasets": datasets.names(),
                "limits": self._bounds(),
                "sweeps": self.shelf.names(),
                "keeps": self.shelf.folder is not None,
            }
        )

    async def upload(self, request: Request) -> Response:
        """Keep a table."""
        name = request.query_params.get("name", "")
        return JSONResponse({"upload": self.uploads.keep(name, await request.body())})

    async def run(self, request: Request) -> Response:
        """Start a computation and stream its messages; a visitor who leaves stops it."""
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _error("a JSON document is needed (content-type application/json)", 415)
        try:
            arguments = json.loads(await request.body())
        except (ValueError, RecursionError):
            return _error("the request is not valid JSON", 400)
        if not isinstance(arguments, dict):
            return _error("the request must be a JSON object", 400)
        self._locate(arguments)
        arguments["limits"] = self._bounds()
        messages = self.crew.run(request.path_params["task"], arguments)
        first = asyncio.ensure_future(anext(messages, b""))
        try:
            # The first message may take long: a visitor who leaves before it is noticed as well.
            while not first.done():
                await asyncio.wait([first], timeout=GLANCE)
                if not first.done() and await request.is_disconnected():
                    return _error("the visitor left", 499)
            line = first.result()
        except BusyError:
            text = "too many computations are waiting; try again in a moment"
            return JSONResponse({"message": text}, 429, {"retry-after": "5"})
        finally:
            first.cancel()
        return StreamingResponse(_after(line, messages), media_type="application/x-ndjson")

    def _bounds(self) -> dict[str, int]:
        """Return the bounds on what a task may be asked for."""
        names = ("width", "layers", "parameters", "columns")
        return {name: getattr(self.limits, name) for name in names}

    def _locate(self, arguments: dict[str, Any]) -> None:
        """Replace numbers and names by paths; a path from outside is dropped."""
        arguments.pop("folder", None)
        if "store" in arguments:
            arguments["folder"] = str(self.shelf.path(arguments["store"]))
        source = arguments.get("source")
        if isinstance(source, dict):
            source.pop("path", None)
            if "upload" in source:
                source["path"] = str(self.uploads.path(str(source["upload"])))


async def _after(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(rest):
        yield first
        async for line in rest:
            yield line


def _error(text: str, status: int) -> Response:
    return JSONResponse({"message": text}, status)


async def _too_large(_: Request, error: Exception) -> Response:
    return _error(str(error), 413)


async def _too_slow(_: Request, error: Exception) -> Response:
    return JSONResponse({"message": str(error)}, 408, {"connection": "close"})


async def _wrong(_: Request, error: Exception) -> Response:
    return _error(" ".join(str(error).split()), 400)
