"""Names that stand in several places of a tree, told apart by what is above them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

SEPARATOR = ";"
_DEEPEST = 100  # levels of a lineage that is still a name


def called_apart(uses: Sequence[tuple[int, str]]) -> tuple[list[str], list[str]]:
    """What nodes (parent or -1, name) are called, and the names that several have.

    A name of one node is its own; of several, each by its whole lineage, or numbered where that
    is there twice or too long.
    """
    count = Counter(name for _, name in uses)
    called = [name for _, name in uses]
    for k, name in enumerate(called):
        if count[name] > 1:
            called[k] = _lineage(uses, k) or f"{name} #{k}"
    twice = Counter(called)
    if len(twice) < len(called):
        called = [one if twice[one] == 1 else f"{one} #{k}" for k, one in enumerate(called)]
    return called, [name for name, times in count.items() if times > 1]


def _lineage(uses: Sequence[tuple[int, str]], node: int) -> str:
    """The names from the root down to a node; "" where they are too many."""
    names: list[str] = []
    at = node
    while at >= 0 and len(names) <= _DEEPEST:
        at, name = uses[at]
        names.append(name)
    return "" if at >= 0 else SEPARATOR.join(reversed(names))
