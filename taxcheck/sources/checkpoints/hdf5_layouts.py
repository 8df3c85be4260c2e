"""Layouts that libraries have in HDF5: AnnData's ``obs`` and ``obsm``, and the frames of pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import Contents, Stored, in_memory
from taxcheck.sources.files import InputFile

_UNREAD = ("var", "varm", "varp", "obsp", "layers", "raw", "uns")
_BLOCKS = 64


def is_anndata(opened: Any) -> bool:
    """Whether an open file is AnnData's."""
    said = opened.attrs.get("encoding-type", "")
    return said == "anndata" or ("obs" in opened and ("obsm" in opened or "var" in opened))


def with_categories(tree: Mapping[object, object]) -> dict[object, object]:
    """The tree with each group of ``codes`` and ``categories`` in place of it as one list."""
    found = dict(tree)
    for place in list(tree):
        group = str(place).removesuffix(".codes")
        codes, categories = tree[place], tree.get(f"{group}.categories")
        if group == place or not isinstance(codes, Stored) or codes.dtype[0] not in "iu":
            continue
        if isinstance(categories, Stored) and len(categories.shape) == 1:
            categories = categories.array().tolist()
        if not isinstance(categories, list) or len(codes.shape) != 1:
            continue
        at = codes.array().astype(np.int64).tolist()
        of = len(categories)
        found[group] = [categories[code] if 0 <= code < of else None for code in at]
        del found[place], found[f"{group}.categories"]
    return found


def annotated_contents(tree: Mapping[object, object]) -> Contents:
    """AnnData: vectors in ``obsm``, or else ``X``, and the names of their rows in ``obs``."""
    tree = {**tree, **_frames_in_obsm(tree)}
    has_obsm = any(str(place).startswith("obsm.") for place in tree)
    left = (*_UNREAD, "X") if has_obsm else _UNREAD
    kept = {p: v for p, v in tree.items() if str(p).split(".")[0] not in left}
    unread = sorted({str(p).split(".")[0] for p in tree} & {*left})
    notes = (f"Not read of the AnnData: {', '.join(unread)}.",) if unread else ()
    return Contents("AnnData", kept, (), notes)


def _frames_in_obsm(tree: Mapping[object, object]) -> dict[object, object]:
    """Frames of ``obsm``, whose columns are datasets of their own, as one table each."""
    groups: dict[str, dict[str, Stored]] = {}
    for place, value in tree.items():
        parts = str(place).split(".")
        floats = isinstance(value, Stored) and len(value.shape) == 1 and value.dtype[0] == "f"
        if len(parts) == 3 and parts[0] == "obsm" and isinstance(value, Stored) and floats:
            groups.setdefault(parts[1], {})[parts[2]] = value
    return {
        f"obsm.{name}": in_memory(np.column_stack([one.array() for one in columns.values()]))
        for name, columns in groups.items()
        if len({one.shape for one in columns.values()}) == 1
    }


def frames_of(opened: Any, file: InputFile, h5py: Any) -> dict[str, pa.Table]:
    """The frames that pandas wrote with to_hdf in its fixed format, by their keys."""
    found = {}
    for name in list(opened)[:_BLOCKS]:
        if not isinstance(opened.get(name, getlink=True), h5py.HardLink):
            continue
        group = opened[name]
        kind = group.attrs.get("pandas_type") if isinstance(group, h5py.Group) else None
        kind = kind.decode() if isinstance(kind, bytes) else kind
        if kind == "frame_table":
            raise InputError(
                f"{file.shown}: {one_line(name, 60)} is a table of pandas in its format 'table'; "
                "write it with to_parquet, or with to_hdf(format='fixed')"
            )
        if kind == "frame":
            found[name] = _frame(group, file)
    return found


def _frame(group: Any, file: InputFile) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    rows = _texts(group["axis1"])
    for number in range(_BLOCKS):
        if f"block{number}_items" not in group:
            break
        values = group[f"block{number}_values"]
        if values.dtype.kind not in "iuf":
            continue
        if values.nbytes > max(200 * file.bytes, 64 << 20):
            raise InputError(f"{file.shown}: unpacks to far more than an embedding table is")
        for item, column in zip(_texts(group[f"block{number}_items"]), values[()].T, strict=True):
            columns[str(item)] = pa.array(np.ascontiguousarray(column))
    return pa.table({"index": pa.array(rows), **columns} if "index" not in columns else columns)


def _texts(dataset: Any) -> list[Any]:
    values = dataset[()].tolist()
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
