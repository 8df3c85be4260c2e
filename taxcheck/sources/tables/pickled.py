"""A pickled list of dicts, or dict of lists, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from taxcheck.model.errors import InputError
from taxcheck.sources.files import InputFile
from taxcheck.sources.safe_pickle import load
from taxcheck.sources.tables.batches import BATCH_ROWS, RawBatch
from taxcheck.sources.tables.json_forms import dictionary
from taxcheck.sources.tables.values import array_of

_SHAPE = (
    "taxcheck reads a list of dicts or of tuples, one a row, a dict of lists, one a column, or a "
    "dict of label: idx"
)


class PickleReader:
    """A pickled table, held in memory as Arrow columns once it is read."""

    format = "pickle"

    def __init__(self, file: InputFile) -> None:
        self._file = file
        self._read()

    def __getstate__(self) -> InputFile:
        """Another process reads the file itself."""
        return self._file

    def __setstate__(self, file: InputFile) -> None:
        self._file = file
        self._read()

    def _read(self) -> None:
        # The rows as dicts take ten times the room of the columns: they end with this call.
        data, shown = load(self._file), self._file.shown
        self.notes: tuple[str, ...] = ("The pickle was read without running anything from it.",)
        if isinstance(data, dict) and data and all(isinstance(v, str | int) for v in data.values()):
            self._columns, note = _dictionary(data, shown)
            self.notes += (note,)
        else:
            self._columns = _columns(data, shown)
        self.header = not _of_tuples(data)
        self.column_names = tuple(self._columns)

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the table that is read, 0 to 1."""
        cells: dict[str, pa.Array] = {}
        for role, name in columns.items():
            column = self._columns[name]
            if column is None:
                raise InputError(
                    f"{self._file.shown}: column {name!r} holds more than numbers and texts; save "
                    "plain values"
                )
            cells[role] = column
        rows = len(next(iter(cells.values())))
        for start in range(0, rows, BATCH_ROWS):
            part = {role: column.slice(start, BATCH_ROWS) for role, column in cells.items()}
            yield RawBatch(start + 1, part), min((start + BATCH_ROWS) / rows, 1.0)


def _of_tuples(data: object) -> bool:
    """Whether the rows are tuples or lists, so that nothing names the columns."""
    return isinstance(data, list | tuple) and {type(row) for row in data} in ({tuple}, {list})


def _dictionary(data: dict[object, object], shown: str) -> tuple[dict[str, pa.Array | None], str]:
    """The two columns of a dict such as word2idx, and which is which."""
    if not all(isinstance(key, str | int) for key in data):
        raise InputError(f"{shown}: the keys of this pickle are neither texts nor numbers")
    form = dictionary([(str(key), value) for key, value in data.items()])
    columns = {
        name: array_of(cells)
        for name, cells in zip(form.names, zip(*form.rows, strict=True), strict=True)
    }
    return columns, form.note


def _columns(data: object, shown: str) -> dict[str, pa.Array | None]:
    if isinstance(data, dict) and all(isinstance(v, list | tuple) for v in data.values()) and data:
        lengths = {len(values) for values in data.values()}
        if len(lengths) > 1:
            raise InputError(f"{shown}: the pickled columns differ in length ({sorted(lengths)})")
        return {str(name): array_of(values) for name, values in data.items()}
    if not isinstance(data, list | tuple):
        raise InputError(f"{shown}: this pickle holds a {type(data).__name__}; {_SHAPE}")
    if _of_tuples(data):
        if len(set(map(len, data))) > 1:
            raise InputError(f"{shown}: the rows of this pickle differ in length")
        columns = zip(*data, strict=True)
        return {f"column {k}": array_of(cells) for k, cells in enumerate(columns, start=1)}
    names: dict[object, None] = {}
    seen: tuple[object, ...] = ()
    for number, row in enumerate(data, start=1):
        if not isinstance(row, dict):
            raise InputError(
                f"{shown}: record {number} of this pickle is a {type(row).__name__}; {_SHAPE}"
            )
        if (keys := tuple(row)) != seen:
            names.update(dict.fromkeys(keys))
            seen = keys
    if not names:
        raise InputError(f"{shown}: holds no rows; there is nothing to judge")
    return {str(name): array_of([row.get(name) for row in data]) for name in names}
