"""From a request to all that its inputs say: each is opened once, read once and folded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from msgspec import structs

from taxcheck.model.clock import Clock
from taxcheck.model.finding import Unavailable
from taxcheck.model.places import Places
from taxcheck.model.report import InputSummary
from taxcheck.policy.model import Dataset, Policy
from taxcheck.run.evidence import Evidence, of_mapping, of_pairs
from taxcheck.run.executors.opening import executor_of
from taxcheck.run.failures import FailureWriter
from taxcheck.run.intake import DERIVED_NOTE, Intake, read_mapping, read_pairs
from taxcheck.run.naming import Naming, with_samples
from taxcheck.run.request import Progress, Request
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.ends import open_ends, settled
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.taxonomies.beside import open_beside
from taxcheck.sources.taxonomies.name_table import NameTable
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.offenders import Sink
from taxcheck.statistics.passes import Executor
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import MappingStatistics

if TYPE_CHECKING:
    from taxcheck.sources.checkpoints.checkpoint import Checkpoint

_KNOWN = "known"  # roles of tables that are only known to be true begin so


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the inputs of a request say, as long as the block of ``gather`` is open.

    What follows from how the policy reads the data is computed when it is first asked for, and
    then kept: rules may judge it any number of times.
    """

    request: Request
    inputs: tuple[InputSummary, ...]  # the data's, as they were understood
    sources: Mapping[str, TableSource]  # by role
    tables: Mapping[str, Checkpoint]  # the trained one and the one before training, opened
    mapping: MappingStatistics | None
    intake: Intake | None  # of the pairs
    taxonomy: Taxonomy | None
    names: NameTable | None  # a table given as taxonomy, whether or not it states ancestry
    read: Symptoms  # what was wrong with single rows
    clock: Clock
    executor: Executor  # of the passes over the pairs
    _seen: dict[Dataset, tuple[Evidence, Graph | None, Symptoms]] = field(
        default_factory=dict, repr=False
    )

    @property
    def evidence(self) -> Evidence:
        """What rules ask for by name."""
        return self._known()[0]

    @property
    def graph(self) -> Graph | None:
        """The hierarchy that the pairs state; None without pairs."""
        return self._known()[1]

    @property
    def symptoms(self) -> Symptoms:
        """All offenders, by the name of the rule that judges them; a sink of those of a table."""
        return self._known()[2]

    @property
    def places(self) -> Places:
        """Where the rows of tables of several files stand."""
        return _places(self.sources)

    @property
    def naming(self) -> Naming | None:
        """How rows and nodes are shown; None where nothing has identifiers."""
        if self.intake is not None:
            return self.intake.naming
        return None if self.mapping is None else Naming(self.mapping.identifiers, False)

    @property
    def naming_taxa(self) -> Taxonomy | NameTable | None:
        """What gives names to identifiers; None where nothing was given."""
        return self.taxonomy or self.names

    def under(self, policy: Policy) -> Gathered:
        """The same data under another policy; nothing is read again."""
        return replace(self, request=replace(self.request, policy=policy))

    def with_table(self, embeddings: str, initial: str | None = None) -> Gathered:
        """The same data beside a table that was trained on it meanwhile; the clock starts anew."""
        request = replace(
            self.request,
            embeddings=embeddings,
            initial=initial,
            key=None,
            geometry=None,
            curvature=None,
            labels=None,
        )
        return replace(self, request=request, tables=open_tables(request), clock=Clock())

    def with_next(self, embeddings: str, drawn: bool) -> Gathered:
        """The same data beside another table of the request's series, read as it was asked for."""
        self._known()  # of the data, which no table adds to
        request = replace(self.request, embeddings=embeddings, drawn=drawn)
        seen = {key: (one, graph, sink.branch()) for key, (one, graph, sink) in self._seen.items()}
        return replace(
            self, request=request, tables=open_tables(request), clock=Clock(), _seen=seen
        )

    def _known(self) -> tuple[Evidence, Graph | None, Symptoms]:
        dataset = self.request.policy.dataset
        if dataset not in self._seen:
            sink, evidence, graph = self.read.branch(), Evidence(), None
            if self.intake is not None:
                evidence, graph = of_pairs(
                    self.intake,
                    self.taxonomy,
                    dataset,
                    self.executor,
                    sink,
                    self.clock,
                    self.request.memory,
                )
                evidence = self.intake.naming.shown(evidence)
                if not self.intake.naming.derived:
                    sink.show(None)  # what follows is of a table, whose rows the mapping numbers
            elif self.mapping is not None:
                evidence = of_mapping(self.mapping, self.taxonomy, sink)
            if self.taxonomy is None and self.names is not None:
                evidence = replace(evidence, taxonomy=Unavailable(self.names.no_ancestry))
            if self.places.tables:
                evidence = with_samples(evidence, self.places.sample)
            read = {role: source.reading() for role, source in self.sources.items()}
            self._seen[dataset] = evidence.read_as(read), graph, sink
        return self._seen[dataset]


