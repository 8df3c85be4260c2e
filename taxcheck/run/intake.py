"""From a source to statistics: batches are held to the schema, and folded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import InputError
from taxcheck.model.finding import Defect
from taxcheck.model.places import Files, Places
from taxcheck.run.fold import PairData, fold_pairs
from taxcheck.run.naming import Naming
from taxcheck.sources.contract import apply_mapping
from taxcheck.sources.tables.batches import MappingBatch, RawBatch
from taxcheck.sources.tables.labels import LabelledPairs, encode_labels
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.tables.weights import Weights
from taxcheck.statistics.lookalikes import lookalikes
from taxcheck.statistics.mapping import INVALID, MappingState
from taxcheck.statistics.offenders import SAMPLES, Offenders, Sink, of_quarantined
from taxcheck.statistics.pairs import Nodes, PairTable
from taxcheck.statistics.passes import Executor
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.state import collect
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import LabelStatistics, MappingStatistics

DERIVED_NOTE = "no mapping was given: idx were numbered from the labels in order of appearance"


def read_mapping(
    source: TableSource,
    workers: int,
    sink: Sink | None,
    watch: Callable[[RawBatch], None] | None = None,
) -> MappingStatistics:
    """Fold the mapping; InputError where no row of it is sound.

    ``watch`` sees every batch as it was read, from several workers at once.
    """

    def read(raw: RawBatch) -> tuple[MappingBatch, tuple[Offenders, ...]]:
        if watch:
            watch(raw)
        sound, quarantined = apply_mapping(raw)
        invalid = tuple(of_quarantined(INVALID, quarantined, ("idx",), "mapping"))
        _tell(sink, invalid)
        return sound, invalid

    path = str(source.table.path)
    state = collect(source.batches(), lambda: MappingState.empty(path), workers, read)
    statistics = replace(state.freeze(sink=sink), files=source.table.places)
    del state
    pa.default_memory_pool().release_unused()
    if statistics.identifiers.integers is not None:
        source.read_as_integers()
    if not statistics.nodes:
        first = statistics.invalid.samples[0] if statistics.invalid.samples else None
        reason = next(iter(statistics.invalid.detail), "no rows")
        where = f", first in {source.table.said(first.row or 0)}" if first else ""
        raise InputError(
            f"{source.table.path}: none of {statistics.rows:,} rows is an identifier and an idx "
            f"({reason}{where}); name the columns with `mapping_columns`"
        )
    return statistics


def _tell(sink: Sink | None, found: Iterable[Offenders]) -> None:
    if sink:
        for offenders in found:
            sink(offenders)


@dataclass(frozen=True, slots=True)
class Intake:
    """The pairs as read, and the mapping that they are held against."""

    mapping: MappingStatistics
    training: PairTable
    held_out: PairTable | None
    naming: Naming
    files: Files | None = None  # of the training pairs, where they are of several
    known: tuple[PairTable, ...] = ()  # further pairs that are true, which nobody judges

    @property
    def has_weights(self) -> bool:
        """Whether the training pairs have a column of weights."""
        return self.training.spool.has_weights

    def weights(self) -> Weights | None:
        """The weights of the sound training pairs, (pairs,), in the order of their spool.

        None without a column of them. InputError where training cannot use them.
        """
        known, path = self.training.weights, self.training.state.origin.path
        if known is None:
            return None
        if bad := known.unusable.count:
            reason, first = next(iter(known.unusable.detail)), known.unusable.samples[0]
            places = Places({} if self.files is None else {"pairs": self.files})
            raise InputError(
                f"{path}: {bad:,} of {known.unusable.total:,} weights cannot be used ({reason}; "
                f"first in {places.said('pairs', first.row or 0, 'd')}); a weight is a number of 0 "
                "or more"
            )
        if not known.positive:
            raise InputError(f"{path}: every weight is 0, so no pair would be drawn")
        return self.training.spool.weights()


def read_pairs(
    pairs: TableSource,
    held_out: TableSource | None,
    mapping: MappingStatistics | None,
    executor: Executor,
    sink: Symptoms,
    resources: ExitStack,
    further: Sequence[TableSource] = (),
) -> Intake:
    """Fold training and held-out pairs; without a mapping one is derived from their labels.

    Those of ``further`` tables are known to be true, and not judged.

    The pairs can be asked for while ``resources`` last. Raises InputError where no row is sound.
    """
    beside = [*([] if held_out is None else [held_out]), *further]
    sources = [pairs, *beside]
    known = None
    if mapping is None:
        known = _numbered(sources)
        mapping = _derived(known[0])
    elif any(source.labelled for source in sources):
        idx = np.flatnonzero(mapping.mapped)
        known = mapping.identifiers.column(idx), idx
    nodes = Nodes(mapping.mapped, mapping.identifiers)
    naming = Naming(
        mapping.identifiers,
        mapping.derived,
        encode_labels(pairs, known) if pairs.labelled else None,
    )

    def fold(source: TableSource, labelled: LabelledPairs | None, sink: Sink | None) -> PairTable:
        origin = nodes.origin(str(source.table.path), source.role)
        data = PairData(source, labelled)
        state, kept, told = fold_pairs(data, origin, nodes, executor, sink, resources)
        if told is not None:
            source.add_note(told)
        if mapping.identifiers.integers is not None:
            source.read_as_integers()
        invalid = state.defects["invalid_pair_row"]
        if invalid.count == state.rows:
            reason = max(invalid.detail, key=lambda r: invalid.detail[r])
            raise InputError(
                f"{source.table.path}: none of {state.rows:,} rows is a pair ({reason}); "
                "name the columns with `pair_columns`"
            )
        labels = None if labelled is None else _labels(labelled, kept, mapping.derived, sink)
        return PairTable(state, kept, labels)

    sink.show(naming.offenders)
    training = fold(pairs, naming.labelled, sink)
    pa.default_memory_pool().release_unused()
    tables = [
        fold(source, encode_labels(source, known) if source.labelled else None, None)
        for source in beside
    ]
    held = None if held_out is None else tables.pop(0)
    return Intake(mapping, training, held, naming, pairs.table.places, tuple(tables))


def _numbered(sources: list[TableSource]) -> tuple[pa.Array, IntArray]:
    """All labels of all sources in order of appearance, and their idx."""
    found = [encode_labels(source).identifiers for source in sources]
    if len({labels.type for labels in found}) > 1:
        found = [labels.cast(pa.string()) for labels in found]
    labels = pc.unique(pa.chunked_array(found))
    return labels, np.arange(len(labels), dtype=np.int64)


def _labels(
    labelled: LabelledPairs, spool: KeptPairs, derived: bool, sink: Sink | None
) -> LabelStatistics:
    """Which labels look alike: among each other, or like one that the given mapping has."""
    known, unknown = labelled.identifiers, labelled.unknown
    total = len(known) if derived else len(unknown)
    if not total or (derived and pa.types.is_integer(known.type)):
        return LabelStatistics(total, Defect(0, total))
    if derived:
        found = lookalikes(known)
        nodes, rows = found.later, spool.first_rows(found.later[:SAMPLES])
    else:
        found = lookalikes(pa.concat_arrays([known.cast(pa.string()), unknown]), known=len(known))
        new = found.later - len(known)
        nodes, rows = new + labelled.n_nodes, labelled.unknown_rows[new]
    found.tell(sink, "lookalike_label", nodes)
    named = nodes if derived else np.full(len(nodes), -1)  # nothing has the idx of an unknown label
    return LabelStatistics(total, found.defect(total, rows, named, labelled.source.role))


def _derived(labels: pa.Array) -> MappingStatistics:
    rows = np.arange(len(labels))
    state = MappingState.empty()
    state.update((MappingBatch(rows, labels, rows), ()))
    frozen = state.freeze(derived=True)
    return replace(frozen, row_of=np.full(frozen.n_nodes, -1))  # the rows of no file
