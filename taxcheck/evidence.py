"""Everything that is known about the data: the values that rules judge, or why one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.clock import Clock
from taxcheck.config import Dataset
from taxcheck.intake import Intake
from taxcheck.rule import Skip
from taxcheck.runner import Unavailable
from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.freeze import pair_statistics
from taxcheck.statistics.hierarchy.closure import Closure, closure_of
from taxcheck.statistics.hierarchy.edges import graph_of, present_in
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.held_out import held_out_statistics
from taxcheck.statistics.hierarchy.proof import Proof, prove
from taxcheck.statistics.hierarchy.shape import hierarchy_statistics
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.samples import Sink
from taxcheck.statistics.taxonomy import taxonomy_statistics
from taxcheck.statistics.values import (
    ClosureStatistics,
    DepthStatistics,
    HeldOutStatistics,
    HierarchyStatistics,
    IntArray,
    MappingStatistics,
    PairStatistics,
    TaxonomyStatistics,
)

_NO_MAPPING = Unavailable("no mapping given")
_NO_PAIRS = Unavailable("no pairs given")
_NO_TAXONOMY = Unavailable("no taxonomy given")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What rules ask for by parameter name; Unavailable says why a value is missing."""

    mapping: MappingStatistics | Unavailable = _NO_MAPPING
    pairs: PairStatistics | Unavailable = _NO_PAIRS
    depth: DepthStatistics | Unavailable = _NO_PAIRS
    tree: HierarchyStatistics | Unavailable = _NO_PAIRS
    closure: ClosureStatistics | Unavailable = _NO_PAIRS
    held_out: HeldOutStatistics | Unavailable = _NO_PAIRS
    taxonomy: TaxonomyStatistics | Unavailable = _NO_TAXONOMY


def of_mapping(
    mapping: MappingStatistics, taxonomy: Taxonomy | None, sink: Sink | None
) -> Evidence:
    """What a mapping alone tells."""
    known: TaxonomyStatistics | Unavailable = _NO_TAXONOMY
    if taxonomy is not None:
        known = _taxonomy(taxonomy, mapping, None, None, sink)
    return Evidence(mapping=mapping, taxonomy=known)


def of_pairs(
    intake: Intake,
    taxonomy: Taxonomy | None,
    dataset: Dataset,
    workers: int,
    sink: Sink | None,
    clock: Clock,
) -> tuple[Evidence, Graph]:
    """What mapping and pairs tell together: hierarchy, proof, and the given taxonomy's view."""
    training, held_out, mapping = intake.training, intake.held_out, intake.mapping
    states = [training] if held_out is None else [training, held_out]
    is_descendant = np.logical_or.reduce([state.as_descendant > 0 for state in states])
    proof: Proof | None = None
    with clock("hierarchy"):
        graph, edges_from = graph_of(states, dataset)
        closure, why_not = _closure(graph)
        tree = hierarchy_statistics(graph, closure, is_descendant, dataset, edges_from, sink)
    with clock("proof"):
        if closure is not None:
            spool = held_out.spool if held_out is not None else None
            proof = prove(training.spool, spool, graph, closure, is_descendant, workers, sink)
        repeats = proof.repeats if proof is not None else None
        pairs = pair_statistics(training, tree.kind, repeats, intake.has_weights, sink)
    evidence = Evidence(
        mapping=mapping,  # a derived one too: rules that need a given one say so themselves
        pairs=pairs,
        depth=pairs.depth or Unavailable("the pairs have no depth_diff column"),
        tree=tree,
        closure=proof.statistics if proof is not None else why_not,
        held_out=Unavailable("no held-out pairs given"),
    )
    if held_out is not None:
        with clock("held-out"):
            leaks = _held_out(intake, proof, dataset, why_not, sink)
            evidence = replace(evidence, held_out=leaks)
    if taxonomy is not None:
        with clock("taxonomy"):
            evidence = replace(evidence, taxonomy=_taxonomy(taxonomy, mapping, intake, graph, sink))
    return evidence, graph


def _closure(graph: Graph) -> tuple[Closure | None, Unavailable]:
    try:
        return closure_of(graph), Unavailable("")
    except Skip as skip:
        return None, Unavailable(str(skip))


def _held_out(
    intake: Intake,
    proof: Proof | None,
    dataset: Dataset,
    why_not: Unavailable,
    sink: Sink | None,
) -> HeldOutStatistics | Unavailable:
    assert intake.held_out is not None
    if proof is None:
        return why_not
    own, _ = graph_of([intake.training], dataset)
    closure, why_not = _closure(own)
    if closure is None:
        return why_not
    return held_out_statistics(
        intake.held_out.rows,
        intake.held_out.spool,
        proof.training,
        closure,
        present_in([intake.training]),
        sink,
    )


def _taxonomy(
    taxonomy: Taxonomy,
    mapping: MappingStatistics,
    intake: Intake | None,
    graph: Graph | None,
    sink: Sink | None,
) -> TaxonomyStatistics | Unavailable:
    identifiers = mapping.identifiers.integers
    if identifiers is None:
        return Unavailable("the identifiers are no taxids, so the taxonomy does not apply")
    if intake is None or graph is None:
        return taxonomy_statistics(taxonomy, identifiers, sink=sink)
    return taxonomy_statistics(
        taxonomy,
        identifiers,
        _pairs(intake.training),
        (graph.parents, graph.children),
        held_out=None if intake.held_out is None else _pairs(intake.held_out),
        sink=sink,
    )


def _pairs(state: PairState) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    for batch in state.spool.batches():
        yield batch.rows, batch.ancestor, batch.descendant
