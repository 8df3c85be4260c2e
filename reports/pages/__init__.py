"""The pages of the service: each a pure function of its value, in the look of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import badge, data, runs
from .frame import FILES, filled

# Pages that are their template, filled in with the value.
_PLAIN = ("jobs", "job", "new_job", "admin", "login", "failure", "reference")


def _plain(name: str) -> Callable[[Any], str]:
    return lambda value: filled(f"{name}.html", value=value)


PAGES: Mapping[str, Callable[[Any], str]] = {
    "home": data.home,
    "dataset": data.dataset,
    "run": runs.run,
    "compare": runs.compare,
    "rule": data.rule,
    "badge": badge.badge,
    "feed": badge.feed,
    **{name: _plain(name) for name in _PLAIN},
}

__all__ = ["FILES", "PAGES"]
