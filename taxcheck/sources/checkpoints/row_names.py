"""What a file says beside its table of whose each row is: identifiers, idx, or an order.

Everything with one entry a row is looked at. What its name or its numbers show to be a measurement
is none of these; the rest is kept, for the mapping to decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError, UsageError, one_line
from taxcheck.sources.checkpoints.contents import Contents, Flat, Stored


class Meaning(StrEnum):
    """What an entry says of its row."""

    IDENTIFIERS = "identifiers"
    IDX = "idx"  # row k is that of idx values[k]
    ROWS = "rows"  # idx k has row values[k]
    ORDER = "order"  # the name tells of an order: one of these two, or of identifiers
    UNSAID = "unsaid"


NONE = "none"  # said of labels: row k is idx k
_SAID = (Meaning.IDENTIFIERS, Meaning.IDX, Meaning.ROWS)


@dataclass(frozen=True, slots=True)
class RowNames:
    """One entry for each row, in the order of the rows."""

    place: str  # its key in the file
    values: pa.Array  # (rows,) int64 or string; null where a row has none
    meaning: Meaning

    @property
    def integers(self) -> npt.NDArray[np.int64] | None:
        """The entries as numbers; None where they are texts, or one is missing."""
        if not pa.types.is_integer(self.values.type) or self.values.null_count:
            return None
        return np.asarray(self.values.to_numpy(zero_copy_only=False), dtype=np.int64)


_IDENTIFIERS = (
    "taxids", "taxid", "tax_ids", "tax_id", "taxon_ids", "taxon_id", "taxa", "taxon",
    "identifiers", "identifier", "objects", "index_to_key", "index2word", "index2entity",
    "obs_names", "_index", "labels", "label", "entities", "entity", "curie", "curies", "accession",
    "keys", "key", "words", "word", "tokens", "token", "vocab", "ids", "id", "names", "name",
    "nodes", "node", "node_ids", "node_id", "node_names", "entity_names", "row_names", "rownames",
    "object", "index", "__index_level_0__",
)  # fmt: skip
_IDX = (
    "idx", "idxs", "node_idx", "node_idxs", "idx_of_row", "row_idx", "row_to_idx", "rows_to_idx",
    "indices", "node_index", "node_indices", "row_index", "row_indices",
)  # fmt: skip
_ROWS = ("idx_to_row", "row_of", "row_of_idx", "idx_to_rows")
_ORDER = (
    "order", "perm", "permutation", "row_order", "ordering", "sort_order", "argsort", "shuffle",
    "inverse", "row", "rows", "row_number", "row_numbers",
)  # fmt: skip
LABEL_MAPS = (
    "key_to_index", "entity_to_id", "entity_to_idx", "word2idx", "word2id", "taxid_to_idx",
    "taxid2idx", "node2idx", "node_to_idx", "node_to_id", "label_to_idx", "label2idx", "label2id",
    "name_to_idx", "name2idx", "vocab", "mapping", "token_to_idx", "stoi", "index",
    "idx_to_taxid", "idx2taxid", "idx2node", "idx_to_node", "idx_to_label", "idx2label",
    "id_to_entity", "id2label", "id2entity", "itos", "taxid_to_row", "row_to_taxid",
    "node_to_row", "label_to_row", "taxid_map", "node_map", "object_to_idx", "idx_to_object",
)  # fmt: skip
# One number a row that is measured, drawn or counted, and names nobody.
_MEASURED = re.compile(
    r"(n_?|num_?|total_?)?(update|visit|epoch|count|degree|freq|hit|seen|sample|depth|level|layer"
    r"|rank|norm|radius|radii|loss|score|weight|prob|bias|cluster|class|group|color|colour|mask"
    r"|offset|length|size|age|step|time|timestamp|batch|split|fold|parent|height|children"
    r"|descendant|ancestor|distance|dist|logit|curvature|kappa|scale|temperature|stopped|sum"
    r"|train|valid|test)(s|es|ed|d|ing)?(_.*)?|.*_(count|counts|norm|loss|score|degree|depth|rank"
    r"|weight|bias|mask|level|step|age|seen|time|cluster|class|parent|size)s?"
)
_KNOWN = {
    Meaning.IDENTIFIERS: _IDENTIFIERS,
    Meaning.IDX: _IDX,
    Meaning.ROWS: _ROWS,
    Meaning.ORDER: _ORDER,
}
_LOOSE = ("rows", "row", "index", "key")  # which name other things, too
_PICKED = 12  # named where several could be meant


def entries_of(
    flat: Flat, contents: Contents, rows: int, beside: str
) -> tuple[tuple[RowNames, ...], tuple[str, ...], tuple[str, ...]]:
    """What may name the rows, the likeliest first, and what by its name should but does not fit.

    Last comes what is called so and is of quite another length, and so hardly meant for these rows.
    ``beside`` is the table's key: what lies near it is preferred.
    """
    near = beside.rsplit(".", 1)[0] if "." in beside else ""
    misfits, unfit = list[str](), list[str]()
    found = [*_listed(flat, contents, rows, beside, misfits, unfit), *_mapped(flat, rows, misfits)]
    for place, kind in flat.unreadable.items():
        if _meaning(_last(place)) is not Meaning.UNSAID and place.rpartition(".")[0] == near:
            misfits.append(f"{one_line(place, 60)} is {kind}, which is not read")
    found.sort(key=lambda one: (one[1].place.rpartition(".")[0] != near, *one[0]))
    return tuple(names for _, names in found), tuple(misfits), tuple(unfit)


def _last(place: str) -> str:
    return place.rsplit(".", 1)[-1].lower()


def _listed(
    flat: Flat,
    contents: Contents,
    rows: int,
    beside: str,
    misfits: list[str],
    unfit: list[str],
) -> Iterator[tuple[tuple[int, int], RowNames]]:
    """Lists and arrays with one entry a row that may name it, and how likely they do."""
    for place, count, read in _one_dimensional(flat, contents):
        last = _last(place)
        meaning = _meaning(last)
        if count != rows:
            named = meaning is not Meaning.UNSAID and last not in _LOOSE
            told = f"{one_line(place, 60)} has {count:,} entries for {rows:,} rows"
            if place in contents.columns or (named and count > 1 and rows / 2 <= count <= 2 * rows):
                misfits.append(told)
            elif named and count > 1:
                unfit.append(told)
            continue
        if meaning is Meaning.UNSAID and (place == beside or is_measured(last)):
            continue
        values = read()
        if values is not None and (meaning is not Meaning.UNSAID or _all_differ(values)):
            yield _rank(last, meaning), RowNames(place, values, meaning)


def _mapped(
    flat: Flat, rows: int, misfits: list[str]
) -> Iterator[tuple[tuple[int, int], RowNames]]:
    """Dicts from label to row, or from row to label, as labels in the order of the rows."""
    for place, entries in flat.maps.items():
        last, count = _last(place), len(entries)
        known = last in LABEL_MAPS
        if count < 2 or (not known and count != rows):
            continue
        labels = _in_order(entries, rows)
        if labels is None and known and rows / 2 <= count <= 2 * rows:
            misfits.append(
                f"{one_line(place, 60)} has {count:,} entries for {rows:,} rows, and is no "
                "numbering of them"
            )
        if (values := as_labels(labels)) is not None:
            rank = LABEL_MAPS.index(last) if known else len(LABEL_MAPS)
            yield (1, rank), RowNames(place, values, Meaning.IDENTIFIERS)


def is_measured(name: str) -> bool:
    """Whether a name is that of something measured, counted or drawn for each row."""
    return bool(_MEASURED.fullmatch(name.rsplit(".", 1)[-1].lower()))


def names_rows(name: str) -> bool:
    """Whether a name is that of something that tells whose each row is."""
    return _meaning(name.rsplit(".", 1)[-1].lower()) is not Meaning.UNSAID


def picked(names: Sequence[RowNames], said: str) -> tuple[RowNames, ...]:
    """The one of the ``names`` that ``said`` (the field `labels`) asks for; none for "none".

    KEY, or KEY:identifiers, KEY:idx (row k is that of idx v[k]), KEY:rows (idx k has row v[k]).
    UsageError where nothing in the file is called so.
    """
    if said == NONE:
        return ()
    key, colon, how = said.rpartition(":")
    if not colon or how not in _SAID:
        key, how = said, ""
    chosen = [one for one in names if one.place == key]
    chosen = chosen or [one for one in names if one.place.rsplit(".", 1)[-1] == key]
    if not chosen:
        known = ", ".join(one_line(one.place, 60) for one in names[:_PICKED])
        raise UsageError(
            f"`labels` {said}: the table has no entries of that name with one for each row; "
            + (f"there are: {known}; " if known else "")
            + "`none` takes row k for idx k"
        )
    return (replace(chosen[0], meaning=Meaning(how)) if how else chosen[0],)


def _one_dimensional(
    flat: Flat, contents: Contents
) -> Iterator[tuple[str, int, Callable[[], pa.Array | None]]]:
    """Place, number of entries, and what reads them, of all that has one dimension."""
    for place, column in contents.columns.items():
        yield place, len(column), partial(_of_column, column)
    for place, values in flat.lists.items():
        yield place, len(values), partial(as_labels, values)
    for place, records in flat.records.items():
        for key in records[0] if records else ():
            whole = f"{place}.{key}" if place else key
            yield whole, len(records), partial(_of_records, records, key)
    for place, array in flat.arrays.items():
        shape = array.shape
        flat_shape = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
        if flat_shape and array.dtype[0] in "iuUSf":
            yield place, shape[0], partial(_of_array, array)


def _meaning(last: str) -> Meaning:
    return next((meaning for meaning, known in _KNOWN.items() if last in known), Meaning.UNSAID)


def _rank(last: str, meaning: Meaning) -> tuple[int, int]:
    """Maps from label to row stand between what is called a label and what is called an idx."""
    known = _KNOWN.get(meaning, ())
    kind = 0 if meaning is Meaning.IDENTIFIERS else 2 + list(Meaning).index(meaning)
    return kind, known.index(last) if last in known else 0


def _all_differ(values: pa.Array) -> bool:
    return values.null_count == 0 and len(pc.unique(values)) == len(values)


def _of_column(column: pa.Array) -> pa.Array | None:
    """A column of a table as labels; categories by their names, floats where all are whole."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_integer(column.type):
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            return column.cast(pa.string())
    if any(test(column.type) for test in (pa.types.is_string, pa.types.is_large_string)):
        return column.cast(pa.string())
    if pa.types.is_floating(column.type):
        return _whole(np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64))
    return None


