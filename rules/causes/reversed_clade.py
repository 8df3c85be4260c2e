"""The cause in which the rows of one clade are turned round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from taxcheck.model.arrays import Int32Array, IntArray
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics

from .called import called, clades
from .depth_columns import stated_by
from .parts import is_

_FEWEST = 2  # rows of a clade
_NAMED = 3  # clades at once; more are chance, or something else
_SHARE = 0.99
_MOST = 30_000_000  # pairs that are looked at whole
_ROW_BYTES = 150  # that each of them takes meanwhile


@cause()
def reversed_clade(
    found: Mapping[str, RuleResult],
    symptoms: Symptoms,
    graph: Graph,
    mapping: MappingStatistics,
    kept: KeptPairs,
    totals: PairState,
    room: Room,
    truth: Truth | None = None,
) -> Explanation | None:
    """In the rows of one clade ancestor and descendant are exchanged.

    With the ends of these rows exchanged again, the clade hangs where it belongs and nothing
    contradicts it any more.

    Why it matters:
    The clade is learned upside down: its leaves go to the centre and its root to the rim. Counts,
    coverage and the loss look as usual.

    How to fix:
    Exchange the columns in the part that the clade came from; ``taxcheck fix`` does so in its rows.
    Mostly one source of several has (child, parent) where the others have (parent, child).

    Known exceptions:
    A chain without branches is the same from both ends. Where all rows are turned round the columns
    were exchanged: swapped_pair_columns.

    References:
    - Nickel & Kiela 2017, the direction of the relation: https://arxiv.org/abs/1705.08039
    """
    if "swapped_pair_columns" in found:
        return None
    if not {"several_parents", "cycle", "false_ancestor_pair", "disagrees_with_taxonomy"} & {
        *symptoms
    }:
        return None
    for rows, nodes, tops in _turned(symptoms, graph, kept, totals, room, truth):
        if len(rows) < _FEWEST:
            continue
        who = ", ".join(called(mapping, top, truth) for top in tops)
        those = clades(mapping, tops, truth)
        return Explanation(
            message=f"{those} {is_(len(tops))} turned round: ancestor and "
            f"descendant are exchanged in {plural(len(rows), 'row')} of {plural(nodes, 'node')}",
            explains=stated_by(symptoms, rows),
            parameters={
                "clade": who,
                "nodes": nodes,
                "rows": len(rows),
            },
            free=len(tops),
            mend=Mend(
                what=f"exchange ancestor and descendant in the rows of {those}",
                why="turned back, the clade contradicts nothing",
                rows=rows,
                exchanged=True,
            ),
        )
    return None


def _turned(
    symptoms: Symptoms,
    graph: Graph,
    kept: KeptPairs,
    totals: PairState,
    room: Room,
    truth: Truth | None,
) -> Iterator[tuple[IntArray, int, list[int]]]:
    """(rows, nodes, tops) of clades whose rows are turned round, by the strongest evidence."""
    if truth is not None:
        found = _turned_by_truth(symptoms, truth)
        if found is not None:
            yield found
        return
    if not len(kept):
        return
    room.look(len(kept), _ROW_BYTES, _MOST)
    batches = [*kept.batches()]
    rows = np.concatenate([b.rows for b in batches])
    ancestor = np.concatenate([b.ancestor for b in batches])
    descendant = np.concatenate([b.descendant for b in batches])
    if totals.depth is not None and all(b.depth_diff is not None for b in batches):
        distance = np.concatenate([b.depth_diff for b in batches if b.depth_diff is not None])
        one = _turned_by_distance(graph, rows, ancestor, descendant, distance)
        if one is not None:
            yield (*one[:2], [one[2]])
            return
    for look in (_turned_by_shape, _turned_above):
        one = look(graph, rows, ancestor, descendant)
        if one is not None:
            yield (*one[:2], [one[2]])
            return


def _turned_by_truth(symptoms: Symptoms, truth: Truth) -> tuple[IntArray, int, list[int]] | None:
    symptom = symptoms.get("disagrees_with_taxonomy")
    if symptom is None or symptom.rows is None:
        return None
    turned = symptom.because("reversed")
    if 2 * np.count_nonzero(turned) < len(symptom):
        return None
    marked = np.zeros(len(truth.position), dtype=bool)
    marked[symptom.nodes[0][turned]] = True  # descendants, in truth
    highest = np.flatnonzero(marked & ((truth.parent < 0) | ~marked[truth.parent]))
    tops: list[int] = []
    for top in np.unique(np.where(truth.parent[highest] >= 0, truth.parent[highest], highest)):
        children = highest[truth.parent[highest] == top]
        if truth.inside(marked)[top] >= _SHARE * truth.below[top]:
            tops.append(int(top))
        else:
            tops += [int(child) for child in children]
    if not 0 < len(tops) <= _NAMED:
        return None
    clade = np.logical_or.reduce([truth.clade(top) for top in tops])
    if np.count_nonzero(marked) < _SHARE * (np.count_nonzero(clade) - len(tops)):
        return None
    return symptom.rows[turned], int(np.count_nonzero(clade)), tops


def _turned_by_distance(
    graph: Graph,
    rows: IntArray,
    ancestor: IntArray,
    descendant: IntArray,
    distance: IntArray,
) -> tuple[IntArray, int, int] | None:
    """By depths below the node that most rows name, which a root does with all of its nodes."""
    n = graph.n
    depth = np.full(n, -1, dtype=np.int64)
    label = _parts(ancestor, descendant, n)
    uses = np.bincount(ancestor, minlength=n) + np.bincount(descendant, minlength=n)
    order = np.lexsort((np.arange(n), -uses))
    hubs = order[np.unique(label[order], return_index=True)[1]]
    is_hub = np.zeros(n, dtype=bool)
    is_hub[hubs] = True
    depth[hubs] = 0
    for ours, others in ((ancestor, descendant), (descendant, ancestor)):
        near = is_hub[ours]
        depth[others[near]] = distance[near]
    known = (depth[ancestor] >= 0) & (depth[descendant] >= 0)
    step = depth[descendant] - depth[ancestor]
    turned = known & (step == -distance)
    fits = known & (step == distance)
    count = int(np.count_nonzero(turned))
    if not count or np.count_nonzero(turned | fits) < 0.9 * len(rows) or 2 * count >= len(rows):
        return None
    nodes = np.unique(ancestor[turned])  # descendants, in truth
    upper = np.unique(descendant[turned])
    both = np.intersect1d(nodes, upper)
    within_ = np.union1d(nodes, both)
    lowest = upper if not np.isin(hubs, upper).any() else nodes
    top = int(lowest[np.argmin(depth[lowest])])
    # of one clade: what is turned lies below its top, all of it
    members = np.union1d(within_, [top])
    inside = np.zeros(n, dtype=bool)
    inside[members] = True
    own = inside[ancestor] & inside[descendant]
    if np.count_nonzero(turned & own) < _SHARE * np.count_nonzero(own):
        return None
    return rows[turned], len(members), top


def _parts(ancestor: IntArray, descendant: IntArray, n: int) -> Int32Array:
    from taxcheck.statistics.hierarchy.graph import connected

    return connected(ancestor, descendant, n, "weak")


def _turned_by_shape(
    graph: Graph, rows: IntArray, ancestor: IntArray, descendant: IntArray
) -> tuple[IntArray, int, int] | None:
    """Without distances: a part of the graph that is a tree only from the other end.

    In a clade that was turned round nodes have several parents, which have no other child there,
    and one of them has no child at all: its top.
    """
    several = np.flatnonzero(graph.parent_counts > 1)
    if not len(several) or len(graph.cycles()[0]):
        return None
    n = graph.n
    marked = np.zeros(n, dtype=bool)
    marked[several] = True
    above = np.bincount(ancestor[marked[descendant]], minlength=n)
    common = above >= len(several)  # above all of them: the chain that the clade hangs from
    free = ~common[graph.parents] & ~common[graph.children]
    label = _parts(graph.parents[free], graph.children[free], n)
    part = np.unique(label[several])
    if len(part) != 1:
        return None
    inside = (label == part[0]) & ~common
    edges = inside[graph.parents] & inside[graph.children]
    if np.bincount(graph.parents[edges], minlength=n).max(initial=0) > 1:
        return None
    has_child = np.zeros(n, dtype=bool)
    has_child[graph.parents[edges]] = True
    tops = np.flatnonzero(inside & ~has_child)
    if len(tops) != 1:
        return None
    turned = inside[ancestor] & inside[descendant]
    return rows[turned], int(np.count_nonzero(inside)), int(tops[0])


def _turned_above(
    graph: Graph, rows: IntArray, ancestor: IntArray, descendant: IntArray
) -> tuple[IntArray, int, int] | None:
    """Without distances: a clade that is turned round against all that is above it.

    The root, which all nodes are related to, then has the clade above itself.
    """
    n = graph.n
    above, below = (np.bincount(ends, minlength=n) for ends in (descendant, ancestor))
    root = int(np.argmax(above + below))
    clade = np.zeros(n, dtype=bool)
    clade[ancestor[descendant == root]] = True
    count = int(np.count_nonzero(clade))
    if not 1 < count < np.count_nonzero(graph.present) / 2:
        return None
    turned = clade[ancestor]
    if (clade[descendant] & ~turned).any():
        return None  # a node of the clade is below one that is not in it
    inner = turned & clade[descendant]
    lower = np.bincount(descendant[inner], minlength=n)
    top = int(np.argmax(np.where(clade, lower, -1)))
    return rows[turned], count, top
