"""The cause in which all rows of one clade are in the file twice."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics

from .called import called, clades
from .parts import is_

_FEWEST = 2  # rows of a clade
_NAMED = 3  # clades at once; more are chance, or something else
_FEW_NODES = 3  # of each of several
_SHARE = 0.99


@cause()
def doubled_clade(
    symptoms: Symptoms,
    graph: Graph,
    mapping: MappingStatistics,
    kept: KeptPairs,
    totals: PairState,
    truth: Truth | None = None,
) -> Explanation | None:
    """All rows of one clade are in the file twice.

    The rows that repeat others are those of the nodes of one clade, all of them.

    Why it matters:
    Drawn as rows, the pairs of the clade have twice the weight of all others, and pull the rest
    towards them.

    How to fix:
    Look for a shard or a division that was appended twice, then drop what is repeated:

        pairs = pairs.drop_duplicates(["ancestor_idx", "descendant_idx"])

    ``taxcheck fix`` keeps the first of each.

    Known exceptions:
    Rows that repeat others here and there are duplicate_pair without a cause.

    References:
    - pandas.DataFrame.drop_duplicates:
      https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.drop_duplicates.html
    """
    symptom = symptoms.get("duplicate_pair")
    if symptom is None or symptom.rows is None or len(symptom) < _FEWEST:
        return None
    ancestor, descendant = symptom.nodes
    n = graph.n
    again = np.bincount(descendant, minlength=n)
    rows = np.zeros(n, dtype=np.int64)
    within_clade = np.zeros(n, dtype=np.int64)
    marked = again > 0
    for batch in kept.batches():
        rows += np.bincount(batch.descendant, minlength=n)
        inner = marked[batch.descendant] & (marked[batch.ancestor])
        within_clade += np.bincount(batch.descendant[inner], minlength=n)
    nodes = np.flatnonzero(marked)
    whole = 2 * len(symptom) >= _SHARE * (rows.sum()) and len(nodes) > 1
    if whole and np.count_nonzero(2 * again == rows) < _SHARE * n:
        return None  # more often than twice, or some more often than others
    tops: list[int] = []
    if not whole:
        top = _top_of(graph, marked, ancestor, descendant, totals.as_ancestor)
        tops = _tops_of(graph, marked) if top is None else [top]
        if not tops:
            return None
        below = graph.below(np.array(tops))
        # every pair of the clade is repeated as often: those within it, or those above as well
        full = (again[nodes] >= rows[nodes] - again[nodes]).all()
        inner = below[ancestor] & below[descendant]
        if not full and not inner.all():
            return None
        if not full and not _repeats_within(kept, below, symptom.rows):
            return None
    who = ", ".join(called(mapping, top, truth) for top in tops) or "the whole file"
    those = clades(mapping, tops, truth) if tops else who
    return Explanation(
        message=f"{those} {is_(max(len(tops), 1))} in the pairs twice: "
        f"{plural(len(symptom), 'row')} are repeated",
        parameters={"clade": who, "rows": len(symptom)},
        free=max(len(tops), 1),
        mend=Mend(
            what="keep the first of rows that are repeated",
            why="a pair that is there already says nothing new",
            rows=symptom.rows,
            dropped=True,
        ),
    )


def _top_of(
    graph: Graph, marked: BoolArray, ancestor: IntArray, descendant: IntArray, below: IntArray
) -> int | None:
    """The node whose clade the marked nodes are, itself among them or not; None for no clade.

    It is above all others in the repeated rows, and of those the one with the fewest ``below``.
    """
    count = int(np.count_nonzero(marked))
    pairs = np.unique(ancestor * graph.n + descendant) // graph.n
    above = np.bincount(pairs, minlength=graph.n)
    candidates = np.flatnonzero(above == count - marked)
    candidates = candidates[above[candidates] > 0]
    if not len(candidates):
        return None
    top = int(candidates[np.argmin(below[candidates])])
    clade = graph.below(np.array([top]))
    whole = int(np.count_nonzero(clade)) - (not marked[top])
    return top if whole == count and (clade | ~marked).all() else None


def _tops_of(graph: Graph, marked: BoolArray) -> list[int]:
    """The nodes whose clades, with or without themselves, are the marked nodes; few, or none."""
    inner = marked[graph.children]
    above = np.bincount(graph.children[inner & marked[graph.parents]], minlength=graph.n)
    highest = marked & (above == 0)
    # a node all of whose children are highest ones is the top itself, without rows of its own
    of = np.bincount(graph.parents[highest[graph.children]], minlength=graph.n)
    children = np.bincount(graph.parents, minlength=graph.n)
    whole = (of == children) & (of > 1) & ~marked
    under = np.zeros(graph.n, dtype=bool)
    under[graph.children[whole[graph.parents]]] = True
    tops = np.r_[np.flatnonzero(whole), np.flatnonzero(highest & ~under)]
    if not 0 < len(tops) <= _NAMED or np.count_nonzero(marked) < _FEW_NODES * len(tops):
        return []
    clade = graph.below(tops)
    clade[np.flatnonzero(whole)] = False
    return [int(top) for top in tops] if np.array_equal(clade, marked) else []


def _repeats_within(kept: KeptPairs, clade: BoolArray, repeated: IntArray) -> bool:
    """Whether half of the rows with both ends in a clade are repetitions."""
    inside = again = 0
    for batch in kept.batches():
        chosen = clade[batch.ancestor] & clade[batch.descendant]
        inside += int(np.count_nonzero(chosen))
        again += int(np.count_nonzero(within(repeated, batch.rows[chosen])))
    return 2 * again >= _SHARE * inside
