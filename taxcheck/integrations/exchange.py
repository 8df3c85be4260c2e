"""One request to a service, and its answer: in bounded time, to that host and no other."""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from taxcheck import __version__
from taxcheck.integrations.target import is_loopback, split_url

MOST = 1 << 20  # bytes of an answer
PATIENCE = 10.0  # seconds, for all of it


class AwayError(Exception):
    """No answer came; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``headers`` by names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """What the service says of it, in one line."""
        try:
            said = msgspec.json.decode(self.body, type=_Problem)
            text = said.detail or said.title
        except (msgspec.MsgspecError, RecursionError):
            text = ""
        place = self.headers.get("location", "")
        if 300 <= self.status < 400 and place:
            text = f"it has moved to {place}"
        line = " ".join(text.split())[:300].rstrip(".") or "it says no more"
        return f"{line} ({self.status})"

    def seconds_to_wait(self) -> float | None:
        """When to come again, if the service says so."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


class _Problem(msgspec.Struct):
    """A problem of RFC 9457, as far as it is shown."""

    title: str = ""
    detail: str = ""


def exchange(
    method: str,
    url: str,
    *,
    token: str | None = None,
    body: bytes | None = None,
    patience: float = PATIENCE,
    most: int = MOST,
) -> Answer:
    """Ask and wait for the answer, at most ``patience`` seconds whatever the other side does.

    Redirections are not followed: the token is for the host that was named. Raises AwayError where
    no whole answer came.
    """
    parts, found = split_url(url), list[Answer | Exception]()

    def ask() -> None:
        try:
            found.append(_asked(method, parts, token, body, patience, most))
        except (OSError, HTTPException, ValueError) as error:
            found.append(error)

    # Neither a resolver nor a header that comes byte by byte minds the timeout of a socket.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience)
    if not found:
        raise AwayError(f"no answer within {patience:g} s")
    if isinstance(found[0], Answer):
        return found[0]
    raise AwayError(_why(found[0])) from None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"its name is not known: {error.strerror}"
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join((said or type(error).__name__).split())[:200]


def _asked(
    method: str,
    parts: SplitResult,
    token: str | None,
    body: bytes | None,
    patience: float,
    most: int,
) -> Answer:
    connection, place, own = _connection(parts, patience)
    headers = {
        **own,
        "Host": parts.netloc,
        "User-Agent": f"taxcheck/{__version__}",
        "Accept": "application/json",
        "Date": formatdate(usegmt=True),  # by which a service sees how far this clock is off
        "Connection": "close",
    }
    if body is not None:
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        # It may answer before it has read all, such as that it is too much, and hang up.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, place, body, headers)
        answer = connection.getresponse()
        content = answer.read(most + 1)
        if len(content) > most:
            raise ValueError(f"its answer is larger than {most:,} bytes")
        kept = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, content, kept)
    finally:
        connection.close()


def _connection(parts: SplitResult, patience: float) -> tuple[HTTPConnection, str, dict[str, str]]:
    """A connection, through the proxy that the environment names; what is asked for on it, and how.

    This machine is never reached through a proxy.
    """
    host, port = parts.hostname or "", parts.port
    place = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    named = "" if is_loopback(host) or proxy_bypass(host) else getproxies().get(parts.scheme, "")
    if not named:
        return kind(host, port, timeout=patience), place, {}
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    user = unquote(f"{proxy.username}:{proxy.password or ''}") if proxy.username else ""
    own = {"Proxy-Authorization": f"Basic {b64encode(user.encode()).decode()}"} if user else {}
    connection = kind(proxy.hostname or "", proxy.port, timeout=patience)
    if kind is HTTPConnection:
        return connection, parts.geturl(), own
    connection.set_tunnel(host, port or 443, own)
    return connection, place, {}
