"""How an input is named: one path, or several, each a file, a folder, a pattern or an address."""

from __future__ import annotations

Paths = str | tuple[str, ...]


def each(given: Paths) -> tuple[str, ...]:
    """The paths one by one, in the order in which they were stated."""
    return (given,) if isinstance(given, str) else given


def called(given: Paths) -> str:
    """What people call an input: its path; of several the first, and how many more there are."""
    first, *more = each(given)
    if not more:
        return first
    return f"{first} and {more[0]}" if len(more) == 1 else f"{first} and {len(more)} more"
