"""Pairs in NumPy's files: arrays of n x 2 or n x 3 integers, records, columns, sparse matrices.

Arrays are memory-mapped; those of an npz are first written to temporary files. No object is loaded.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.errors import InputError
from taxcheck.sources.files import InputFile, Unpacked, damaged, on_disk, reading
from taxcheck.sources.packed import bomb, limit_of
from taxcheck.sources.readers import CERTAIN, NEVER, Candidate, Guess
from taxcheck.sources.tables.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.tables.boxes import chosen, refuse_twice
from taxcheck.sources.tables.columnar import plain

Array = npt.NDArray[Any]
_WIDTHS = (2, 3)
_PIECE = 1 << 20
_EXPECTED = (
    "pairs are n x 2 or n x 3 whole numbers or texts, records with names, or columns in an npz"
)
_DAMAGE = (
    *(ValueError, SyntaxError, TypeError, KeyError, RecursionError, OverflowError, OSError),
    TokenError,
)


def claim_npz(candidate: Candidate) -> float:
    """Whether it is a zip of arrays alone."""
    from taxcheck.sources.unsupported import members

    names = candidate.once(members)
    return CERTAIN if names and all(name.endswith(".npy") for name in names) else NEVER


class ArrayReader:
    """The rows of arrays, numbered from 1."""

    def __init__(self, candidate: Candidate) -> None:
        self._file = candidate.file
        self._kept: list[Unpacked] = []  # whose files are there as long as this
        self.notes: tuple[str, ...] = ()
        self.header = True
        packed = candidate.head.startswith(b"PK")
        self.format = "npz" if packed else "npy"
        if packed:
            self._columns: Mapping[str, Any] = self._of_npz(candidate)
        else:
            self._columns = self._of_one(_mapped(on_disk(self._file), self._file.shown))
        self.column_names = tuple(self._columns)
        lengths = {len(column) for column in self._columns.values()}
        if len(lengths) > 1:
            raise InputError(
                f"{self._file.shown}: its columns differ in length ({sorted(lengths)})"
            )
        self._rows = lengths.pop()

    def _of_one(self, array: Array) -> dict[str, Array]:
        """The columns of one array."""
        shown, names = self._file.shown, array.dtype.names
        if names and array.ndim == 1:
            return {name: array[name] for name in names}
        shape, whole = array.shape, array.dtype.kind in "iuUS"
        if whole and array.ndim == 2:
            self.header = False
            if shape[1] in _WIDTHS:
                return {f"column {k + 1}": array[:, k] for k in range(shape[1])}
            if shape[0] in _WIDTHS:
                self.notes = (f"Its {shape[0]} rows are read as the columns.",)
                return {f"column {k + 1}": array[k] for k in range(shape[0])}
        size = " x ".join(f"{n:,}" for n in shape) or "one"
        raise InputError(
            f"{shown}: is an array of {size} {array.dtype.name[:40]}; {_EXPECTED}; a trained table "
            "is given as `embeddings`"
        )

    def _of_npz(self, candidate: Candidate) -> dict[str, Array]:
        shown = self._file.shown
        with reading(shown, "npz"), self._file.open() as stream:
            try:
                with zipfile.ZipFile(stream) as archive:
                    names = archive.namelist()
                    often, _ = Counter(names).most_common(1)[0]
                    refuse_twice(self._file, names, often, "an npz file")
                    arrays = {
                        info.filename.removesuffix(".npy"): self._member(archive, info)
                        for info in archive.infolist()
                    }
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                raise damaged(shown, "npz", error) from error
        if "format" in arrays and "shape" in arrays:
            return self._of_sparse(arrays)
        columns = {name: array for name, array in arrays.items() if array.ndim == 1}
        tables = [name for name, array in arrays.items() if array.ndim == 2 or array.dtype.names]
        longest = max(map(len, columns.values()), default=0)
        left = [name for name, array in columns.items() if len(array) != longest]
        if not self._file.part and len(columns) - len(left) > 1 and not tables:
            if left:
                told = f"Not as long as the others, and not read: {', '.join(left[:5])}."
                self.notes = (Guess(told),)
            return {name: array for name, array in columns.items() if name not in left}
        name, _ = chosen(self._file, tables, "an npz file", candidate)
        return self._of_one(arrays[name])

    def _member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
        if info.file_size > limit_of(info.compress_size):
            raise bomb(self._file.shown)
        with archive.open(info) as member:
            pieces = iter(lambda: member.read(_PIECE), b"")
            inner = Unpacked(self._file, info.filename, pieces)
        array = _mapped(inner, inner.shown)
        self._kept.append(inner)
        return array

    def _of_sparse(self, arrays: Mapping[str, Array]) -> dict[str, Any]:
        """Rows and columns of what scipy.sparse.save_npz wrote."""
        shown = self._file.shown
        kind = bytes(arrays["format"].tobytes()).replace(b"\0", b"").decode("ascii", "replace")
        self.format = f"npz, a sparse matrix ({kind[:10]})"
        if "data" in arrays and (zeros := np.count_nonzero(arrays["data"] == 0)):
            raise InputError(
                f"{shown}: is a sparse matrix that stores {zeros:,} of its zeros, which are no "
                "pairs; take them away with matrix.eliminate_zeros(), and save it again"
            )
        if {"row", "col"} <= set(arrays):
            return {"row": arrays["row"], "col": arrays["col"]}
        if kind not in ("csr", "csc") or not {"indptr", "indices"} <= set(arrays):
            raise InputError(
                f"{shown}: is a sparse matrix of the format {kind[:10]!r}; save it with "
                "scipy.sparse.save_npz(path, matrix.tocoo())"
            )
        starts, others = arrays["indptr"], arrays["indices"]
        sound = len(starts) and starts.ndim == 1 and starts[0] == 0 and starts[-1] == len(others)
        if not sound or (np.diff(starts) < 0).any():
            raise damaged(shown, "npz", "indptr and indices disagree")
        runs, ends = ("row", "col") if kind == "csr" else ("col", "row")
        return {runs: _Runs(starts, len(others)), ends: others}

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the rows that is read, 0 to 1."""
        for begin in range(0, self._rows, BATCH_ROWS):
            end = min(begin + BATCH_ROWS, self._rows)
            cells = {role: self._cells(name, begin, end) for role, name in columns.items()}
            yield RawBatch(begin + 1, cells), end / self._rows

    def _cells(self, name: str, begin: int, end: int) -> pa.Array:
        shown = self._file.shown
        found = self._columns[name][begin:end]
        if found.ndim != 1 or found.dtype.kind not in "iufbUS":
            raise InputError(
                f"{shown}: column {name!r} holds {found.dtype.name[:40]}, no whole numbers or texts"
            )
        with reading(shown, self.format):
            native = np.ascontiguousarray(found.astype(found.dtype.newbyteorder("="), copy=False))
            return plain(pa.array(native), name, shown)


class _Runs:
    """Of which row of a matrix each entry is, computed slice by slice from where the rows begin."""

    def __init__(self, starts: Array, entries: int) -> None:
        self._starts, self._entries = starts, entries

    def __len__(self) -> int:
        return self._entries

    def __getitem__(self, entries: slice) -> Array:
        places = np.arange(entries.start, entries.stop)
        found: Array = np.searchsorted(self._starts, places, side="right") - 1
        return found


def _mapped(file: InputFile, shown: str) -> Array:
    """The array of a file, where it lies. InputError where it holds objects, or is cut off."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mapped = np.lib.format.open_memmap(file.path, mode="r")
    except (*_DAMAGE, MemoryError) as error:
        if "objects" in str(error):
            raise InputError(
                f"{shown}: holds Python objects, which are not loaded; save numbers, or texts as "
                "an array of the type str"
            ) from error
        if isinstance(error, ValueError) and "empty file" in str(error):
            raise InputError(f"{shown}: holds no rows; there is nothing to judge") from error
        raise damaged(shown, "npy", error) from error
    if not math.prod(mapped.shape):
        raise InputError(f"{shown}: holds no rows; there is nothing to judge")
    return mapped
