"""What stands before every request: who may ask, from where, how much, before a byte of it is kept."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from signloom.web.jobs import Jobs
from signloom.web.limits import Limits, Refusal
from signloom.web.live import close_refused

COOKIE = "signloom_token"
OPEN = ("/healthz",)
"""What is answered without a token."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
UPLOADS = tuple(f"/v1/{what}" for what in ("translate", "recognize", "segment", "align"))

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
    "blob: data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
WITH_WASM = HEADERS["content-security-policy"].replace(
    "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"
)
"""The policy of a page that may compile WebAssembly (and still evaluates no text)."""


def answer(refused: Refusal) -> JSONResponse:
    """A refusal as every refusal is answered: {"kind", "detail"}."""
    headers = {}
    if refused.status == 429:
        headers["retry-after"] = "10"
    if refused.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(
        {"kind": refused.kind, "detail": refused.detail}, refused.status, headers=headers
    )


class Guard:
    """Middleware. token: what a request must carry (header or cookie), None = nothing.

    hosts: the names under which this server may be called, None = any. A page of another origin is
    refused: a browser sends its requests here without being asked. wasm: whether the page takes
    skeletons itself, for which it compiles WebAssembly.
    """

    def __init__(
        self,
        app: ASGIApp,
        jobs: Jobs,
        limits: Limits,
        token: str | None,
        hosts: Collection[str] | None,
        refused: Callable[[int], None],
        wasm: bool = False,
    ):
        self.app, self.jobs, self.limits = app, jobs, limits
        self.token, self.hosts, self.refused, self.wasm = token, hosts, refused, wasm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, client = Headers(scope=scope), (scope.get("client") or ("unknown",))[0]
        body: _Body | None = None

        async def sending(message: Message) -> None:
            if body is not None and body.refusal is not None:
                return  # the framework makes its own answer of what stopped the body
            await adorned(message)

        async def adorned(message: Message) -> None:
            if message["type"] == "http.response.start":
                page = self.wasm and scope["path"] == "/"
                told = HEADERS | ({"content-security-policy": WITH_WASM} if page else {})
                own = [(name.encode(), value.encode()) for name, value in told.items()]
                message = {**message, "headers": [*message["headers"], *own]}
                if message["status"] >= 400:
                    self.refused(message["status"])
            await send(message)

        try:
            self._check(scope, headers)
            if scope["method"] != "POST":
                await self.app(scope, receive, sending)
                return
            if scope["query_string"]:
                raise Refusal(
                    422, "request", "nothing is read of the address behind '?'; send it as fields of the form"
                )  # fmt: skip
            body = _Body(receive, self.limits, headers)
            if scope["path"] not in UPLOADS:
                await self._told(scope, body, sending, adorned)
                return
            self.jobs.enter(client)
            try:
                await self._told(scope, body, sending, adorned)
            finally:
                self.jobs.leave(client)
        except Refusal as refused:
            await answer(refused)(scope, receive, adorned)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket that is refused is opened to say why: a page sees no status of a refused one."""
        try:
            self._check(scope, Headers(scope=scope))
        except Refusal as refused:
            self.refused(refused.status)
            socket = WebSocket(scope, receive, send)
            await socket.accept()
            await close_refused(socket, refused)
            return
        await self.app(scope, receive, send)

    async def _told(self, scope: Scope, body: _Body, sending: Send, adorned: Send) -> None:
        await self.app(scope, body, sending)
        if body.refusal is not None:
            await answer(body.refusal)(scope, body, adorned)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raises Refusal (401, 403)."""
        host = headers.get("host", "")
        if self.hosts is not None and name_of(host) not in self.hosts:
            raise Refusal(
                403,
                "origin",
                f"this server is not called '{host}', expected {', '.join(self.hosts)}",
            )
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if foreign or headers.get("sec-fetch-site") == "cross-site":
            raise Refusal(403, "origin", "requests from other sites' pages are not served")
        if self.token is None or scope["path"] in OPEN:
            return
        if not any(hmac.compare_digest(self.token.encode(), t.encode()) for t in carried(scope)):
            raise Refusal(
                401,
                "token",
                "this server wants its access token: open the address that it printed when it was "
                "started, or send the header 'Authorization: Bearer TOKEN'",
            )


def name_of(host: str) -> str:
    """A Host header without its port.

    >>> name_of("[::1]:80"), name_of("localhost:8765")
    ('::1', 'localhost')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def carried(scope: Scope) -> list[str]:
    """The tokens that a request carries: in its header, its cookie or, for the page, its address."""
    headers = Headers(scope=scope)
    found = []
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        found.append(value.strip())
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        cookies = SimpleCookie()
    if COOKIE in cookies:
        found.append(cookies[COOKIE].value)
    if scope["path"] == "/":
        query = scope.get("query_string", b"").decode("latin-1")
        found += [part[6:] for part in query.split("&") if part.startswith("token=")]
    return found


class _Body:
    """What receives a request's body, and stops where it is too long or stalls.

    refusal: why it stopped: 413, or 408 where it stalled. Raises Refusal (413) before the first byte
    where the request says that it is too long.
    """

    def __init__(self, receive: Receive, limits: Limits, headers: Headers):
        self.receive, self.limits = receive, limits
        self.taken, self.whole = 0, False
        self.refusal: Refusal | None = None
        told = headers.get("content-length", "0")
        if not told.isascii() or not told.isdigit() or int(told) > limits.bytes:
            raise self._too_large(told)

    async def __call__(self) -> Message:
        if self.whole:
            return await self.receive()
        try:
            message = await asyncio.wait_for(self.receive(), self.limits.stall)
        except TimeoutError:
            self.refusal = Refusal(
                408, "stalled", f"the upload paused for {self.limits.stall:.0f} s; send it again"
            )
            raise self.refusal from None
        self.taken += len(message.get("body", b""))
        if self.taken > self.limits.bytes:
            self.refusal = self._too_large(f"{self.taken} and more")
            raise self.refusal
        self.whole = not message.get("more_body", False)
        return message

    def _too_large(self, size: str) -> Refusal:
        return Refusal(
            413,
            "too-large",
            f"the request has {size} bytes, expected at most {self.limits.bytes:,}; cut the recording, "
            "or send its .pose file",
        )
