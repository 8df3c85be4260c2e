"""The pages of the service: each a pure function of its value, in the look of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import badge, data, people, runs
from .frame import FILES

PAGES: Mapping[str, Callable[[Any], str]] = {
    "home": data.home,
    "dataset": data.dataset,
    "run": runs.run,
    "compare": runs.compare,
    "rule": data.rule,
    "jobs": people.jobs,
    "job": people.job,
    "new_job": people.new_job,
    "admin": people.admin,
    "login": people.login,
    "failure": people.failure,
    "reference": people.reference,
    "badge": badge.badge,
    "feed": badge.feed,
}

__all__ = ["FILES", "PAGES"]
