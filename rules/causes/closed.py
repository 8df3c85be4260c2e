"""Whether rows are closed: all that is above an ancestor is above its descendants as well.

Of pairs that belong to one hierarchy every row is. Of rows whose ends were drawn none is, but for
what is above nearly everything. Where rows were lost, most are closed in part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from taxcheck.model.arrays import IntArray, bounded, distinct, ranges, within
from taxcheck.model.room import Room
from taxcheck.statistics.spool import KeptPairs

_LOOKUPS = 2_000_000  # of what is above an ancestor, with each of its descendants
_AT_ONCE = 1 << 20
_COMMON = 0.1  # of the nodes below one: then it is above anything by chance
_TELLING = 0.1  # of an ancestor's rows are closed with one that is truly above it
_WELL = 0.5  # as often as the one that is most often
_FEWEST = 2, 3  # nodes above an ancestor that tell of its rows; where it has no true row at all
_NONE, _ALL = 0.2, 0.8
_MOST, _ROW_BYTES = 5_000_000, 100  # rows, and what each takes meanwhile


class Closedness(NamedTuple):
    """How many rows of which something is known are closed with nothing, with a part, with all."""

    none: int
    part: int
    all: int


def closedness(kept: KeptPairs, n: int, room: Room) -> Closedness | None:
    """Of the rows of some ancestors, drawn; None where none tells.

    Unasked where there are too many rows to be looked at whole.
    """
    if not len(kept):
        return None
    room.look(len(kept), _ROW_BYTES, _MOST)
    keys = distinct(np.concatenate([b.descendant * n + b.ancestor for b in kept.batches()]))
    below, above = np.divmod(keys, n)
    counts = np.bincount(below, minlength=n)  # nodes above each, which stand together in the keys
    starts = np.cumsum(counts) - counts
    by_ancestor = np.argsort(above, kind="stable")
    held = np.bincount(above, minlength=n)
    first = np.cumsum(held) - held
    common = held > max(_COMMON * np.count_nonzero((counts > 0) | (held > 0)), 1)
    rare = np.bincount(below[~common[above]], minlength=n)
    asked = np.flatnonzero((held > 0) & (rare >= _FEWEST[0]))
    asked = np.random.default_rng(0).permutation(asked)
    asked = asked[np.cumsum(held[asked] * counts[asked]) <= _LOOKUPS]
    total = np.zeros(3, dtype=np.int64)
    for part in bounded(held[asked] * counts[asked], _AT_ONCE):
        total += _of_some(asked[part], keys, n, starts, counts, by_ancestor, first, held, common)
    return Closedness(*total.tolist()) if total.any() else None


def _of_some(
    nodes: IntArray,
    keys: IntArray,
    n: int,
    starts: IntArray,
    counts: IntArray,
    by_ancestor: IntArray,
    first: IntArray,
    held: IntArray,
    common: np.ndarray,
) -> IntArray:
    """(closed with none, with a part, with all) of the rows of some ancestors."""
    rows = by_ancestor[ranges(first[nodes], held[nodes])]  # of each node, those below it
    owner = np.repeat(np.arange(len(nodes)), held[nodes])
    width = counts[nodes][owner]
    row = np.repeat(np.arange(len(rows)), width)
    slot = ranges(starts[nodes][owner], width)  # a pair of the node with what is above it
    upper = keys[slot] % n
    kept = ~common[upper]
    row, slot, upper = row[kept], slot[kept], upper[kept]
    closed = within(keys, keys[rows][row] // n * n + upper)
    edges, at = np.unique(slot, return_inverse=True)
    often = np.bincount(at, weights=closed) / np.maximum(np.bincount(at), 1)
    order = np.argsort(nodes)
    own = order[np.searchsorted(nodes[order], keys[edges] // n)]
    most = np.zeros(len(nodes))
    np.maximum.at(most, own, often)
    told = often >= np.maximum(_WELL * most[own], _TELLING)
    number = np.bincount(own, weights=told, minlength=len(nodes))
    # where nothing is closed, all rows of an ancestor are drawn, if no more than those above it
    drawn = (most < _TELLING) & (np.bincount(own, minlength=len(nodes)) >= _FEWEST[1])
    drawn &= held[nodes] <= counts[nodes]
    used = (told[at] & (number[own[at]] >= _FEWEST[0])) | drawn[own[at]]
    asked = np.bincount(row[used], minlength=len(rows))
    held_by = np.bincount(row[used], weights=closed[used], minlength=len(rows))
    share = held_by[asked > 0] / asked[asked > 0]
    none, whole = np.count_nonzero(share <= _NONE), np.count_nonzero(share >= _ALL)
    return np.array([none, len(share) - none - whole, whole])
