"""Every row of the pairs held against the repaired hierarchy: kept, or left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.pairset import SlotSet
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import IntArray

Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class Account:
    """Counts of rows, and which pairs of the closure some row holds."""

    marks: SlotSet
    weights: Floats | None  # by slot; None: the pairs have none
    kept: int = 0  # rows that are the first of their pair
    repeated: int = 0
    reversed: int = 0  # the hierarchy holds the pair the other way round
    unheld: int = 0  # the hierarchy does not hold the pair
    homeless: int = 0  # rows on an idx that nobody owns any more
    deeper: int = 0  # farther apart than is meant
    moved: int = 0  # kept rows that state another distance


def account(
    spool: PairSpool,
    closure: Closure,
    old_to_new: IntArray,
    cap: int | None,
    own: Floats | None,
    *,
    counted: bool = False,
) -> Account:
    """Hold every row to the closure, by the new idx.

    ``own`` are the weights of the spooled rows; the first row of a pair gives its weight. Where
    they are ``counted``, the weight of a pair is the number of its rows.
    """
    weighted = counted or own is not None
    weights = np.ones(closure.expected, dtype=np.float32) if weighted else None
    book = Account(SlotSet(closure.expected), weights)
    if counted and weights is not None:
        weights[:] = 0
    for part, (ancestor, descendant, stated) in _batches(spool, old_to_new):
        gone = (ancestor < 0) | (descendant < 0)
        slot, distance = closure.find(np.maximum(ancestor, 0), np.maximum(descendant, 0))
        slot = np.where(gone, -1, slot)
        held = slot >= 0
        book.homeless += int(np.count_nonzero(gone))
        if not held.all():
            out = ~held & ~gone
            turned, _ = closure.find(descendant[out], ancestor[out])
            book.reversed += int(np.count_nonzero(turned >= 0))
            book.unheld += int(np.count_nonzero(turned < 0))
        if cap is not None:
            far = held & (distance > cap)
            book.deeper += int(np.count_nonzero(far))
            held &= ~far
        slot = slot[held]
        fresh = ~book.marks.contains(slot)
        if not (np.diff(slot) > 0).all():  # as taxcheck orders them, no batch repeats a pair
            once = np.zeros(len(slot), dtype=bool)
            once[np.unique(slot, return_index=True)[1]] = True
            fresh &= once
        if stated is not None:
            book.moved += int(np.count_nonzero(stated[held][fresh] != distance[held][fresh]))
        book.kept += int(np.count_nonzero(fresh))
        book.repeated += len(slot) - int(np.count_nonzero(fresh))
        book.marks.add(slot[fresh])
        if counted and weights is not None:
            np.add.at(weights, slot, 1)
        elif own is not None and weights is not None:
            weights[slot[fresh]] = own[part][held][fresh]
    if counted and weights is not None:
        weights[weights == 0] = 1
    return book


def _batches(
    spool: PairSpool, old_to_new: IntArray
) -> Iterator[tuple[slice, tuple[IntArray, IntArray, IntArray | None]]]:
    at = 0
    for batch in spool.batches():
        part = slice(at, at + len(batch.ancestor))
        yield part, (old_to_new[batch.ancestor], old_to_new[batch.descendant], batch.depth_diff)
        at = part.stop
