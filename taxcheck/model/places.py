"""Where rows stand: by a number, and where a table is of several files by the file as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Sample

SaidRow = Callable[[str, int], str]  # ``Places.said``


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one table, whose rows are numbered on from file to file."""

    paths: tuple[str, ...]
    starts: IntArray  # (files,) row numbers before each

    def among(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """The number of the file, and the row in it, of rows (k,) of the table."""
        # An empty file starts where the next one does: the last of those has the row.
        at = np.searchsorted(self.starts, rows, side="left") - 1
        return at, rows - self.starts[at]

    def place(self, row: int) -> tuple[str, int]:
        """The path of the file, and the row in it."""
        at, own = self.among(np.array([row]))
        return self.paths[int(at[0])], int(own[0])


@dataclass(frozen=True, slots=True)
class Places:
    """The tables, by role, that are of several files."""

    tables: Mapping[str, Files]

    def said(self, table: str, row: int, form: str = ",") -> str:
        """``row 1,234``, or ``pairs/part-3.parquet, row 17``; ``form`` is that of the number."""
        if table not in self.tables:
            return f"row {row:{form}}"
        path, own = self.tables[table].place(row)
        return f"{path}, row {own:{form}}"

    def sample(self, sample: Sample) -> Sample:
        """A sample with its file, and the row in it."""
        files = self.tables.get(sample.table or "")
        if sample.file is not None or sample.row is None or files is None:
            return sample
        path, row = files.place(sample.row)
        return structs.replace(sample, row=row, file=path)
