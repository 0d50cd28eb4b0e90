"""Who may talk to the page: the browser of the one who started it, and nobody else.

A page from elsewhere that makes the browser call this server arrives under a foreign name in
``Host`` (DNS rebinding) or in ``Origin`` (cross-site request); both are refused before anything is
read, as is everyone who does not know the token.
"""

import asyncio
import hmac
import http.cookies
import re
import urllib.parse
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = re.compile(r"(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(?::[0-9]{0,5})?", re.ASCII)
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Scripts come from this server alone. Styles inside charts are set by the plotting library."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
NO_TOKEN = "open the address that `thalweg explore` printed; it carries the key to this page"


class Guard:
    """Checks of every request, around the application."""

    def __init__(self, app: App, *, token: str, body: int, patience: float = 30.0) -> None:
        self.app, self.token, self.body, self.patience = app, token, body, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or let it through with the security headers on its answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [
            (name.decode("latin-1"), text.decode("latin-1")) for name, text in scope["headers"]
        ]
        status, text = self._refusal(scope, headers)
        if status:
            await _answer(send, status, text)
            return
        ticket = self._ticket(scope)
        if ticket is not None:
            await _answer(send, 303, "", ticket)
            return
        if not self._known(scope, headers):
            await _answer(send, 403, NO_TOKEN)
            return
        await self.app(scope, self._bounded(receive), _with_headers(send, self.patience))

    def _refusal(self, scope: Scope, headers: list[tuple[str, str]]) -> tuple[int, str]:
        """Return the status and reason of a refusal, or 0."""
        hosts = [text for name, text in headers if name == "host"]
        if len(hosts) != 1 or _name(hosts[0]) not in LOOPBACK:
            return 403, "this page answers under 127.0.0.1 and localhost only"
        origins = [text for name, text in headers if name == "origin"]
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return 403, "requests from other sites are refused"
        sites = {text for name, text in headers if name == "sec-fetch-site"}
        if scope["method"] not in {"GET", "HEAD"} and sites - {"same-origin", "none"}:
            return 403, "requests from other sites are refused"
        length = next((text for name, text in headers if name == "content-length"), "0")
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            return 400, "content-length is not a number"
        if int(length) > self.body:
            return 413, f"at most {self.body // 2**20} MiB are accepted, got {int(length)} bytes"
        return 0, ""

    def _ticket(self, scope: Scope) -> dict[str, str] | None:
        """Return the headers that trade the token in the address for a cookie."""
        query = urllib.parse.parse_qs(scope["query_string"].decode("latin-1"))
        given = query.get("token", [])
        if scope["path"] != "/" or len(given) != 1 or not self._same(given[0]):
            return None
        cookie = f"{_cookie_name(scope)}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        return {"location": "/", "set-cookie": cookie}

    def _known(self, scope: Scope, headers: list[tuple[str, str]]) -> bool:
        tokens = [text for name, text in headers if name == "x-thalweg-token"]
        for name, text in headers:
            if name == "cookie":
                try:
                    found = http.cookies.SimpleCookie(text).get(_cookie_name(scope))
                except http.cookies.CookieError:
                    found = None
                tokens += [found.value] if found else []
        return any(self._same(token) for token in tokens)

    def _same(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def _bounded(self, receive: Receive) -> Receive:
        seen, whole = 0, False
        end = asyncio.get_running_loop().time() + self.patience

        async def bounded() -> Message:
            nonlocal seen, whole
            if whole:  # what comes now is that the visitor leaves, whenever that is
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                raise TooSlowError(self.patience) from None
            whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > self.body:
                raise TooLargeError(self.body)
            return message

        return bounded


class TooLargeError(Exception):
    """A body without a length turned out to be too long."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"at most {limit // 2**20} MiB are accepted")


class TooSlowError(Exception):
    """A body did not come in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the request did not come within {seconds:g} s; send it again")


def _name(host: str) -> str:
    """Return the name in ``name:port``, or nothing if it is anything else."""
    found = HOST.fullmatch(host)
    return found[1] if found else ""


def _cookie_name(scope: Scope) -> str:
    """Cookies are shared by all ports of a host: the name tells ours apart."""
    return f"thalweg_{(scope.get('server') or ('', 0))[1]}"


def _with_headers(send: Send, patience: float) -> Send:
    """Return a way to send with the headers; who does not read for so long is given up."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message.get("headers", [])}
            extra = [
                (name.encode(), text.encode())
                for name, text in HEADERS.items()
                if name.encode() not in known
            ]
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        async with asyncio.timeout(patience):
            await send(message)

    return sending


async def _answer(send: Send, status: int, text: str, extra: dict[str, str] | None = None) -> None:
    fields = {**HEADERS, "content-type": "text/plain; charset=utf-8", **(extra or {})}
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
