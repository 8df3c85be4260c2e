"""From a source to statistics: batches are held to the schema, and folded once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.errors import InputError
from taxcheck.schemas.mapping import apply_mapping
from taxcheck.schemas.pairs import apply_pairs
from taxcheck.sources.batches import MappingBatch, Quarantined
from taxcheck.sources.inputs import TableSource
from taxcheck.sources.labels import encode_labels
from taxcheck.statistics.mapping import MappingState
from taxcheck.statistics.pairs import Nodes, PairState
from taxcheck.statistics.samples import Sink
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.state import collect
from taxcheck.statistics.values import IntArray, MappingStatistics

DERIVED_NOTE = "no mapping was given: idx were numbered from the labels in order of appearance"


def read_mapping(source: TableSource, workers: int, sink: Sink | None) -> MappingStatistics:
    """Fold the mapping; InputError where no row of it is sound."""
    state = collect(source.batches(), lambda: MappingState(sink), workers, apply_mapping)
    statistics = state.freeze()
    pa.default_memory_pool().release_unused()
    if not statistics.nodes:
        first = statistics.invalid.samples[0] if statistics.invalid.samples else None
        reason = next(iter(statistics.invalid.detail), "no rows")
        where = f", first in row {first.row}" if first else ""
        raise InputError(
            f"{source.table.path}: none of {statistics.rows:,} rows is an identifier and an idx "
            f"({reason}{where}); name the columns with --mapping-columns"
        )
    return statistics


@dataclass(frozen=True, slots=True)
class Intake:
    """The pairs as read: the state that all statistics come from, and the nodes it is held to."""

    mapping: MappingStatistics
    training: PairState
    held_out: PairState | None
    has_weights: bool


def read_pairs(
    pairs: TableSource,
    held_out: TableSource | None,
    mapping: MappingStatistics | None,
    workers: int,
    sink: Sink | None,
    resources: ExitStack,
) -> Intake:
    """Fold training and held-out pairs; without a mapping one is derived from their labels.

    The spools are closed by ``resources``. Raises InputError where no row is sound.
    """
    sources = [pairs] if held_out is None else [pairs, held_out]
    if mapping is None:
        known = _numbered(sources)
        mapping = _derived(known[0])
    else:
        known = _known(mapping)
    nodes = Nodes(mapping.mapped, mapping.identifiers)

    def fold(source: TableSource, sink: Sink | None) -> PairState:
        batches = encode_labels(source, known).batches() if source.labelled else source.batches()
        spool = PairSpool(has_depth="depth_diff" in source.columns.roles)
        resources.callback(spool.close)
        state = collect(batches, lambda: PairState(nodes, spool, sink), workers, apply_pairs)
        if state.invalid.count == state.rows:
            reason = max(state.invalid.detail, key=lambda r: state.invalid.detail[r])
            raise InputError(
                f"{source.table.path}: none of {state.rows:,} rows is a pair ({reason}); "
                "name the columns with --pair-columns"
            )
        return state

    training = fold(pairs, sink)
    pa.default_memory_pool().release_unused()
    return Intake(
        mapping,
        training,
        fold(held_out, None) if held_out is not None else None,
        "weight" in pairs.columns.roles,
    )


def _numbered(sources: list[TableSource]) -> tuple[pa.Array, IntArray]:
    """All labels of all sources in order of appearance, and their idx."""
    found = [encode_labels(source).identifiers for source in sources]
    if len({labels.type for labels in found}) > 1:
        found = [labels.cast(pa.string()) for labels in found]
    labels = pc.unique(pa.chunked_array(found))
    return labels, np.arange(len(labels), dtype=np.int64)


def _known(mapping: MappingStatistics) -> tuple[pa.Array, IntArray]:
    idx = np.flatnonzero(mapping.mapped)
    identifiers = mapping.identifiers
    if identifiers.integers is not None:
        return pa.array(identifiers.integers[idx]), idx
    assert identifiers.strings is not None
    return pa.array(identifiers.strings[idx], pa.string()), idx


def _derived(labels: pa.Array) -> MappingStatistics:
    rows = np.arange(len(labels))
    state = MappingState()
    nothing = Quarantined(np.empty(0, np.int64), (), {})
    state.update((MappingBatch(rows, labels, rows), nothing))
    return state.freeze(derived=True)
