"""A table of edges: a column of children and one of their parents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError
from taxcheck.model.vocabulary import plural
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.columns import MALFORMED
from taxcheck.sources.tables.labels import LABEL_ROLES, encode_labels
from taxcheck.sources.tables.opening import open_pairs
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.taxonomies.hierarchy import Dropped, Hierarchy, Origin, distinct_edges


def read_edges(path: str, columns: str | None) -> Hierarchy:
    """Parents and children by the columns' names; without a header the child comes first.

    Where the table has a distance, only rows at distance 1 are edges. A node beside itself is one
    without a parent. Integers are put in their order, texts stay in the order in which they come.
    """
    source = open_pairs(path, columns, mapping_given=False, role="edges", field="columns")
    labelled = encode_labels(source)
    ends, rows, deeper = [], 0, 0
    for batch in labelled.batches():
        rows += batch.rows
        _refuse_unsound(batch, source)
        pair = np.stack([batch.columns[r].to_numpy() for r in ("ancestor", "descendant")])
        if "depth_diff" in batch.columns:
            near = _is_one(batch.columns["depth_diff"])
            deeper += int(np.count_nonzero(~near))
            pair = pair[:, near]
        ends.append(pair)
    parents, children = np.concatenate(ends, axis=1)
    identifiers, n = labelled.identifiers, len(labelled.identifiers)
    own = int(np.count_nonzero(parents == children))
    if pa.types.is_integer(identifiers.type):
        source.read_as_integers()
        order = np.argsort(identifiers.to_numpy(), kind="stable")
        place = np.empty(n, dtype=np.int64)
        place[order] = np.arange(n)
        identifiers = identifiers.take(pa.array(order))
        parents, children = place[parents], place[children]
    parents, children = distinct_edges(parents, children, n)
    repeated = rows - deeper - own - len(parents)
    told = [Dropped("rows", deeper, "their distance is not 1, so they are no edges")]
    told += [Dropped("rows", repeated, "they repeat an edge")]
    table = source.table
    notes = list(table.notes)
    unread = len(table.column_names) - len(source.columns.roles)
    if unread and source.columns.told_by != "position":  # else it is told with the positions
        are = "is" if unread == 1 else "are"
        notes.append(f"{plural(unread, 'further column')} {are} not read")
    reading = source.reading()
    notes += reading.guesses
    if trimmed := sum(reading.forms[role].trimmed for role in LABEL_ROLES):
        notes.append(f"{trimmed:,} labels had blanks at their ends, which were left out")
    return Hierarchy(
        Origin("edge list", table.path, None, table.bytes, table.fingerprint()),
        identifiers.combine_chunks() if isinstance(identifiers, pa.ChunkedArray) else identifiers,
        parents,
        children,
        dropped=tuple(one for one in told if one.count),
        notes=tuple(notes),
    )


def _refuse_unsound(batch: RawBatch, source: TableSource) -> None:
    for role in ("ancestor", "descendant"):
        if batch.columns[role].null_count:
            at = int(np.flatnonzero(batch.columns[role].is_null().to_numpy(False))[0])
            why = batch.columns[MALFORMED][at].as_py() if MALFORMED in batch.columns else "empty"
            raise InputError(
                f"{source.table.path}: row {batch.first_row + at:,} is no edge "
                f"({str(why).replace('_taxid', '')}); mend or remove it"
            )


def _is_one(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    one = pc.equal(pc.utf8_trim_whitespace(column.cast(pa.string())), "1")
    return np.asarray(pc.fill_null(one, False).to_numpy(zero_copy_only=False))
