"""What the graph of the depth-1 pairs is: tree or DAG, its roots, cycles and gaps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Defect, Sample
from taxcheck.statistics.hierarchy.closure import Closure
from taxcheck.statistics.hierarchy.dag import GraphClosure
from taxcheck.statistics.hierarchy.edges import Edges
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.kind import Likeness
from taxcheck.statistics.offenders import SAMPLES, Sink, node_samples, of_nodes
from taxcheck.statistics.values import HierarchyStatistics

_BLOCK = 1 << 22
_SPARSE = 32  # counting into all n nodes beats sorting where more than n / 32 take part
_LARGEST_WALK = 1_000_000_000  # pairs of a forest, of which only nodes are walked
_LARGEST_DAG_WALK = 80_000_000


def hierarchy_statistics(
    edges: Edges,
    is_descendant: BoolArray,
    likeness: Likeness,
    sink: Sink | None = None,
    tried: bool = False,
) -> HierarchyStatistics:
    """Describe the graph; ``is_descendant`` (n,) marks nodes that some pair calls a descendant.

    Of what is only ``tried`` nobody asks the false negative risk, for which a DAG is walked.
    """
    graph, closure = edges.graph, edges.closure
    whole = graph.acyclic is graph and not len(closure.beyond)
    several = np.flatnonzero(graph.parent_counts > 1)
    with_parent = int(np.count_nonzero(graph.parent_counts))
    present = int(np.count_nonzero(graph.present))
    has_child = np.zeros(graph.n, dtype=bool)
    has_child[graph.parents] = True
    orphans = np.flatnonzero(is_descendant & (graph.parent_counts == 0))
    on_cycle, cycle = graph.cycles()
    tree, sizes = graph.components()
    if sink:
        sink(of_nodes("cycle", on_cycle))
        sink(of_nodes("several_parents", several, parents=graph.parent_counts[several]))
        sink(of_nodes("missing_parent", orphans))
        if len(graph.roots) > 1:
            sink(of_nodes("several_roots", graph.roots))
    return HierarchyStatistics(
        kind=likeness.kind,
        kind_reason=likeness.reason,
        edges_from=edges.source,
        flat=edges.flat,
        beyond=likeness.beyond,
        nodes=present,
        edges=len(graph.parents),
        leaves=int(np.count_nonzero(graph.present & ~has_child)),
        cycles=Defect(len(on_cycle), present, node_samples(cycle)),
        several_parents=Defect(len(several), with_parent, _with_parents(graph, several)),
        roots=Defect(len(graph.roots), present, _roots(graph, sizes[tree])),
        components=len(sizes),
        component_sizes=tuple(int(size) for size in np.sort(sizes)[::-1][:10]),
        missing_parent=Defect(
            len(orphans), int(np.count_nonzero(is_descendant)), node_samples(orphans)
        ),
        max_depth=_deepest(graph, closure),
        reversed_is_tree=bool(
            len(several)
            and not len(on_cycle)
            and np.bincount(graph.parents, minlength=1).max(initial=0) <= 1
        ),
        closure_depths=closure.depths if whole else None,
        root_idx=graph.roots,
        false_negative_risk=None
        if tried or len(closure.beyond)
        else false_negative_risk(graph, closure),
    )


def _deepest(graph: Graph, closure: Closure) -> int:
    """The largest depth; without a list of all where there is another way."""
    if isinstance(closure, GraphClosure) and graph.acyclic is graph:
        return closure.deepest()
    depths = graph.depths if graph.forest is None else graph.forest.depth
    return int(depths.max(initial=0))


def _with_parents(graph: Graph, several: IntArray) -> tuple[Sample, ...]:
    samples = []
    for node in several[:SAMPLES]:
        parents = graph.parents_of.expand(np.array([node]))[1]
        text = ", ".join(str(int(p)) for p in parents[:5]) + (" ..." if len(parents) > 5 else "")
        samples.append(Sample(values={"idx": int(node), "parent_idx": text}, node=int(node)))
    return tuple(samples)


def _roots(graph: Graph, sized: IntArray) -> tuple[Sample, ...]:
    """Roots of the largest components first; ``sized`` (roots,) are the nodes of each one's."""
    order = np.lexsort((graph.roots, -sized))[:SAMPLES]
    return node_samples(graph.roots[order], tree_nodes=sized[order])


def false_negative_risk(graph: Graph, closure: Closure) -> float | None:
    """How much of the same-depth pool truly descends from the anchor, averaged over the closure.

    For a pair (a, d) a same-depth sampler draws negatives from the nodes at d's depth other than
    d; those that descend from a are false. With m(a, L) descendants of a at depth L and N(L)
    nodes there, the mean over all pairs is sum of m (m - 1) / (N - 1), over the number of pairs.
    None where there is no pair or no depth, or the closure is too large to walk.
    """
    largest = _LARGEST_WALK if graph.forest is not None else _LARGEST_DAG_WALK
    if not 0 < closure.expected <= largest:
        return None
    if graph.forest is not None:
        pool = np.bincount(graph.forest.depth[graph.present])
        return _forest_risk(graph.forest, pool, graph.present) / closure.expected
    pool = np.bincount(graph.depths[graph.depths >= 0])
    if not len(pool):
        return None  # everything hangs from a cycle
    width = len(pool)
    groups: IntArray = np.empty(0, np.int64)
    below: npt.NDArray[np.float64] = np.empty(0)
    for start in range(0, closure.size, _BLOCK):
        slots = np.arange(start, min(start + _BLOCK, closure.size))
        ancestor, descendant, distance = closure.pairs(slots)
        depth = np.where(distance > 0, graph.depths[descendant], -1)
        more, counts = np.unique((ancestor * width + depth)[depth >= 0], return_counts=True)
        groups, at = np.unique(np.r_[groups, more], return_inverse=True)
        below = np.bincount(at, weights=np.r_[below, counts]).astype(np.float64)
    others = np.maximum(pool[groups % width] - 1, 1)
    return float((below * (below - 1) / others).sum() / closure.expected)


def _forest_risk(forest: Forest, pool: IntArray, present: BoolArray) -> float:
    """Sum of m (m - 1) / (N - 1): m, k levels below a, is the sum over a's children of k - 1."""
    total, k, n = 0.0, 0, len(present)
    nodes = np.empty(0, np.int64)
    below: npt.NDArray[np.float64] | None = None  # one each
    while True:
        if below is None:
            parents = forest.parent[present & (forest.parent >= 0)]
        else:
            parents = forest.parent[nodes]
            inner = parents >= 0
            parents, below = parents[inner], below[inner]
        if not len(parents):
            return total
        if len(parents) * _SPARSE > n:
            summed = np.zeros(n)
            for at in range(0, len(parents), _BLOCK):  # else all would be cast at once
                part = slice(at, at + _BLOCK)
                np.add.at(summed, parents[part], 1.0 if below is None else below[part])
            del parents, below
            nodes = np.flatnonzero(summed)
            below = summed[nodes]
        else:
            nodes, position = np.unique(parents, return_inverse=True)
            below = np.bincount(position, weights=below).astype(np.float64)
        k += 1
        others = np.maximum(pool[forest.depth[nodes] + k] - 1, 1)
        total += float((below * (below - 1) / others).sum())