@contextmanager
def gather(
    request: Request,
    progress: Progress | None = None,
    sink: Sink | None = None,
    *,
    taxonomy: Taxonomy | NameTable | None = None,
    watch: Callable[[RawBatch], None] | None = None,
) -> Iterator[Gathered]:
    """Read the data of a request once; trained tables are only opened.

    ``sink`` receives every offending row, unless ``request.failures`` has them written; a
    ``taxonomy`` that is open already is not opened again; ``watch`` sees every batch of the mapping
    as it was read. Raises TaxcheckError, one line, for what cannot be read.
    """
    clock = Clock()
    with ExitStack() as resources:
        written = None
        if request.failures is not None:
            sink = written = resources.enter_context(FailureWriter(request.failures))
        read = Symptoms.within(request.memory, sink)
        executor = resources.enter_context(executor_of(request.engine, request.workers))
        sources = _open_sources(request, progress)
        if written is not None:
            written.places = _places(sources)
        with clock("opening"):
            tables = {} if request.series else open_tables(request)  # of several one at a time
            if taxonomy is None and request.taxonomy is not None:
                taxonomy = open_beside(request.taxonomy)
        with clock("mapping"):
            given = sources.get("mapping")
            mapping = read_mapping(given, request.workers, read, watch) if given else None
            if mapping is not None:
                sources |= _settled(sources, mapping)
        intake = None
        if "pairs" in sources:
            with clock("pairs"):
                intake = read_pairs(
                    sources["pairs"],
                    sources.get("held-out"),
                    mapping,
                    executor,
                    read,
                    resources,
                    [source for name, source in sources.items() if name.startswith(_KNOWN)],
                )
            mapping = intake.mapping
        derived = mapping is not None and mapping.derived
        inputs = [_noted(source.summary(), derived) for source in sources.values()]
        names = taxonomy if isinstance(taxonomy, NameTable) else None
        if names is not None:
            names, taxonomy = names.held_to(_identifiers(mapping))
            inputs.append(names.summary)
        elif isinstance(taxonomy, Taxonomy):
            inputs.append(taxonomy.summary())
        yield Gathered(
            request,
            tuple(inputs),
            sources,
            tables,
            mapping,
            intake,
            taxonomy if isinstance(taxonomy, Taxonomy) else None,
            names,
            read,
            clock,
            executor,
        )


def _open_sources(request: Request, progress: Progress | None) -> dict[str, TableSource]:
    """Open all tables and find their columns before the first is read: mistakes show at once."""

    def told(role: str) -> Callable[[int, int], None] | None:
        return (lambda done, whole: progress(role, done, whole)) if progress else None

    sources = {}
    if request.mapping is not None:
        sources["mapping"] = open_mapping(request.mapping, request.mapping_columns, told("mapping"))
    for role, path in (("pairs", request.pairs), ("held-out", request.held_out)):
        if path is not None:
            sources[role] = open_pairs(
                path, request.pair_columns, request.mapping is not None, told(role), role
            )
    for number, path in enumerate(request.known, start=1):
        columns = request.known_columns or request.pair_columns
        role = f"{_KNOWN} {number}"
        sources[role] = open_pairs(path, columns, request.mapping is not None, told(role), role)
    return sources


def _identifiers(mapping: MappingStatistics | None) -> pa.Array | None:
    if mapping is None:
        return None
    return mapping.identifiers.column(np.flatnonzero(mapping.mapped))


def _places(sources: Mapping[str, TableSource]) -> Places:
    known = {source.role: source.table.places for source in sources.values()}
    return Places({role: files for role, files in known.items() if files is not None})


def _settled(
    sources: Mapping[str, TableSource], mapping: MappingStatistics
) -> dict[str, TableSource]:
    """Pairs whose columns do not say whether they hold idx, now that a mapping tells."""
    asked = {r: source for r, source in sources.items() if r != "mapping" and open_ends(source)}
    if not asked:
        return {}
    known = mapping.identifiers.column(np.flatnonzero(mapping.mapped))
    return {role: settled(source, known, mapping.mapped) for role, source in asked.items()}


def open_tables(request: Request) -> dict[str, Checkpoint]:
    """Open the embedding table and, where it is given, the one before training."""
    tables: dict[str, Checkpoint] = {}
    if request.embeddings is None:
        return tables
    from taxcheck.sources.checkpoints.opening import open_checkpoint  # a gate does not need it

    for role, path in (("embeddings", request.embeddings), ("initial", request.initial)):
        if path is not None:
            tables[role] = open_checkpoint(
                path,
                key=request.key if role == "embeddings" else None,
                geometry=request.geometry,
                curvature=request.curvature,
                labels=request.labels if role == "embeddings" else None,
            )
    return tables


def _noted(summary: InputSummary, derived: bool) -> InputSummary:
    if derived and summary.role == "pairs":
        return structs.replace(summary, notes=(*summary.notes, DERIVED_NOTE))
    return summary
