"""The cause in which rows were lost at regular distances in the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.room import Room
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth

from .lost import FROM_TAXONOMY, MISSING, NO_REPAIR, everything, follows, lost_pairs
from .ordered import MOST, Ordered

_FEWEST = 20  # lost pairs, below which a pattern of positions may be chance
_SHARE = 0.99
_LONGEST = 1_000  # the largest k of every k-th row
_SOME = 4096
_SAME_START = 0.9  # of the groups begin at the same place, where no count through them is meant
_REGULAR = 0.95  # of the lost rows whose place is known, where the order is a guess


@cause(loss=True)
def every_kth_row(
    kept: KeptPairs,
    totals: PairState,
    symptoms: Symptoms,
    graph: Graph,
    room: Room,
    truth: Truth | None = None,
) -> Explanation | None:
    """Rows at regular distances are missing: every second, every tenth.

    Put back where they belong by the order of the file, the missing pairs stand at every k-th row.

    Why it matters:
    A fixed share of the pairs of every node is gone, parents among them, and all chains above them
    are broken. Spread so evenly, it changes no statistic of the whole by much.

    How to fix:
    Look for a step that takes rows by their number: a worker of several that failed, a slice
    (``[::2]``), or a reader that skips the first row of every block. Then build the pairs again.

    Known exceptions:
    The rows of each node have to stand together, in an order of distances or idx that can be
    followed.

    References:
    - torch.utils.data.IterableDataset, how rows are divided among workers:
      https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset
    """
    ordered = Ordered.of(kept, totals, symptoms, room)
    if ordered is None or ordered.groups is None:
        return None
    lost = _lost_rows(ordered, symptoms, graph, truth)
    best: tuple[int, bool, IntArray] | None = None
    for there, mine in lost.orders:
        places = _places(ordered, lost.heads, there, mine)
        if places is None:
            continue
        before, known = places
        found = _period(before, len(ordered.rows), lost.exact)
        if found is None and lost.exact:
            found = _runs(ordered, before, lost.heads[known])
        if found is None:
            continue
        k, of_lost, regular = found
        if best is None or len(regular) > len(best[2]):
            best = k, of_lost, known[regular]
    if best is None:
        return None
    k, of_lost, regular = best
    rows = f"every {_nth(k)} row"
    return Explanation(
        message=f"{rows} of the pairs is lost" if of_lost else f"only {rows} of the pairs is there",
        explains=lost.explained(regular),
        parameters={"k": k},
        free=2,
        why_not=NO_REPAIR if truth is None else FROM_TAXONOMY,
    )


@dataclass(frozen=True)
class _LostRows:
    """Rows that are known to be lost: the node whose group they belong to, and their order in it.

    ``orders`` are (of the rows that are there, of the lost ones), in every way in which the rows
    of a group may be sorted.
    """

    heads: IntArray
    orders: tuple[tuple[IntArray, IntArray], ...]
    symptoms: Symptoms
    truth: Truth | None
    name: str | None  # the symptom that they are

    @property
    def exact(self) -> bool:
        """Whether the order of the ancestors of a node is known, and not guessed from the rest."""
        return self.name != "missing_ancestor_pair"

    def explained(self, regular: IntArray) -> dict[str, BoolArray | bool]:
        """What follows from those that stand at regular places."""
        explains = everything(self.symptoms)
        if self.truth is None or self.name != MISSING:
            return explains  # those without a known place are lost no other way
        chosen = np.zeros(len(self.heads), dtype=bool)
        chosen[regular] = True
        # of a node without any row no place is known; where they are few they follow
        if np.count_nonzero(chosen) >= _SHARE * len(chosen):
            chosen[:] = True
        return follows(self.truth, self.symptoms, chosen)


def _lost_rows(
    ordered: Ordered, symptoms: Symptoms, graph: Graph, truth: Truth | None
) -> _LostRows:
    """By the taxonomy, else by gaps in the distances of each node, else by the pairs' closure."""
    assert ordered.groups is not None
    end = ordered.groups[0]
    below = end == "descendant"
    name = "missing_ancestor_pair"
    if truth is not None and (found := lost_pairs(symptoms)) is not None:
        a, d = found
        level, name = truth.depth, MISSING
    else:
        gaps = _gaps(ordered) if below else None
        if gaps is not None:
            assert ordered.distance is not None
            heads, distance = gaps
            return _LostRows(heads, _both(ordered.distance, distance), symptoms, None, None)
        if name not in symptoms:
            return _LostRows(np.empty(0, np.int64), (), symptoms, None, None)
        a, d = symptoms[name].nodes
        level = _levels(graph)
    heads, there, mine = (d, ordered.ancestor, a) if below else (a, ordered.descendant, d)
    orders = [*_both(level[there], level[mine]), *_both(there, mine)]
    apart = symptoms[name].column("distance")
    if apart is not None and ordered.distance is not None:
        n = ordered.n
        orders += _both(ordered.distance * n + there, apart.astype(np.int64) * n + mine)
    return _LostRows(
        heads,
        tuple(orders),
        symptoms,
        truth,
        name,
    )


def _both(there: IntArray, mine: IntArray) -> tuple[tuple[IntArray, IntArray], ...]:
    return (there, mine), (-there, -mine)


