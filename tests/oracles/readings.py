"""A reading of a table as a table of its own: what its rows are, and its lists renumbered."""

from __future__ import annotations

import numpy as np

from taxcheck.audit.metrics.lists import Lists
from taxcheck.geometry.space import Space
from tests.oracles.ranking import negatives_before

Answers = dict[tuple[int, int], tuple[int, int, int]]


def counted(
    space: Space,
    lists: dict[int, list[int]],
    left_out: dict[int, set[int]],
    keep_self: bool = False,
    rows: np.ndarray | None = None,
) -> Answers:
    """(source, positive) -> (negatives nearer, tied, all): one source after the other.

    Node k is row ``rows[k]``; nodes whose row is -1 are not there, neither as source, positive or
    candidate.
    """
    at = np.arange(space.n) if rows is None else rows
    there = np.flatnonzero(at >= 0)
    table = space.take(at[there])
    place = {int(node): k for k, node in enumerate(there)}
    found = {}
    for source, positives in lists.items():
        own = [p for p in positives if p in place]
        if source not in place or not own:
            continue
        hidden = {place[v] for v in left_out.get(source, set()) if v in place}
        _, less, equal, total = negatives_before(
            table, place[source], [place[p] for p in own], hidden, keep_self
        )
        for p, nearer, tied in zip(own, less, equal, strict=True):
            found[source, p] = nearer, tied, total
    return found


def as_dict(lists: Lists) -> dict[int, list[int]]:
    """source -> targets."""
    return {
        int(s): lists.targets[a:b].tolist()
        for s, a, b in zip(lists.sources, lists.starts[:-1], lists.starts[1:], strict=True)
    }
