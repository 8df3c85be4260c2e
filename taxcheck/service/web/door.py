"""What every request passes before anything else looks at it, and every answer on its way out.

Names that are not ours, pages of other sites that would change something, and bodies beyond their
limit are refused here, before a byte of the body is read.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from taxcheck.service.settings import Settings
from taxcheck.service.web.meter import Meter
from taxcheck.service.web.refusals import problem
from taxcheck.service.web.visit import Visit, from_elsewhere, is_our_name, names_of, visit_of

_NUL = re.compile(rb"\x00|%00")
_LOG = logging.getLogger("taxcheck.service")
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_BODY = 1 << 20  # bytes of what is no report and no file
_IDLE = 60.0  # seconds without a byte of a body that is not complete
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A report runs its own script, which its own page allows by its hash, and knows nothing of us.
ALONE = "sandbox allow-scripts allow-popups allow-downloads; frame-ancestors 'self'"
# What an answer says unless it says something else itself.
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


class Door:
    """Around the whole application (ASGI)."""

    def __init__(self, app: ASGIApp, settings: Settings, meter: Meter) -> None:
        self._app = app
        self._settings = settings
        self._meter = meter
        self._names = names_of(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, headers = time.perf_counter(), Headers(scope=scope)
        visit = visit_of(scope, headers, self._settings)
        scope.setdefault("state", {})["visit"] = visit
        status = 0  # of an answer that has begun

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["X-Request-ID"] = visit.id
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        try:
            await self._let_in(scope, receive, answer, headers, visit)
        except Exception:
            _LOG.exception("request %s: %s %s", visit.id, scope["method"], scope["path"])
            if status:  # half of an answer is out: all that is left is to break off
                raise
            said = "the server itself broke; its log tells where, by the id of this request"
            await problem(500, said, request=visit.id)(scope, receive, answer)
        finally:
            self._meter.answered(scope, status or 500, time.perf_counter() - began)

    async def _let_in(
        self, scope: Scope, receive: Receive, answer: Send, headers: Headers, visit: Visit
    ) -> None:
        limit = self._limit(scope, headers)
        if refused := self._refused(scope, headers, visit, limit):
            code, sentence = refused
            # What is left of the body is not read: the connection cannot be used again.
            told = problem(code, sentence, {"Connection": "close"}, visit.id)
            await told(scope, receive, answer)
            return
        if scope["method"] == "HEAD":  # whoever serves us leaves the body of the answer out
            scope = {**scope, "method": "GET"}
        await self._app(scope, _bounded(receive, limit), answer)

    def _refused(
        self, scope: Scope, headers: Headers, visit: Visit, limit: int
    ) -> tuple[int, str] | None:
        """Status and sentence, where a request is not let in."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_our_name(hosts[0], self._names):
            named = hosts[0] if len(hosts) == 1 else ""
            return 421, (
                f"this server is not called {named[:100]!r}; every name that it is reached by has "
                "to be among `names` of its settings"
            )
        if "\x00" in scope["path"] or _NUL.search(scope.get("query_string", b"")):
            return 404, "there is nothing at this address"  # nor can a database be asked for it
        if self._settings.open and visit.forwarded:
            return 403, (
                "this server is open to its own machine alone, and this request came through a "
                "proxy; make a token (taxcheck token create) and start it again"
            )
        if scope["method"] not in _SAFE and from_elsewhere(headers, visit):
            said = "a page of another site asked for a change; only pages of this server may"
            if visit.forwarded and not visit.trusted:
                said += "; if this was one, the proxy between has to be among `proxies`"
            return 403, said
        told = headers.get("content-length", "")
        if told.isdecimal() and int(told[:20]) > limit:
            return 413, too_large(limit)
        if (
            scope["method"] not in _SAFE
            and (packed := headers.get("content-encoding", "identity").lower()) != "identity"
        ):
            return 415, f"the body is packed as {packed[:40]!r}; send it as it is"
        return None

    def _limit(self, scope: Scope, headers: Headers) -> int:
        """The bytes that the body of a request may have."""
        path, method = scope["path"], scope["method"]
        if method == "PUT" and path.startswith("/api/v1/runs/"):
            return self._settings.report_bytes
        if method == "PATCH" and path.startswith("/api/v1/uploads/"):
            return self._settings.upload_bytes
        kind = headers.get("content-type", "").lower()
        if method == "POST" and path == "/jobs/new" and kind.startswith("multipart/form-data"):
            return self._settings.upload_bytes + _BODY
        return _BODY


def too_large(limit: int) -> str:
    """The sentence for a body beyond its limit."""
    said = f"{limit / (1 << 20):,.0f} MiB" if limit >= 1 << 20 else f"{limit:,} bytes"
    return f"the body is larger than the {said} that are taken here"


def _bounded(receive: Receive, limit: int) -> Receive:
    """The same body, which ends the request where it is too long, or where nothing comes."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        if seen < 0:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), _IDLE)
        except TimeoutError:
            raise HTTPException(408, f"nothing of the body came for {_IDLE:.0f} s") from None
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, too_large(limit), {"Connection": "close"})
            if not message.get("more_body", False):
                seen = -1  # what comes now is that the client has left
        return message

    return bounded
