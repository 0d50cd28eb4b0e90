"""A server in a thread, and a way to speak to it byte by byte."""

import contextlib
import json
import re
import socket
import threading

import pytest

pytest.importorskip("starlette")
uvicorn = pytest.importorskip("uvicorn")

from thalweg.explorer._app import create_app  # noqa: E402
from thalweg.explorer._limits import Limits  # noqa: E402
from thalweg.explorer._patience import patient  # noqa: E402

KEY = "k" * 32


@contextlib.contextmanager
def serving(**limits):
    """A server in a thread; yields its port."""
    bounds = Limits(**limits)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(token=KEY, limits=bounds),
        http=patient(bounds.patience),
        log_level="critical",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()


def speak(port, *pieces, wait=60.0):
    """Send bytes as they are; return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as line:
        with contextlib.suppress(ConnectionError):  # refused before all was sent
            for piece in pieces:
                line.sendall(piece)
        out = b""
        with contextlib.suppress(ConnectionError):
            while part := line.recv(65536):
                out += part
    return out


def head(port, method, path, *lines, host=None, key=KEY, length=None):
    given = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}"]
    given += [f"X-Thalweg-Token: {key}"] if key else []
    given += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*given, *lines, "Connection: close", "", ""]).encode("latin-1")


def status(answer):
    return int(answer.split(b" ", 2)[1])


def run(port, task, content):
    """Ask for a computation; return the status and the last message."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    kind = "Content-Type: application/json"
    answer = speak(port, head(port, "POST", f"/api/run/{task}", kind, length=len(body)), body)
    found = re.findall(rb"\{.*\}", answer.partition(b"\r\n\r\n")[2])
    return status(answer), json.loads(found[-1])


def upload(port, name, content):
    start = head(port, "POST", f"/api/upload?name={name}", length=len(content))
    answer = speak(port, start, content)
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def alive(port):
    return status(speak(port, head(port, "GET", "/api/options"))) == 200
