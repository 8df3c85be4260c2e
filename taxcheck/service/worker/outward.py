"""One message to an address of the open Internet, which a client named.

The name is resolved once. Every address that it has must be public, and the connection is made to
one that was looked at, so that another answer of the resolver changes nothing. A redirect is not
followed: it is an answer like others that are not 2xx.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer
from urllib.parse import SplitResult

from taxcheck.model.errors import TaxcheckError
from taxcheck.service.store.addresses import checked_url, is_public

SECONDS = 10.0  # for all of it, from the connection on

Resolve = Callable[[str, int], Sequence[str]]


class UndeliveredError(TaxcheckError):
    """A message did not arrive; the text says why, in one line."""

    exit_code = 3


def addresses_of(name: str, port: int) -> Sequence[str]:
    """All IP addresses of a name; OSError where it has none."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    http: bool = False,
    resolve: Resolve = addresses_of,
    public: Callable[[str], bool] = is_public,
    seconds: float = SECONDS,
) -> None:
    """Send a message; UndeliveredError where it is not taken, RefusedError for the URL itself."""
    parts = checked_url(url, http=http)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = resolve(host, port)
    except OSError as error:
        raise UndeliveredError(f"{host}: has no address: {error.strerror}") from None
    for address in addresses:
        if not public(address):
            raise UndeliveredError(
                f"{host}: is {address}, which only this machine or its network knows"
            )
    try:
        status = _exchange(parts, _connected(addresses, port, seconds), body, headers, seconds)
    except (OSError, HTTPException) as error:
        said = getattr(error, "strerror", None) or error or type(error).__name__
        raise UndeliveredError(f"{host}: does not answer: {said}") from None
    if 300 <= status < 400:
        raise UndeliveredError(f"{host}: answered {status}, a redirect, which is not followed")
    if not 200 <= status < 300:
        raise UndeliveredError(f"{host}: answered {status}")


def _connected(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """A connection to the first of the addresses that takes one; these are numbers, not names."""
    last: OSError = OSError("it has no address")
    for address in addresses[:4]:
        try:
            return socket.create_connection((address, port), timeout=seconds / 2)
        except OSError as error:
            last = error
    raise last


def _exchange(
    parts: SplitResult,
    connected: socket.socket,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
) -> int:
    """Send over a connection, and read the answer: its status.

    The connection is cut when the time is over, however slowly an answer drips.
    """
    late = Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        host = str(parts.hostname)
        connected.settimeout(seconds)
        talk = connected
        if parts.scheme == "https":
            talk = ssl.create_default_context().wrap_socket(connected, server_hostname=host)
        connection = HTTPConnection(host, parts.port)
        connection.sock = talk
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        own = {"Host": parts.netloc, "Connection": "close"}
        connection.request("POST", target, body, own | dict(headers))
        with connection.getresponse() as answer:  # its body says nothing that is needed
            if late.is_set():  # to the reader that looks like the end of the answer's head
                raise TimeoutError("it took too long")
            return answer.status
    finally:
        timer.cancel()
        connected.close()
