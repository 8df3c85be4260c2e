"""Everything that is known about a trained table: by itself, and joined with its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.audit.alignment import Aligned, align
from taxcheck.audit.clade_assignment import Clades, by_depth, by_rank
from taxcheck.audit.coverage import Known, coverage_of_training
from taxcheck.audit.embeddings import embedding_statistics
from taxcheck.audit.nested_clades import nested_clades
from taxcheck.audit.pictures import draw_audit
from taxcheck.audit.projection import Labels, project, sample
from taxcheck.audit.scores import Subject, score_hierarchy
from taxcheck.audit.summary import summarize_audit
from taxcheck.audit.values import (
    CoverageOfTraining,
    EmbeddingStatistics,
    HierarchyScores,
    TrainingRecord,
)
from taxcheck.audit_bins import AuditPictures
from taxcheck.clock import Clock
from taxcheck.geometry.space import Space
from taxcheck.runner import Unavailable, known
from taxcheck.schemas.embeddings import judge_rows
from taxcheck.sources.checkpoints.value import Checkpoint
from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.samples import Sink
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


@dataclass(frozen=True, slots=True)
class Examined:
    """The audit's evidence, and what is needed to show it; empty where no table was given."""

    evidence: Audit = Audit()
    table: Aligned | None = None
    space: Space | None = None  # of the table; made when it is first needed
    clades: Clades | None = None
    data: Data = Data()
    seed: int = 0

    @property
    def unmatched(self) -> int:
        """Labels in the file that the mapping lacks."""
        return 0 if self.table is None else self.table.unmatched

    def summary(self) -> dict[str, object]:
        """The JSON report's ``statistics.embeddings``."""
        embedding = known(self.evidence.embedding)
        if embedding is None:
            return {}
        coverage, scores = known(self.evidence.coverage), known(self.evidence.scores)
        return {"embeddings": summarize_audit(embedding, coverage, scores)}

    def pictures(self, projected: bool) -> AuditPictures | None:
        """Everything that the report draws of the table; ``projected``: see Request."""
        embedding = known(self.evidence.embedding)
        if embedding is None or self.table is None:
            return None
        space = self.space if self.space is not None else self.table.space()
        coverage, scores = known(self.evidence.coverage), known(self.evidence.scores)
        rows = sample(space, self.seed)
        projection = project(
            space, rows, self._labels(rows), self.seed, umap=None if projected else False
        )
        return draw_audit(
            embedding,
            coverage,
            scores,
            projection,
            training=known(self.evidence.training),
            names=self._names,
        )

    def _names(self, rows: Sequence[int]) -> list[str]:
        mapping, taxonomy = self.data.mapping, self.data.taxonomy
        names = []
        for row in rows:
            taxid = None if mapping is None else mapping.identifiers.of(int(row))
            known_as = taxonomy.name_of(taxid) if taxonomy and isinstance(taxid, int) else None
            names.append(known_as or (f"idx {row}" if taxid is None else str(taxid)))
        return names

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
        coverage = known(self.evidence.coverage)
        return Labels(
            names=self._names(rows.tolist()),
            lineages=lineages,
            clade=of,
            clades=() if clades is None else clades.labels,
            untrained=None if coverage is None else coverage.never[rows],
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
) -> Examined:
    """Audit a table; with the data it also says what each row that was never trained lacks.

    ``tables`` holds "embeddings", and "initial" where the table before training was given.
    """
    checkpoint, initial = tables["embeddings"], tables.get("initial")
    with clock("embeddings"):
        embedding = embedding_statistics(
            checkpoint, judge_rows, np.random.default_rng(seed), seed, sink
        )
    table = align(checkpoint, data.mapping)
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
    scores: HierarchyScores | Unavailable = Unavailable("no pairs given")
    if data.graph is not None and data.spool is not None:
        with clock("scores"):
            n, space = data.graph.n, table.space()
            subject = Subject(
                table=table,
                space=space.take(np.arange(n)),
                graph=data.graph,
                spool=data.spool,
                trained=~coverage.never[:n],
                clades=clades,
                seed=seed,
                workers=workers,
                nested=nested_clades(
                    data.graph, data.mapping.identifiers if data.mapping else None, data.taxonomy
                ),
            )
            scores = score_hierarchy(subject)
    training = TrainingRecord(
        facts=checkpoint.facts,
        rows=checkpoint.rows,
        dim=checkpoint.dim,
        table_size_from_pairs=None if data.pairs is None else data.pairs.table_size,
        n_nodes=None if data.mapping is None else data.mapping.n_nodes,
    )
    evidence = Audit(embedding, coverage, scores, training)
    return Examined(evidence, table, space, clades, data, seed)


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
