"""Addresses of the pages; a test holds them against the routes of the service."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, urlencode

from ..text import slug


@lru_cache(1 << 14)  # a page names each of its runs a dozen times
def _path(*parts: str) -> str:
    return "/" + "/".join(quote(part, safe="", errors="replace") for part in parts)


def project(name: str) -> str:
    """All datasets of a project."""
    return _path(name)


def dataset(project: str, name: str, part: str = "") -> str:
    """A dataset; ``part`` is its badge, its feed or a form of it."""
    return _path(project, name, *([part] if part else []))


def run(id: str, part: str = "") -> str:
    """A run; ``part`` is a form or a file of it."""
    return _path("runs", id, *part.split("/")) if part else _path("runs", id)


def finding(id: str, rule: str) -> str:
    """What a rule or a cause found in a run."""
    return f"{run(id)}#{slug(rule)}"


def rule(name: str) -> str:
    """Where a rule or a cause fires now."""
    return _path("rules", name)


def compare(before: str, after: str) -> str:
    """Two runs beside each other."""
    return "/compare?" + urlencode({"before": before, "after": after}, errors="replace")


def job(id: str, part: str = "") -> str:
    """A job; ``part`` is a form or a file of it."""
    return _path("jobs", id, *part.split("/", 1)) if part else _path("jobs", id)


def older_jobs(cursor: str) -> str:
    """The jobs after those that were shown."""
    return "/jobs?" + urlencode({"cursor": cursor}, errors="replace")


def outward(link: str | None) -> str | None:
    """The address of a CI job, where it is one of the web; nothing else is made a link."""
    return link if link and link.lower().startswith(("https://", "http://")) else None
