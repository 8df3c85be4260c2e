"""Everything that is known about a trained table: by itself, and joined with its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from msgspec import structs

from taxcheck.audit.alignment import Aligned, align
from taxcheck.audit.alignment_scores import Alignments, score_alignments
from taxcheck.audit.clades import Partition, by_depth, by_rank, name_of_node, nested_clades
from taxcheck.audit.coverage import Known, coverage_of_training
from taxcheck.audit.curve import curve_of
from taxcheck.audit.embeddings import embedding_statistics
from taxcheck.audit.exchanges import Exchanges, exchanges
from taxcheck.audit.geometry_scores import GeometryTold, settled
from taxcheck.audit.held_out import score_held_out
from taxcheck.audit.pictures import draw_audit
from taxcheck.audit.placement import Placements, placements
from taxcheck.audit.projection import Labels, project, sample
from taxcheck.audit.scores import Subject, score_hierarchy
from taxcheck.audit.summary import summarize_audit
from taxcheck.audit.values import (
    CoverageOfTraining,
    EmbeddingStatistics,
    HeldOutScores,
    HierarchyScores,
    TrainingRecord,
)
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray
from taxcheck.model.clock import Clock
from taxcheck.model.finding import Unavailable, known
from taxcheck.model.pictures import AuditPictures
from taxcheck.model.statistics import TableSummary
from taxcheck.sources.checkpoints.checkpoint import Checkpoint
from taxcheck.sources.taxonomies.name_table import NameTable
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.offenders import Sink
from taxcheck.statistics.passes import Executor
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.values import MappingStatistics, PairStatistics


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit's rules ask for by parameter name; Unavailable says why one is missing."""

    embedding: EmbeddingStatistics
    coverage: CoverageOfTraining
    scores: HierarchyScores | Unavailable
    training: TrainingRecord
    alignment: Alignments | Unavailable
    geometry: GeometryTold
    placement: Placements | Unavailable
    held_out_scores: HeldOutScores | Unavailable
    exchanges: Exchanges | Unavailable


@dataclass(frozen=True, slots=True)
class Data:
    """The data that the table was trained on, as far as it was given."""

    mapping: MappingStatistics | None = None
    pairs: PairStatistics | None = None
    graph: Graph | None = None
    spool: KeptPairs | None = None
    taxonomy: Taxonomy | None = None
    names: NameTable | None = None  # a table given as taxonomy
    held_out: KeptPairs | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """The audit's evidence, and what is needed to show it."""

    evidence: Audit
    table: Aligned
    space: Space | None  # of the table; made when it is first needed
    clades: Partition | None
    data: Data
    seed: int

    def summary(self) -> TableSummary:
        """The report's ``statistics.embeddings``."""
        found = self.evidence
        return summarize_audit(
            found.embedding, found.coverage, known(found.scores), known(found.held_out_scores)
        )

    def pictures(self, projected: bool) -> AuditPictures:
        """Everything that the report draws of the table; ``projected``: see Request."""
        space = self.space if self.space is not None else self.table.space()
        rows = sample(space, self.seed)
        projection = project(
            space, rows, self._labels(rows), self.seed, umap=None if projected else False
        )
        if projection is not None and self.data.mapping is not None and self.data.mapping.derived:
            projection = structs.replace(projection, idx=())  # they stand in no file
        found = self.evidence
        return draw_audit(
            found.embedding,
            found.coverage,
            known(found.scores),
            projection,
            training=found.training,
            held_out=known(found.held_out_scores),
            names=self._names,
            row_names=self._row_names,
            placement=known(found.placement),
        )

    def _names(self, rows: Sequence[int]) -> list[str]:
        identifiers = None if self.data.mapping is None else self.data.mapping.identifiers
        return [
            name_of_node(int(row), identifiers, self.data.taxonomy or self.data.names)
            for row in rows
        ]

    def _row_names(self, rows: Sequence[int]) -> list[str]:
        """What rows of the table are called, which are joined to idx by labels, or are idx."""
        owner = self.table.owner
        if owner is None:
            return self._names(rows)
        return [
            self._names([idx])[0] if (idx := int(owner[row])) >= 0 else f"row {row}" for row in rows
        ]

    def _labels(self, rows: npt.NDArray[np.integer]) -> Labels:
        mapping, taxonomy, clades = self.data.mapping, self.data.taxonomy, self.clades
        lineages = []
        for row in rows:
            taxid = None if mapping is None else mapping.identifiers.of(int(row))
            lineage = taxonomy.lineage(taxid) if taxonomy and isinstance(taxid, int) else None
            lineages.append(lineage or "")
        of = np.full(len(rows), -1, dtype=np.int64)
        if clades is not None:
            inside = rows < len(clades.of)
            of[inside] = clades.of[rows[inside]]
        return Labels(
            names=self._names(rows.tolist()),
            lineages=lineages,
            clade=of,
            clades=() if clades is None else clades.labels,
            untrained=self.evidence.coverage.never[rows],
        )


