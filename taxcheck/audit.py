"""Everything that is known about a trained table: by itself, and joined with its data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxcheck.clock import Clock
from taxcheck.runner import Unavailable
from taxcheck.sources.checkpoints.value import Checkpoint
from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.alignment import Aligned, align
from taxcheck.statistics.audit_values import (
    CoverageOfTraining,
    EmbeddingStatistics,
    HierarchyScores,
    TrainingRecord,
)
from taxcheck.statistics.clade_assignment import Clades, by_depth, by_rank
from taxcheck.statistics.coverage import Known, coverage_of_training
from taxcheck.statistics.embeddings import embedding_statistics
from taxcheck.statistics.graph import Graph
from taxcheck.statistics.samples import Sink
from taxcheck.statistics.scores import Subject, score_hierarchy
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import BoolArray, MappingStatistics, PairStatistics

_NO_TABLE = Unavailable("no embeddings given")


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit's rules ask for by parameter name; Unavailable says why one is missing."""

    embedding: EmbeddingStatistics | Unavailable = _NO_TABLE
    coverage: CoverageOfTraining | Unavailable = _NO_TABLE
    scores: HierarchyScores | Unavailable = _NO_TABLE
    training: TrainingRecord | Unavailable = _NO_TABLE


@dataclass(frozen=True, slots=True)
class Data:
    """The data that the table was trained on, as far as it was given."""

    mapping: MappingStatistics | None = None
    pairs: PairStatistics | None = None
    graph: Graph | None = None
    spool: PairSpool | None = None
    taxonomy: Taxonomy | None = None


def audit(
    checkpoint: Checkpoint,
    initial: Checkpoint | None,
    data: Data,
    seed: int,
    workers: int,
    sink: Sink | None,
    clock: Clock,
) -> tuple[Audit, Aligned]:
    """Audit a table; with the data it also says what each row that was never trained lacks."""
    with clock("embeddings"):
        embedding = embedding_statistics(checkpoint, np.random.default_rng(seed), seed, sink)
    table = align(checkpoint, data.mapping)
    clades = _clades(data)
    with clock("coverage"):
        known = Known(
            mapping=data.mapping,
            pairs=data.pairs,
            initial=None if initial is None else initial.vectors,
            unknown=_unknown(data),
            depths=None if data.graph is None else data.graph.depths,
            clades=clades,
        )
        coverage = coverage_of_training(table, known, sink)
    scores: HierarchyScores | Unavailable = Unavailable("no pairs given")
    if data.graph is not None and data.spool is not None:
        with clock("scores"):
            space = table.space()
            n = data.graph.n
            subject = Subject(
                table=table,
                space=space.take(np.arange(n)),
                graph=data.graph,
                spool=data.spool,
                trained=~coverage.never[:n],
                clades=clades,
                seed=seed,
                workers=workers,
            )
            scores = score_hierarchy(subject)
    training = TrainingRecord(
        facts=checkpoint.facts,
        rows=checkpoint.rows,
        dim=checkpoint.dim,
        table_size_from_pairs=None if data.pairs is None else data.pairs.table_size,
        n_nodes=None if data.mapping is None else data.mapping.n_nodes,
    )
    return Audit(embedding, coverage, scores, training), table


def _clades(data: Data) -> Clades | None:
    if data.mapping is None:
        return None
    taxids = data.mapping.identifiers.integers
    if data.taxonomy is not None and taxids is not None:
        found = by_rank(data.taxonomy, taxids)
        if found is not None:
            return found
    return None if data.graph is None else by_depth(data.graph, data.mapping.identifiers)


def _unknown(data: Data) -> BoolArray | None:
    """Mapped idx whose taxid the taxonomy lacks, (n,)."""
    taxids = None if data.mapping is None else data.mapping.identifiers.integers
    if data.taxonomy is None or taxids is None:
        return None
    return np.asarray((taxids >= 0) & (data.taxonomy.positions(taxids) < 0))