def _of_records(records: Sequence[Mapping[str, Any]], key: str) -> pa.Array | None:
    return as_labels([record.get(key) for record in records])


def _of_array(array: Stored) -> pa.Array | None:
    values = array.array().reshape(-1)
    if array.dtype[0] == "i":
        return pa.array(values.astype(np.int64))
    if values.dtype.kind == "f":
        return _whole(values.astype(np.float64))
    return as_labels(values.tolist())


def _whole(values: npt.NDArray[np.float64]) -> pa.Array | None:
    """Floats that are all whole numbers, or NaN, as numbers; None where they measure something."""
    with np.errstate(invalid="ignore"):
        none = np.isnan(values)
        whole = none | ((values == np.floor(values)) & (np.abs(values) < 2**53))
    if not whole.all() or none.all():
        return None
    return pa.array(np.where(none, 0, values).astype(np.int64), mask=none)


def _in_order(entries: Mapping[object, object], rows: int) -> Sequence[object] | None:
    """The labels of a dict from label to row, or from row to label, in the order of the rows."""
    if len(entries) != rows:
        return None
    for keys, numbers in ((entries.keys(), entries.values()), (entries.values(), entries.keys())):
        at = _as_numbers(numbers)
        if at is None:
            continue
        if at.min() == 0 and at.max() == rows - 1 and len(np.unique(at)) == rows:
            names = list(keys)
            return [names[i] for i in np.argsort(at)]
    return None


