"""Which array of a checkpoint is the embedding table, and what names its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import Contents, Flat, Stored

# Last parts of a key that name an embedding table, in every engine seen so far.
_TABLE_NAMES = (
    "lt.weight", "vectors", "embeddings", "embedding", "embeddings.weight", "embedding.weight",
    "emb.weight", "emb", "node_embeddings", "entity_embeddings", "node_embeddings.weight",
    "entity_embeddings.weight", "embed.weight", "z_embeddings", "z", "X", "arr_0",
)  # fmt: skip
_LABEL_NAMES = (
    "objects", "index_to_key", "index2word", "index2entity", "labels", "names", "taxids", "taxid",
    "ids", "keys", "entities", "nodes", "node_ids", "vocab", "words", "tokens",
)  # fmt: skip
LABEL_MAPS = (
    "key_to_index", "entity_to_id", "word2idx", "taxid_to_idx", "taxid2idx", "node2idx",
    "node_to_idx", "label_to_idx", "label2idx", "name_to_idx", "vocab", "mapping",
    "idx_to_taxid", "idx2taxid", "idx2node", "idx_to_node", "idx_to_label", "id_to_entity",
)  # fmt: skip
_OPTIMIZER = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg", "sum")
_LISTED = 12
_COMPARED = 4096  # rows


def find_table(flat: Flat, contents: Contents, key: str | None, shown: str) -> tuple[str, Stored]:
    """The key and the array of the embedding table.

    By ``key``, by the names that engines use, or because nothing else has two dimensions. Raises
    InputError, with what is there, where that does not decide.
    """
    if key is not None:
        return _given(flat, key, shown)
    tables = {
        name: array
        for name, array in flat.arrays.items()
        if array.is_table and not _of_optimizer(name)
    }
    for name in contents.keys:
        if name in tables:
            return name, tables[name]
    if len(tables) == 1:
        return next(iter(tables.items()))
    if not tables:
        raise InputError(f"{shown}: holds no embedding table{_instead(flat)}")
    for wanted in _TABLE_NAMES:
        named = {n: a for n, a in tables.items() if n == wanted or n.endswith(f".{wanted}")}
        if named and _alike(named):
            return next(iter(named.items()))
    most = max(array.shape[0] for array in tables.values())
    longest = {name: array for name, array in tables.items() if array.shape[0] == most}
    if most >= 2 and len(longest) == 1:
        return next(iter(longest.items()))
    raise InputError(
        f"{shown}: several arrays could be the table: {_listed(tables)}; say which with `key`"
    )


def other_tables(flat: Flat, key: str, chosen: Stored) -> str:
    """Arrays that could have been the table and differ from it, for people; "" for none."""
    others = {
        name: array
        for name, array in flat.arrays.items()
        if name != key and array.is_table and not _of_optimizer(name)
    }
    head = chosen.array()[:_COMPARED]
    return _listed(
        {
            name: array
            for name, array in others.items()
            if array.shape != chosen.shape
            or not np.array_equal(array.array()[:_COMPARED], head, equal_nan=True)
        }
    )


def _of_optimizer(name: str) -> bool:
    *parents, last = name.split(".")
    return last in _OPTIMIZER or "optimizer" in parents


def _alike(named: Mapping[str, Stored]) -> bool:
    return len({(array.shape, array.dtype) for array in named.values()}) == 1


def _given(flat: Flat, key: str, shown: str) -> tuple[str, Stored]:
    if key in flat.unreadable:
        raise InputError(
            f"{shown}: {key} is {flat.unreadable[key]}, which taxcheck does not read; save it as a "
            "dense float array"
        )
    if key not in flat.arrays:
        listed = _listed(flat.arrays) or "none"
        raise InputError(
            f"{shown}: holds no array {one_line(repr(key), 80)}; `key` can be: {listed}"
        )
    array = flat.arrays[key]
    if not array.is_table:
        raise InputError(
            f"{shown}: {key} is {array.dtype} of shape {array.shape}; an embedding table has float "
            "numbers in rows and columns"
        )
    return key, array


def _listed(arrays: Mapping[str, Stored]) -> str:
    parts = [
        f"{one_line(name, 60)} {'x'.join(map(str, array.shape)) or 'scalar'} {array.dtype}"
        for name, array in arrays.items()
    ]
    more = len(parts) - _LISTED
    return ", ".join(parts[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _instead(flat: Flat) -> str:
    if flat.unreadable:
        name, kind = next(iter(flat.unreadable.items()))
        return f": {one_line(name, 60)} is {kind}; save it as a dense float array"
    if flat.arrays:
        return f" (floats in rows and columns), only: {_listed(flat.arrays)}"
    return "; there is nothing to judge"


def find_labels(flat: Flat, rows: int, beside: str) -> tuple[str, pa.Array] | None:
    """What names the rows, with its key: int64 or string, one for each; None where nothing does.

    ``beside`` is the table's key: what lies near it is preferred.
    """
    near = beside.rsplit(".", 1)[0] if "." in beside else ""

    def place(name: str, known: Sequence[str], after: int = 0) -> tuple[bool, int, int] | None:
        last = name.rsplit(".", 1)[-1].lower()
        if last not in known:
            return None
        return (name.rpartition(".")[0] != near, after, known.index(last))

    found: list[tuple[tuple[bool, int, int], str, pa.Array]] = []
    for name, values in flat.lists.items():
        if (rank := place(name, _LABEL_NAMES)) is not None and len(values) == rows:
            found.append((rank, name, _labels(values)))
    for name, array in flat.arrays.items():
        if (rank := place(name, _LABEL_NAMES)) is None or array.shape != (rows,):
            continue
        if array.dtype[0] in "iuUS":
            found.append((rank, name, _labels_of(array)))
    for name, entries in flat.maps.items():
        if (rank := place(name, LABEL_MAPS, 1)) is not None and len(entries) == rows:
            found.append((rank, name, _labels(_in_order(entries, rows))))
    usable = [(rank, name, labels) for rank, name, labels in found if labels is not None]
    if not usable:
        return None
    _, name, labels = min(usable, key=lambda item: item[0])
    return name, labels


def _in_order(entries: Mapping[object, object], rows: int) -> Sequence[object] | None:
    """The labels of a dict from label to row, or from row to label, in the order of the rows."""
    for keys, numbers in ((entries.keys(), entries.values()), (entries.values(), entries.keys())):
        if set(map(type, numbers)) != {int}:
            continue
        try:
            places = np.fromiter(numbers, np.int64, rows)
        except OverflowError:
            continue
        if places.min() == 0 and places.max() == rows - 1 and len(np.unique(places)) == rows:
            names = list(keys)
            return [names[i] for i in np.argsort(places)]
    return None


def _labels_of(array: Stored) -> pa.Array | None:
    values = array.array()
    return pa.array(values.astype(np.int64)) if array.dtype[0] == "i" else _labels(values.tolist())


def _labels(values: Sequence[object] | None) -> pa.Array | None:
    if values is None:
        return None
    values = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values
    ]
    kinds = set(map(type, values))
    try:
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if kinds <= {int, str}:
            found = pa.array([str(value) for value in values], pa.string())
            found.validate(full=True)  # NumPy's text can hold numbers that are no characters
            return found
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError):
        pass
    return None
