"""Which hierarchy the repaired pairs are the closure of: a taxonomy's, or the pairs' own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from taxcheck.commands.fix.numbering import Numbering, Taxa
from taxcheck.commands.fix.plan import Findings, Lacking
from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.finding import Skip, known
from taxcheck.model.rule import Repair
from taxcheck.model.vocabulary import said_of
from taxcheck.run.gather import Gathered
from taxcheck.statistics.hierarchy.closure import Closure, ForestClosure, whole_closure
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.spool import KeptPairs, SpooledBatch
from taxcheck.statistics.values import ClosureStatistics, HierarchyStatistics, Kind, PairStatistics

_TAXONOMY = "`taxonomy` with the taxdump that the data was made from"


def from_taxonomy(data: Gathered, numbering: Numbering, taxa: Taxa) -> Graph:
    """The taxonomy among the mapped nodes; what it does not know keeps the parent that pairs say.

    So does a node without a mapped ancestor there, where its parent is one that it does not know.
    """
    positions = numbering.positions(taxa)
    parents, children = taxa.edges(positions)
    if data.graph is not None:
        own_parents, own_children = _renumbered(data.graph, numbering)
        placed = np.zeros(len(positions), dtype=bool)
        placed[children] = True
        alone = positions < 0
        used = alone[own_children] | (~placed[own_children] & alone[own_parents])
        parents = np.concatenate([parents, own_parents[used]])
        children = np.concatenate([children, own_children[used]])
    return Graph.from_edges(parents, children, numbering.nodes)


def from_pairs(
    data: Gathered,
    numbering: Numbering,
    findings: Findings,
    tree: HierarchyStatistics,
    pairs: PairStatistics,
) -> tuple[Graph | None, list[Lacking]]:
    """The hierarchy that the pairs themselves prove, or what keeps them from it."""
    assert data.intake is not None
    assert data.graph is not None
    tables = [t for t in (data.intake.training, data.intake.held_out) if t is not None]
    spools = [table.spool for table in tables]
    graph = None
    if tree.kind is not Kind.DAG and Repair.CUT_NODES not in findings:
        above = pairs.as_descendant
        if data.intake.held_out is not None:
            above = above + data.intake.held_out.state.as_descendant
        graph = _closed_forest(spools, above, data.graph)
    lacking: list[Lacking] = []
    if graph is None:
        graph = data.graph
        lacking = _broken(data, spools, graph, findings, tree)
    parents, children = _renumbered(graph, numbering)
    return (
        None if any(one.blocking for one in lacking)
        else Graph.from_edges(parents, children, numbering.nodes),
        lacking,
    )  # fmt: skip


def _renumbered(graph: Graph, numbering: Numbering) -> tuple[IntArray, IntArray]:
    parents = numbering.old_to_new[graph.parents]
    children = numbering.old_to_new[graph.children]
    kept = (parents >= 0) & (children >= 0)
    return parents[kept], children[kept]


def _closed_forest(spools: Sequence[KeptPairs], above: IntArray, graph: Graph) -> Graph | None:
    """The forest whose closure the pairs are exactly, though some state another distance.

    In such a closure a node has as many ancestors as it is deep, so that its parent is the one
    with one ancestor fewer; the closure of those edges proves the guess. The closure of a tree
    that lost a node whole is one as well: so each edge has to be stated as one, unless all
    distances are off by the same number. ``above`` (n,) counts the ancestors of each node.
    """
    parents, children = [], []
    for batch in _batches(spools):
        direct = above[batch.ancestor] == above[batch.descendant] - 1
        parents.append(batch.ancestor[direct])
        children.append(batch.descendant[direct])
    if not parents:
        return None
    guess = Graph.from_edges(np.concatenate(parents), np.concatenate(children), graph.present)
    if guess.forest is None or (guess.forest.depth != np.where(graph.present, above, 0)).any():
        return None
    closure = ForestClosure(guess.forest)
    offsets: set[int] = set()
    for batch in _batches(spools):
        slot, distance = closure.find(batch.ancestor, batch.descendant)
        if (slot < 0).any():
            return None
        if batch.depth_diff is not None and len(offsets) < 2:
            off = batch.depth_diff - distance
            offsets |= {int(off.min()), int(off.max())}
    n = max(graph.n, 1)
    stated = within(graph.children * n + graph.parents, guess.children * n + guess.parents)
    return guess if stated.all() or len(offsets) == 1 else None


def _batches(spools: Sequence[KeptPairs]) -> Iterator[SpooledBatch]:
    return chain.from_iterable(spool.batches() for spool in spools)


def _broken(
    data: Gathered,
    spools: Sequence[KeptPairs],
    graph: Graph,
    findings: Findings,
    tree: HierarchyStatistics,
) -> list[Lacking]:
    """What keeps the depth-1 pairs from being a hierarchy that can be trusted."""
    if Repair.CUT_NODES in findings:
        why = "the nodes that were thrown away are in no pair, so nothing here says whose they are"
        return [findings.lacking(Repair.CUT_NODES, why, _TAXONOMY, True)]
    if tree.cycles.count:
        those = said_of(tree.cycles.count, "node", "is", "are")
        why = f"{those} on cycles, and no pair says which edge is false"
        return [findings.lacking(Repair.CYCLES, why, _TAXONOMY, True)]
    try:
        closure = whole_closure(graph, data.request.memory)
    except Skip as skip:
        return [
            findings.lacking(
                Repair.MISSING_PAIRS, str(skip), "a smaller data set, or pairs as edges", True
            )
        ]
    proof = known(data.evidence.closure)
    if proof is not None and (open_ := _undecided(proof)):
        why = (
            f"{said_of(open_, 'pair', 'is', 'are')} held by no chain of depth-1 pairs and "
            "contradicted by none, and the closure of the chains would not keep what is there"
        )
        give = f"the depth-1 pairs that were lost, or {_TAXONOMY}"
        if tree.kind is not Kind.DAG:
            give += '; or a policy with [dataset] kind = "tree", if none was'
        return [findings.lacking(Repair.FALSE_PAIRS, why, give, True)]
    lost = int(np.count_nonzero(_without_parent(spools, graph, closure)))
    if lost:
        those = said_of(lost, "node", "has", "have")
        why = f"{those} ancestors but no parent, and no pair says which it is"
        return [findings.lacking(Repair.PARENTS, why, _TAXONOMY, True)]
    if tree.several_parents.count and tree.kind is not Kind.DAG:
        those = said_of(tree.several_parents.count, "node", "has", "have")
        why = f"{those} several parents, one of them false or not"
        give = f'{_TAXONOMY}; or a policy with [dataset] kind = "dag", if they are meant'
        blocking = findings.blocks(Repair.SEVERAL_PARENTS) or bool(
            findings.among(Repair.MISSING_PAIRS, Repair.FALSE_PAIRS, Repair.DISTANCES)
        )
        return [findings.lacking(Repair.SEVERAL_PARENTS, why, give, blocking)]
    if findings.blocks(Repair.SEVERAL_PARENTS):
        those = said_of(tree.several_parents.count, "node", "says", "say")
        why = f"the policy declares a tree, and {those} otherwise"
        return [
            findings.lacking(
                Repair.SEVERAL_PARENTS, why, 'a policy with [dataset] kind = "dag"', True
            )
        ]
    return []


def _undecided(proof: ClosureStatistics) -> int:
    """Rows that true edges would explain, and that are false without: no repair may choose."""
    return sum(proof.unproven.detail.get(why, 0) for why in ("beyond_edges", "shorter_way"))


def _without_parent(spools: Sequence[KeptPairs], graph: Graph, closure: Closure) -> BoolArray:
    """Nodes that pairs call a descendant and no edge a child, (n,).

    A pair whose reverse follows from the edges says nothing of the kind: it is the false one.
    """
    called = np.zeros(graph.n, dtype=bool)
    for batch in _batches(spools):
        reverse, _ = closure.find(batch.descendant, batch.ancestor)
        called[batch.descendant[reverse < 0]] = True
    lost: BoolArray = called & (graph.parent_counts == 0)
    return lost