# Rows of 1e300 become infinite and are judged as that; a warning of NumPy's would say less.
@np.errstate(over="ignore", invalid="ignore")
def audit(
    tables: Mapping[str, Checkpoint],
    data: Data,
    seed: int,
    workers: int,
    sink: Sink | None,
    clock: Clock,
    executor: Executor | None = None,
) -> Examined:
    """Audit a table; with the data it also says what each row that was never trained lacks.

    ``tables`` holds "embeddings", and "initial" where the table before training was given. An
    ``executor`` ranks by shards of candidates; all else is measured here.
    """
    checkpoint, initial = tables["embeddings"], tables.get("initial")
    table = align(checkpoint, data.mapping)
    with clock("geometry"):
        table, geometry = settled(table, data.graph if data.mapping is not None else None, seed)
        checkpoint = table.checkpoint
    with clock("embeddings"):
        embedding = embedding_statistics(checkpoint, seed, sink, table.owner)
    clades = _clades(data)
    with clock("coverage"):
        facts = Known(
            mapping=data.mapping,
            pairs=data.pairs,
            initial=None if initial is None else initial.vectors,
            unknown=_unknown(data),
            depths=None if data.graph is None else data.graph.depths,
            clades=clades,
        )
        coverage = coverage_of_training(table, facts, sink)
    space: Space | None = None
    subject: Subject | None = None
    scores: HierarchyScores | Unavailable = Unavailable("no pairs given")
    placement: Placements | Unavailable = Unavailable("no pairs given")
    apart: HeldOutScores | Unavailable = Unavailable("no pairs given")
    if data.graph is not None and data.spool is not None and data.pairs is not None:
        with clock("scores"):
            n, space = data.graph.n, table.space()
            subject = Subject(
                table=table,
                space=space.first(n),
                graph=data.graph,
                spool=data.spool,
                followers=data.pairs.as_ancestor[:n],
                above=data.pairs.as_descendant[:n],
                trained=~coverage.never[:n],
                clades=clades,
                seed=seed,
                workers=workers,
                executor=executor,
                held_out=data.held_out,
                nested=nested_clades(
                    data.graph, data.mapping.identifiers if data.mapping else None, data.taxonomy
                ),
            )
            scores = score_hierarchy(subject)
            apart = score_held_out(subject, scores.map)
            if not coverage.trained_known:
                known = (replace(c, never_trained=c.never_trained or None) for c in scores.clades)
                scores = replace(scores, clades=tuple(known))
        with clock("places"):
            used = data.pairs.as_ancestor[:n] + data.pairs.as_descendant[:n]
            updates = None if coverage.updates is None else coverage.updates[:n]
            placement = placements(subject, used, updates, sink)
    alignment: Alignments | Unavailable = Unavailable("no pairs given")
    exchanged: Exchanges | Unavailable = Unavailable("no pairs given")
    if data.graph is not None and data.mapping is not None:
        with clock("alignment"):
            found = score_alignments(table, data.mapping, data.graph, seed, sink)
            alignment = found or Unavailable("no node has an ancestor in the pairs")
        with clock("exchanges"):
            exchanged = _exchanged(subject, placement, found, data, sink)
    training = TrainingRecord(
        facts=checkpoint.facts,
        rows=checkpoint.rows,
        dim=checkpoint.dim,
        table_size_from_pairs=None if data.pairs is None else data.pairs.table_size,
        n_nodes=None if data.mapping is None else data.mapping.n_nodes,
        curve=curve_of(checkpoint.facts, embedding.reading.clip),
    )
    evidence = Audit(
        embedding, coverage, scores, training, alignment, geometry, placement, apart, exchanged
    )
    return Examined(evidence, table, space, clades, data, seed)


def _exchanged(
    subject: Subject | None,
    placement: Placements | Unavailable,
    alignment: Alignments | None,
    data: Data,
    sink: Sink | None,
) -> Exchanges | Unavailable:
    """Exchanged subtrees, of a table whose rows are joined as they should be."""
    if subject is None or data.mapping is None or isinstance(placement, Unavailable):
        return Unavailable("no pairs given")
    if alignment is None or alignment.better is not None:
        return Unavailable("the rows of the table are another's, one and all")
    taxa = data.taxonomy or data.names
    return exchanges(subject, placement.place, data.mapping.identifiers, taxa, sink)


def _clades(data: Data) -> Partition | None:
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
