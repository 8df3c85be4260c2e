"""Causes in which rows were lost by where they stood in the file, or how often a node came."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.room import Room, Unasked
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.offenders import select
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import DepthStatistics, MappingStatistics, PairStatistics

from .distances import nearer_by_depth
from .lost import FROM_TAXONOMY, MISSING, NO_REPAIR, called, everything, follows, lost_pairs

_MOST = 30_000_000  # pairs whose order is looked at
_ROW_BYTES = 100  # that each of them takes meanwhile
_LACKING = {MISSING, "coverage_gap", "missing_ancestor_pair", "missing_parent"}
_GROUPS = 10  # nodes, of fewer no order can be told
_FEWEST = 20  # lost pairs, below which a pattern of positions may be chance
_SHARE = 0.99
_LONGEST = 1_000  # the largest k of every k-th row
_SOME = 4096
_ROUND = 10_000  # numbers of rows that somebody chose are multiples of it
_SAME_START = 0.9  # of the groups begin at the same place, where no count through them is meant
_REGULAR = 0.95  # of the lost rows whose place is known, where the order is a guess


@dataclass(frozen=True)
class Ordered:
    """The pairs as they stand in the file, (k,) each; ``distance`` None where there is none."""

    rows: IntArray
    ancestor: IntArray
    descendant: IntArray
    distance: IntArray | None
    n: int

    @classmethod
    def of(
        cls, kept: KeptPairs, totals: PairState, symptoms: Symptoms, room: Room
    ) -> Ordered | None:
        """Without rows that repeat others; None where there are none.

        Unasked where rows may be lost, and there are too many to be looked at whole.
        """
        if not len(kept):
            return None
        try:
            room.look(len(kept), _ROW_BYTES, _MOST)
        except Unasked:
            if _LACKING & {*symptoms}:
                raise
            return None
        again = symptoms.get("duplicate_pair")
        batches = [*kept.batches()]
        if again is not None and again.rows is not None:
            repeated = again.rows
            batches = [select(b, ~within(repeated, b.rows)) for b in batches]
        distances = [b.depth_diff for b in batches if b.depth_diff is not None]
        return cls(
            np.concatenate([b.rows for b in batches]),
            np.concatenate([b.ancestor for b in batches]),
            np.concatenate([b.descendant for b in batches]),
            np.concatenate(distances) if len(distances) == len(batches) else None,
            totals.origin.n,
        )

    @cached_property
    def groups(self) -> tuple[str, IntArray] | None:
        """By which end the rows stand together, and the rank of each node's group, (n,), -1 none.

        None where the nodes' rows are scattered.
        """
        for end, column in (("descendant", self.descendant), ("ancestor", self.ancestor)):
            heads = column[_starts(column)]
            rank = np.full(self.n, -1, dtype=np.int64)
            rank[heads] = np.arange(len(heads))
            together = bool((rank[heads] == np.arange(len(heads))).all())
            if together and _GROUPS <= len(heads) < len(column):
                return end, rank
        return None

    @property
    def starts(self) -> tuple[IntArray, IntArray]:
        """(position of the first row, node) of each group, (g,); there are ``groups``."""
        assert self.groups is not None
        column = self.descendant if self.groups[0] == "descendant" else self.ancestor
        starts = _starts(column)
        return starts, column[starts]


def _starts(column: IntArray) -> IntArray:
    return np.flatnonzero(np.r_[True, column[1:] != column[:-1]])


def _limit(rows: int) -> bool:
    """Whether tools stop at a number of rows: a spreadsheet, a buffer, a row group, a round one."""
    spreadsheet = rows + 1 in (1 << 16, 1 << 20)  # its first row is the header
    return (
        spreadsheet
        or (rows >= 1 << 10 and (rows & (rows - 1) == 0 or rows % _ROUND == 0))
        or (rows >= 1 << 16 and rows % (1 << 16) == 0)
    )


@cause(loss=True)
def truncated_rows(
    kept: KeptPairs,
    totals: PairState,
    symptoms: Symptoms,
    mapping: MappingStatistics,
    pairs: PairStatistics,
    room: Room,
    truth: Truth | None = None,
) -> Explanation | None:
    """The file of pairs was cut: what comes after a row is missing.

    The rows of each node stand together. Up to the last node all of them are there, of the last
    node some, and of all others none; or the file ends at a number of rows at which tools stop.

    Why it matters:
    What was cut off is whatever came last: by order of identifier the youngest taxa, by order of
    depth the most distant pairs. Nothing in the rows that are left is wrong, so that a loss curve
    shows nothing.

    How to fix:
    Write the file again and compare the number of rows on both sides. Spreadsheets end at row
    65,536 or 1,048,576; a copy that is interrupted, a full disk or a missing last row group cut
    anywhere.

    Known exceptions:
    Where rows are shuffled, only a number of rows at which tools stop can tell a cut from rows
    that were lost at random. A cut that falls exactly between two nodes leaves no trace without a
    taxonomy.

    References:
    - Excel specifications and limits: https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
    """
    if not (MISSING in symptoms or {"coverage_gap", "missing_ancestor_pair"} & {*symptoms}):
        return None
    rows = totals.rows
    at_limit = _limit(rows)
    ordered = Ordered.of(kept, totals, symptoms, room)
    if ordered is None:
        return None
    cut = _cut(ordered, symptoms, pairs, mapping, truth)
    if cut is None and not at_limit:
        return None
    said = f"the file of pairs was cut after {plural(rows, 'row')}"
    if cut is not None:
        last, explains = cut
        said += f": of {last} some rows are there, of what comes after it none"
    else:
        explains = (
            everything(symptoms)
            if truth is None or MISSING not in symptoms
            else follows(truth, symptoms, np.ones(len(symptoms[MISSING]), dtype=bool))
        )
        said += ", a number at which tools stop"
    return Explanation(
        message=said,
        explains=explains,
        parameters={"rows": rows},
        why_not=NO_REPAIR if truth is None else FROM_TAXONOMY,
    )


def _cut(
    ordered: Ordered,
    symptoms: Symptoms,
    pairs: PairStatistics,
    mapping: MappingStatistics,
    truth: Truth | None,
) -> tuple[str, dict[str, BoolArray | bool]] | None:
    """(the last group, what follows), where the last of all groups is cut."""
    deep = _cut_by_distance(ordered, symptoms, truth)
    if deep is not None or ordered.groups is None:
        return deep
    end, rank = ordered.groups
    column = ordered.descendant if end == "descendant" else ordered.ancestor
    last = int(column[-1])
    place = ("ancestor", "descendant").index(end)
    said = f"{called(mapping, last)}, the last {end},"
    if truth is not None and (found := lost_pairs(symptoms)) is not None:
        head = found[place]
        after = (rank[head] < 0) | (head == last)
        partial = bool((head == last).any())
        beyond = _beyond(ordered, column)
        if not partial or np.count_nonzero(after) < _FEWEST:
            return None
        if beyond is not None:
            after &= beyond[head] | (head == last)
        elif np.count_nonzero(after) < _SHARE * len(after):
            return None  # in no order that can be followed, nodes may be gone from anywhere
        return said, follows(truth, symptoms, after)
    explains = _cut_by_itself(ordered, symptoms, pairs, column, end)
    return None if explains is None else (said, explains)


def _cut_by_distance(
    ordered: Ordered, symptoms: Symptoms, truth: Truth | None
) -> tuple[str, dict[str, BoolArray | bool]] | None:
    """The same where the rows stand by their distance, and the last one is not complete."""
    stated = ordered.distance
    if stated is None or stated[0] == stated[-1] or (np.diff(stated) < 0).any():
        return None
    last = int(stated[-1])
    if truth is not None and (found := lost_pairs(symptoms)) is not None:
        distance = truth.depth[found[1]] - truth.depth[found[0]]
    elif "missing_ancestor_pair" in symptoms:
        column = symptoms["missing_ancestor_pair"].column("distance")
        if column is None:
            return None
        distance = column.astype(np.int64)
    else:
        return None
    after = distance >= last
    if not (distance == last).any() or np.count_nonzero(after) < _FEWEST:
        return None
    said = f"the pairs at distance {last}"
    if truth is not None and MISSING in symptoms:
        return said, follows(truth, symptoms, after)
    return said, {"missing_ancestor_pair": after}


def _beyond(ordered: Ordered, column: IntArray) -> BoolArray | None:
    """Nodes that come after the last one, (n,), where the groups are in the order of the idx."""
    steps = np.diff(column)
    nodes, last = np.arange(ordered.n), column[-1]
    if (steps >= 0).all():
        return np.asarray(nodes > last)
    return np.asarray(nodes < last) if (steps <= 0).all() else None


def _cut_by_itself(
    ordered: Ordered,
    symptoms: Symptoms,
    pairs: PairStatistics,
    column: IntArray,
    end: str,
) -> dict[str, BoolArray | bool] | None:
    """The same without a taxonomy: groups in the order of the idx, none after the last."""
    beyond, last = _beyond(ordered, column), int(column[-1])
    if beyond is None:
        return None
    place = ("ancestor", "descendant").index(end)
    counts = pairs.as_descendant if end == "descendant" else pairs.as_ancestor
    counts = counts[: ordered.n]
    before = ~beyond
    share = float(np.count_nonzero(counts[before])) / max(int(np.count_nonzero(before)), 1)
    after = int(np.count_nonzero(beyond))
    if share * after < _FEWEST:  # nodes that ought to have rows after the last one
        return None
    cut = False
    for name, at in (("missing_ancestor_pair", place), ("missing_parent", 0)):
        if name in symptoms:
            cut |= bool((symptoms[name].nodes[at] == last).any())
    if not cut and end == "descendant":
        return None
    explains = everything(symptoms)
    if "missing_ancestor_pair" in symptoms:
        heads = symptoms["missing_ancestor_pair"].nodes[place]
        after_it = beyond[heads] | (heads == last)
        if np.count_nonzero(~after_it) > (1 - _SHARE) * len(column):
            return None  # many are missing before it as well
        explains["missing_ancestor_pair"] = after_it
    if "coverage_gap" in symptoms:
        nodes = symptoms["coverage_gap"].nodes[0]
        gap = beyond[nodes] | (end == "ancestor")
        # a root all of whose children come later has no pair left
        explains["coverage_gap"] = gap | (np.count_nonzero(~gap) <= 1)
    return explains


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
    if longest.sum() > 2 * _MOST:
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


@cause(loss=True)
def one_row_per_node(
    pairs: PairStatistics,
    symptoms: Symptoms,
    totals: PairState,
    depth: DepthStatistics | None = None,
    truth: Truth | None = None,
) -> Explanation | None:
    """Of each node only one row was kept, as descendant or as ancestor.

    No node is the descendant, or none the ancestor, of more than one pair.

    Why it matters:
    A hierarchy is told by the whole chain above each node. With one pair of each, a node is tied to
    a single ancestor, mostly the root, or the one that came first in the file.

    How to fix:
    Look for a step that keeps one row of each key, and let its key be both columns:

        pairs = pairs.drop_duplicates(["ancestor_idx", "descendant_idx"])

    A dictionary by node, ``dict(zip(child, parent))``, does the same.

    Known exceptions:
    Where the row that is kept is the one of the parent, the pairs are those of a closure to depth 1
    (depth_capped). Only the depths of the nodes may tell: where they are less than the chains of
    parents make them, nodes had other parents, nearer to a root.

    References:
    - pandas.DataFrame.drop_duplicates, subset:
      https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.drop_duplicates.html
    """
    for end, counts in (("descendant", pairs.as_descendant), ("ancestor", pairs.as_ancestor)):
        used = int(np.count_nonzero(counts))
        if used < 2 or counts.max(initial=0) != 1:
            continue
        nearer = end == "descendant" and truth is None and nearer_by_depth(symptoms, totals)
        if end == "descendant" and not nearer and _edges(depth, symptoms, truth):
            return None
        explains = (
            follows(truth, symptoms, np.ones(len(symptoms[MISSING]), dtype=bool))
            if truth is not None and MISSING in symptoms
            else everything(symptoms)
        )
        if nearer:
            explains["depth_mismatch"] = np.ones(len(symptoms["depth_mismatch"]), dtype=bool)
        likely = nearer and _edges(depth, symptoms, truth)
        lost = NO_REPAIR if truth is None else FROM_TAXONOMY
        return Explanation(
            message=f"of each {end} only one row was kept: {plural(used, end)}, as many rows",
            explains=explains,
            parameters={"of each": end},
            free=0,
            guess=likely,
            why_not="the pairs, built again, or `taxonomy`" if likely else lost,
        )
    return None


def _edges(depth: DepthStatistics | None, symptoms: Symptoms, truth: Truth | None) -> bool:
    """Whether all pairs are those of parents, or nothing says that they are not."""
    if depth is not None:
        return bool(depth.depths.tolist() == [1])
    if truth is None or (found := lost_pairs(symptoms)) is None:
        return True
    return not (truth.parent[found[1]] == found[0]).any()
