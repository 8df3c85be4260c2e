"""Everything that is known about the data: the values that rules judge, or why one is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.clock import Clock
from taxcheck.model.finding import Unavailable
from taxcheck.model.reading import Reading
from taxcheck.policy.model import Dataset
from taxcheck.run.intake import Intake
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.ancestry import Ancestry
from taxcheck.statistics.hierarchy.chains import Chains
from taxcheck.statistics.hierarchy.edges import REDUCTION, edges_of, present_in
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.held_out import held_out_statistics
from taxcheck.statistics.hierarchy.kind import likeness_of
from taxcheck.statistics.hierarchy.proof import hold, prove
from taxcheck.statistics.hierarchy.shape import hierarchy_statistics
from taxcheck.statistics.hierarchy.split import split_edges
from taxcheck.statistics.offenders import Sink
from taxcheck.statistics.pairs import PairTable
from taxcheck.statistics.passes import Executor
from taxcheck.statistics.skipped import skipped_parents
from taxcheck.statistics.taxonomy import ancestry_of, taxonomy_statistics
from taxcheck.statistics.values import (
    ClosureStatistics,
    DepthStatistics,
    HeldOutStatistics,
    HierarchyStatistics,
    MappingStatistics,
    PairStatistics,
    TaxonomyStatistics,
)

_KNOWN = 0.99  # of the nodes of the pairs that a taxonomy has, which then says what they are
_NO_MAPPING = Unavailable("no mapping given")
_NO_PAIRS = Unavailable("no pairs given")
_NO_TAXONOMY = Unavailable("no taxonomy given")
_NO_HELD_OUT = Unavailable("no held-out pairs given")


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
    mapping_reading: Reading | Unavailable = _NO_MAPPING
    pair_reading: Reading | Unavailable = _NO_PAIRS
    held_out_reading: Reading | Unavailable = _NO_HELD_OUT

    def read_as(self, readings: Mapping[str, Reading]) -> Evidence:
        """The same, and how the tables were read, by their roles."""
        return replace(
            self,
            mapping_reading=readings.get("mapping", _NO_MAPPING),
            pair_reading=readings.get("pairs", _NO_PAIRS),
            held_out_reading=readings.get("held-out", _NO_HELD_OUT),
        )


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
    executor: Executor,
    sink: Sink | None,
    clock: Clock,
    memory: int | None = None,
    tried: bool = False,
) -> tuple[Evidence, Graph]:
    """What mapping and pairs tell together: hierarchy, proof, and the given taxonomy's view.

    What is beyond ``memory`` bytes is told as unproven; None is half of what the machine has.
    ``tried``: offenders alone are looked at.
    """
    training, held_out, mapping = intake.training, intake.held_out, intake.mapping
    tables = [training] if held_out is None else [training, held_out]
    is_descendant = np.logical_or.reduce([table.state.below.each > 0 for table in tables])
    spool = held_out.spool if held_out is not None else None
    ancestry = None
    if taxonomy is not None and held_out is not None:
        with clock("taxonomy"):
            ancestry = _ancestry(taxonomy, mapping)
    with clock("hierarchy"):
        split = None
        if held_out is not None:
            split = split_edges(training, held_out, dataset, memory, ancestry)
        edges = edges_of(tables, dataset, memory) if split is None else split.every
        graph, closure, flat = edges.graph, edges.closure, edges.flat
        held = hold(training.spool, spool, closure, graph.n, executor, flat)
        chains = Chains.of(graph, closure, held.every)
        doubtful = graph.forest is None or len(held.every.outside) > 0
        sole = doubtful and taxonomy is not None and _knows(taxonomy, mapping, graph.present)
        likeness = likeness_of(
            graph, closure, held.every, chains, dataset, edges.source, sole, memory
        )
        tree = hierarchy_statistics(edges, is_descendant, likeness, sink, tried)
        if edges.source == REDUCTION and tree.several_parents.count:
            above = np.sum([table.state.as_descendant for table in tables], axis=0)
            skipped = {"skipped": skipped_parents(graph, above)}
            several = replace(tree.several_parents, detail=skipped)
            tree = replace(tree, several_parents=several)
    with clock("proof"):
        proof = prove(
            training.spool,
            held,
            closure,
            chains,
            likeness,
            flat,
            sink,
            training.state.as_descendant,
        )
        pairs = training.freeze(mapping.mapped, tree.kind, proof.repeats, sink)
    evidence = Evidence(
        mapping=mapping,  # a derived one too: rules that need a given one say so themselves
        pairs=pairs,
        depth=pairs.depth or Unavailable("the pairs have no depth_diff column"),
        tree=tree,
        closure=proof.statistics,
        held_out=_NO_HELD_OUT,
    )
    if held_out is not None and split is not None:
        with clock("held-out"):
            leaks = held_out_statistics(
                held_out.state.rows,
                held_out.spool,
                proof,
                split.training.closure,
                present_in([training.state]),
                sink,
                split.lonely,
                ancestry,
            )
            evidence = replace(evidence, held_out=leaks)
    if taxonomy is not None:
        complete = dataset.pairs == "closure"
        with clock("taxonomy"):
            evidence = replace(
                evidence,
                taxonomy=_taxonomy(taxonomy, mapping, intake, graph, sink, complete, ancestry),
            )
    return evidence, graph.trimmed()


def _knows(taxonomy: Taxonomy, mapping: MappingStatistics, present: BoolArray) -> bool:
    """Whether a taxonomy, in which no taxon has two parents, has nearly all nodes of the pairs."""
    identifiers = mapping.identifiers.integers
    if identifiers is None:
        return False
    used = identifiers[np.flatnonzero(present[: len(identifiers)])]
    return bool(np.count_nonzero(taxonomy.positions(used) >= 0) >= _KNOWN * max(len(used), 1))


def _ancestry(taxonomy: Taxonomy, mapping: MappingStatistics) -> Ancestry | None:
    identifiers = mapping.identifiers.integers
    return None if identifiers is None else ancestry_of(taxonomy, identifiers)


def _taxonomy(
    taxonomy: Taxonomy,
    mapping: MappingStatistics,
    intake: Intake | None,
    graph: Graph | None,
    sink: Sink | None,
    complete: bool = False,
    ancestry: Ancestry | None = None,
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
        complete=complete,
        ancestry=ancestry,
    )


def _pairs(table: PairTable) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    for batch in table.spool.batches():
        yield batch.rows, batch.ancestor, batch.descendant
