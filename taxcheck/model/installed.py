"""What is installed: versions of packages, and what joins taxcheck through entry points."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import metadata
from importlib.metadata import EntryPoint
from typing import Any

from taxcheck.model.errors import BrokenError, UsageError

GROUPS = ("taxcheck.rules", "taxcheck.causes", "taxcheck.renderers", "taxcheck.readers")


def plugins(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, our own among them; packages are searched once."""
    return _found(tuple(sys.path))[group]


def load_plugin(entry: EntryPoint) -> Any:
    """What an entry point names; BrokenError where it cannot be loaded.

    UsageError where Python was told to drop docstrings, in which rules say what they are.
    """
    try:
        return entry.load()
    except Exception as error:
        if sys.flags.optimize > 1:
            raise UsageError(
                "Python was told to drop docstrings (-OO, or PYTHONOPTIMIZE=2), which rules are "
                "documented by; start it without"
            ) from error
        raise BrokenError(
            f"plugin {entry.name!r} ({entry.value}) cannot be loaded: {error}; "
            "uninstall it or ask its author"
        ) from error


@cache
def version(package: str) -> str:
    """The version of a package; PackageNotFoundError where it is not installed.

    Its own line of the metadata is enough: taking all apart, as importlib does, takes ten times as
    long.
    """
    text = metadata.distribution(package).read_text("METADATA") or ""
    line = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    return line[1] if line else metadata.version(package)


@cache
def _found(_: tuple[str, ...]) -> dict[str, tuple[EntryPoint, ...]]:
    every = metadata.entry_points()
    return {group: tuple(every.select(group=group)) for group in GROUPS}