def _gaps(ordered: Ordered) -> tuple[IntArray, IntArray] | None:
    """(node, distance) of every distance that a node lacks below its largest, in a tree.

    None where nodes have several ancestors at one distance, or nothing is lacking.
    """
    if ordered.distance is None or (ordered.distance < 1).any():
        return None
    d, distance = ordered.descendant, ordered.distance
    longest = np.zeros(ordered.n, dtype=np.int64)
    np.maximum.at(longest, d, distance)
    if longest.sum() > 2 * MOST:
        return None
    first = np.cumsum(longest) - longest
    taken = np.zeros(int(longest.sum()), dtype=bool)
    slots = first[d] + distance - 1
    taken[slots] = True
    if np.count_nonzero(taken) < _SHARE * len(slots):
        return None
    lost = np.flatnonzero(~taken)
    if len(lost) < _FEWEST:
        return None
    node = np.repeat(np.arange(ordered.n), longest)[lost]
    return node, lost - first[node] + 1


def _levels(graph: Graph) -> IntArray:
    """The longest chain above each node, (n,); on cycles it is cut short."""
    level = np.zeros(graph.n, dtype=np.int64)
    for _ in range(_LONGEST):
        higher = level.copy()
        np.maximum.at(higher, graph.children, level[graph.parents] + 1)
        if (higher == level).all():
            break
        level = higher
    return level


def _nth(k: int) -> str:
    words = {2: "second", 3: "third", 4: "fourth", 5: "fifth", 10: "tenth", 100: "hundredth"}
    ending = "th" if 10 < k % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return words.get(k, f"{k:,}{ending}")


def _places(
    ordered: Ordered, heads: IntArray, there: IntArray, mine: IntArray
) -> tuple[IntArray, IntArray] | None:
    """(rows of the file before each lost row, which of the lost have a place), (k,) each.

    None where the rows of the groups do not stand in this order.
    """
    assert ordered.groups is not None
    if not len(mine):
        return None
    end, rank = ordered.groups
    groups = ordered.descendant if end == "descendant" else ordered.ancestor
    known = np.flatnonzero(rank[heads] >= 0)
    low = min(int(there.min()), int(mine.min()))
    width = max(int(there.max()), int(mine.max())) - low + 1
    keys = rank[groups] * width + (there - low)
    falls = np.flatnonzero(np.diff(keys) < 0)
    unsorted = np.zeros(ordered.n, dtype=bool)
    unsorted[groups[falls]] = True  # between two groups keys only rise
    if 2 * np.count_nonzero(unsorted) > np.count_nonzero(rank >= 0):
        return None
    known = known[~unsorted[heads[known]]]
    before = np.searchsorted(
        np.maximum.accumulate(keys), rank[heads[known]] * width + (mine[known] - low)
    )
    rows = np.r_[ordered.rows, ordered.rows[-1] + 1] - ordered.rows[0]
    return rows[before], known


def _period(before: IntArray, rows: int, exact: bool) -> tuple[int, bool, IntArray] | None:
    """(k, whether every k-th is lost or else all others, which of the lost stand so).

    ``before`` counts the rows that are left before each lost one.
    """
    if len(before) < _FEWEST:
        return None
    wanted = _SHARE if exact else _REGULAR
    some = before
    if len(before) > _SOME:  # a period that few of them show is not worth the look at all
        some = before[np.random.default_rng(0).integers(0, len(before), _SOME)]
    for period in range(min(_LONGEST, rows // _FEWEST), 1, -1):
        if np.bincount(some % period).max() < (wanted - 0.1) * len(some):
            continue
        rest = before % period
        regular = np.flatnonzero(rest == int(np.bincount(rest).argmax()))
        alone = len(np.unique(before[regular]))  # at a place where one row is lost, no more
        if min(len(regular), alone) >= wanted * len(before):
            return period + 1, True, regular
    return None


def _runs(ordered: Ordered, before: IntArray, heads: IntArray) -> tuple[int, bool, IntArray] | None:
    """The same where as many rows are lost as are left, or more: all but every k-th.

    Between two rows of one group k - 1 are lost then. A filter on levels may leave such gaps too,
    but it begins at the same place in every group, where a count through the file begins at any.
    """
    starts, group = ordered.starts
    rows = ordered.rows[-1] + 1 - ordered.rows[0]
    counts = np.bincount(before, minlength=rows + 1)[ordered.rows - ordered.rows[0]]
    inner = np.ones(len(counts), dtype=bool)
    inner[starts] = False
    if np.count_nonzero(inner) < _FEWEST:
        return None
    gaps = np.bincount(counts[inner])
    gap = int(gaps.argmax())
    if gap < 1 or gaps[gap] < _SHARE * gaps.sum():
        return None
    first = np.full(ordered.n, -1, dtype=np.int64)
    first[group] = ordered.rows[starts] - ordered.rows[0]
    at_start = heads[before == first[heads]]
    led = np.bincount(at_start, minlength=ordered.n)[group]  # lost before the first of each group
    begun = np.bincount(led, minlength=gap + 1)
    if begun[gap + 1 :].sum() > (1 - _SHARE) * len(led) or begun.max() > _SAME_START * len(led):
        return None
    return gap + 1, gap == 1, np.arange(len(before))
