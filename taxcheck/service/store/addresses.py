"""Which addresses a message may go to: those that everybody on the Internet reaches."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from taxcheck.service.store.errors import RefusedError

_NAT64 = IPv6Network("64:ff9b::/96")  # ends at the address of IPv4 in its last 32 bits
# Public by their number, and yet not: assignments of protocols, among them the metadata of a cloud;
# the host of a virtual machine; relays and tunnels, which lead to any address of IPv4.
_NOT = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",
        "168.63.129.16/32",
        "192.88.99.0/24",
        "::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


def is_public(address: str) -> bool:
    """Whether an IP address is of the open Internet: not this machine, its network, its host.

    ValueError where it is no address.
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found in _NAT64:
            return is_public(str(IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast and not any(found in one for one in _NOT)


def checked_url(url: str, *, http: bool = False) -> SplitResult:
    """The parts of a URL that messages may be sent to; RefusedError where it cannot be one.

    Of a name its addresses are not known yet: they are looked at when something is sent.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise RefusedError("url: is none") from None
    if parts.scheme != "https" and not (http and parts.scheme == "http"):
        raise RefusedError("url: must begin with https://")
    if not host or len(url) > 2000 or not url.isascii() or not url.isprintable() or " " in url:
        raise RefusedError("url: has no host, is too long, or has characters that no URL has")
    if parts.username is not None or parts.password is not None:
        raise RefusedError("url: a user and a password in it would be shown; leave them out")
    try:
        public = is_public(host)
    except ValueError:  # a name
        return parts
    if not public:
        raise RefusedError(f"url: {host} is an address that only this machine or its network knows")
    return parts
