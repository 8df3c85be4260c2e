"""Where runs are pushed: the service, a project and dataset in it, and the token for it."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from taxcheck.model.errors import UsageError

if TYPE_CHECKING:
    from taxcheck.policy.model import Policy

TO, TOKEN = "TAXCHECK_TO", "TAXCHECK_TOKEN"
PROJECT, DATASET = "TAXCHECK_PROJECT", "TAXCHECK_DATASET"
INSECURE = "TAXCHECK_INSECURE"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # stands in an address as it is


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset of a service at ``to``, an address without a slash at its end."""

    to: str
    project: str
    dataset: str
    token: str | None = field(default=None, repr=False)


def target_of(
    to: str | None = None,
    project: str | None = None,
    dataset: str | None = None,
    token: str | None = None,
    policy: Policy | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Target | None:
    """What is given, else what the environment says, else project and dataset of the policy.

    None where neither names a service. No policy can: whoever may change the data's folder could
    have the token sent elsewhere. Raises UsageError where project or dataset is missing, where the
    address is none, or where a token would go over plain http to another machine.
    """
    to = to or environment.get(TO)
    if not to:
        return None
    address, named = address_of(to), policy.service if policy else None
    project = project or environment.get(PROJECT) or (named.project if named else None)
    dataset = dataset or environment.get(DATASET) or (named.dataset if named else None)
    for name, value in (("project", project), ("dataset", dataset)):
        if not value:
            raise UsageError(
                f"runs that are pushed belong to a dataset of a project: give `{name}`, set "
                f"TAXCHECK_{name.upper()}, or write {name} in [service] of taxcheck.toml"
            )
        if not _NAME.fullmatch(value):
            raise UsageError(
                f"`{name}` {value[:100]!r}: a name has letters, digits, dots, _ and -, begins with "
                "a letter or a digit, and is at most 100 long"
            )
    return Target(address, project or "", dataset or "", token_for(address, token, environment))


def address_of(to: str) -> str:
    """An address as it is used; UsageError where it is none, or holds a password."""
    parts = split_url(to)
    if parts.query or parts.fragment:
        raise UsageError(
            f"`to` {to}: ends before any ? and #; such as https://taxcheck.example.org"
        )
    return to.rstrip("/")


def split_url(url: str) -> SplitResult:
    """The parts of an http address; UsageError where it is none, or holds a password."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{url!r} is no address such as https://taxcheck.example.org")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{parts.hostname}: an address holds no user and no password; set {TOKEN}")
    return parts


def token_for(
    url: str, token: str | None = None, environment: Mapping[str, str] = os.environ
) -> str | None:
    """The token that is given or in the environment, where it may be sent to this address."""
    token = (token or environment.get(TOKEN, "")).strip()
    if not token:
        return None
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"{TOKEN} is no token of a service: it holds other than letters and signs")
    parts = urlsplit(url)
    private = parts.scheme == "https" or is_loopback(parts.hostname or "")
    if not private and environment.get(INSECURE) != "1":
        raise UsageError(
            f"{url}: over plain http others could read the token; give an address with https://, "
            f"or set {INSECURE}=1 where the network is trusted"
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine, whatever a resolver says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
