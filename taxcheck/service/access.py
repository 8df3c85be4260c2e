"""Who asks, and what they may do.

A program shows a token (``Authorization: Bearer tck_…``). A person shows the cookie of a session,
which /login makes from a token, or is named by a proxy that is trusted by its address. On a server
that is open, to its own machine alone, whoever shows nothing is anyone.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

from taxcheck.model.errors import UsageError
from taxcheck.service.settings import Settings
from taxcheck.service.store.tokens import SCOPES, Token

_MEMBER = frozenset(("push", "read", "run"))  # of a person whom a proxy names


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks for something; ``projects`` None is all of them."""

    person: str  # the name of a token, or of the person that a trusted proxy names
    scopes: frozenset[str]
    projects: frozenset[str] | None = None

    def has(self, scope: str) -> bool:
        """Whether the caller may do this anywhere; who reads runs may watch them as well."""
        also = ("read",) if scope == "watch" else ()
        return not self.scopes.isdisjoint((scope, "admin", *also))

    def may(self, scope: str, project: str | None = None) -> bool:
        """Whether the caller may do this in a project, or in all of them where none is named."""
        if self.projects is not None and project not in self.projects:
            return False
        return self.has(scope)


ANYONE = Caller("anyone", frozenset(SCOPES))  # on a server that is open, to this machine alone


def caller_with(token: Token) -> Caller:
    """Whoever shows a token, or a session that was made from it."""
    projects = None if token.project is None else frozenset((token.project,))
    return Caller(token.name, frozenset(token.scopes), projects)


def member(person: str, settings: Settings) -> Caller:
    """A person whom a trusted proxy names."""
    return Caller(person, frozenset(SCOPES) if person in settings.admins else _MEMBER)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    if host.lower() == "localhost":
        return True
    address = address_of(host)
    return address is not None and address.is_loopback


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IP address; one that is written as IPv6 and is of IPv4 counts as the latter."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_among(text: str, networks: tuple[str, ...]) -> bool:
    """Whether an address belongs to one of the networks, of which each is an address or a CIDR."""
    address = address_of(text)
    return address is not None and any(address in ipaddress.ip_network(one) for one in networks)


def settle(settings: Settings, has_tokens: bool) -> Settings:
    """The settings with ``open`` decided; UsageError where access control is missing or void.

    A server that only this machine reaches is open until it has a token or a proxy.
    """
    for one in settings.proxies:
        try:
            ipaddress.ip_network(one)
        except ValueError:
            raise UsageError(f"`proxies` {one}: is neither an address nor a network") from None
    if settings.user_header and not settings.proxies:
        raise UsageError(
            f"`user_header` {settings.user_header}: anybody could send it; name the addresses of "
            "the proxies that are believed (`proxies`)"
        )
    if settings.open and settings.user_header:
        raise UsageError("`open` would let in whoever the proxy did not name; leave it out")
    controlled = has_tokens or settings.user_header is not None
    local = is_loopback(settings.host)
    if settings.open and not local:
        raise UsageError(
            f"`host` {settings.host}: others reach it, and `open` would let all of them in; leave "
            "`open` out and make a token (taxcheck token create), or name 127.0.0.1"
        )
    if not local and not controlled:
        raise UsageError(
            f"`host` {settings.host}: others reach it, and there is no access control; make a "
            "token first (taxcheck token create), or name a proxy that signs people "
            "in (`user_header`, `proxies`)"
        )
    return replace(settings, open=settings.open or not controlled)