def _as_numbers(values: Iterable[object]) -> npt.NDArray[np.int64] | None:
    listed: list[Any] = list(values)
    kinds = set(map(type, listed))
    try:
        if kinds == {str} and all(len(v) < 19 and re.fullmatch(r"\d+", v) for v in listed):
            return np.fromiter(map(int, listed), np.int64, len(listed))  # JSON has no other keys
        return np.fromiter(listed, np.int64, len(listed)) if kinds == {int} else None
    except OverflowError:
        return None


def as_labels(values: Sequence[object] | None) -> pa.Array | None:
    """Numbers or texts as int64 or string; None where they are neither, or no characters."""
    if values is None:
        return None
    values = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values
    ]
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if kinds == {float} or kinds == {int, float}:
            return _whole(np.array([np.nan if v is None else v for v in values], dtype=np.float64))
        if kinds and kinds <= {int, str}:
            found = pa.array([None if v is None else str(v) for v in values], pa.string())
            found.validate(full=True)  # NumPy's text can hold numbers that are no characters
            return found
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError):
        pass
    return None


def misfit(shown: str, misfits: Sequence[str]) -> InputError:
    """The refusal of a table whose labels are not as many as its rows."""
    return InputError(
        f"{shown}: {'; '.join(misfits[:3])}, so nothing says whose each row is; save both of one "
        "length, or say with `labels` what names the rows (`none`: row k is idx k)"
    )
