"""One request as it came: from where, by which name, through whom; what only a proxy may say.

What a trusted proxy says is believed because of the address that it speaks from. The same words
from anywhere else are not read at all.
"""

from __future__ import annotations

import re
import socket
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from taxcheck.service.access import address_of, is_among
from taxcheck.service.settings import Settings

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from; it lies in the request's state as ``visit``."""

    id: str  # of the request; a client or a proxy may give it
    client: str  # address, as far as trusted proxies tell it
    scheme: str  # "http" or "https", likewise
    person: str | None  # whom a trusted proxy names
    trusted: bool  # a trusted proxy sent it
    forwarded: bool  # some proxy did, trusted or not


def visit_of(scope: Scope, headers: Headers, settings: Settings) -> Visit:
    """What is known of a request before anything of it is believed."""
    peer = (scope.get("client") or ("", 0))[0]
    trusted = is_among(peer, settings.proxies)
    client, scheme, person = peer, str(scope.get("scheme", "http")), None
    if trusted:
        client = _client(headers, peer, settings)
        told = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
        scheme = told if told in _PORTS else scheme
        if settings.user_header:
            named = headers.getlist(settings.user_header)
            person = named[0].strip()[:255] or None if len(named) == 1 else None
    given = headers.get("x-request-id", "")
    return Visit(
        given if _ID.fullmatch(given) else uuid.uuid4().hex,
        client,
        scheme,
        person,
        trusted,
        any(name in headers for name in _FORWARDED),
    )


def _client(headers: Headers, peer: str, settings: Settings) -> str:
    """The last address that is not a proxy's own: what stands before it, a client may have made."""
    hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
    for hop in reversed([hop.strip() for hop in hops if hop.strip()]):
        if address_of(hop) is None:
            return peer
        if not is_among(hop, settings.proxies):
            return hop
    return peer


def names_of(settings: Settings) -> frozenset[str]:
    """The host names that this server answers to, in lower case."""
    address = urlsplit(settings.address or "").hostname or "localhost"
    own = {"localhost", settings.host, socket.gethostname(), address, *settings.names}
    return frozenset(name.lower().rstrip(".") for name in own)


def is_our_name(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header names this server.

    A name that somebody else made point here (DNS rebinding) is none of ours; an address cannot be
    made to point anywhere.
    """
    name, _ = split_host(host)
    return name in names or (bool(name) and address_of(name) is not None)


def split_host(host: str) -> tuple[str, int | None]:
    """Name, in lower case, and port of a Host header; an empty name where it is not one."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return "", None
    if parts.path or parts.query or parts.fragment or "@" in host:
        return "", None
    return name.rstrip("."), port


def from_elsewhere(headers: Headers, visit: Visit) -> bool:
    """Whether a browser says that another site's page makes this request."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    try:
        parts = urlsplit(origin)
        name, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return True
    own, own_port = split_host(headers.get("host", ""))
    if own_port is None:  # behind a proxy, a Host without a port may stand for any
        own_port = port if visit.trusted else _PORTS[visit.scheme]
    return (name.rstrip("."), port) != (own, own_port)
