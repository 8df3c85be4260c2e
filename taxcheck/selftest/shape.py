"""The closure of a small forest, by its parents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HEADER = ("ancestor_idx", "descendant_idx", "depth_diff", "ancestor_depth", "descendant_depth")


def closure(parents: Iterable[int]) -> list[tuple[Any, ...]]:
    """Rows of the closure of a forest, whose roots have the parent -1."""
    above: list[list[int]] = []
    for parent in parents:  # parents come before their children
        above.append([] if parent < 0 else [parent, *above[parent]])
    return [
        (a, d, k, len(above[a]), len(above[d]))
        for d, path in enumerate(above)
        for k, a in enumerate(path, start=1)
    ]
