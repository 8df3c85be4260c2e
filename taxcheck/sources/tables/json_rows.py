"""JSON as a table: JSON Lines, lists of objects or of lists, and objects of several forms."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.files import reading
from taxcheck.sources.packed import compression_of, read_fully, unpacking
from taxcheck.sources.readers import NEVER, STRONG, Candidate, Guess
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.boxes import chosen
from taxcheck.sources.tables.columns import KNOWN_NAMES, MALFORMED, normalise
from taxcheck.sources.tables.json_blocks import element_blocks, line_blocks
from taxcheck.sources.tables.json_forms import FORMS, Form, dictionary, form_of
from taxcheck.sources.tables.json_parse import (
    EMPTY,
    UNREADABLE,
    Broken,
    Twice,
    elements_of,
    lines_of,
    members_of,
)
from taxcheck.sources.tables.values import array_of, is_text

_BEGIN = re.compile(rb'\A(\{\s*("|\})|\[\s*([\[{"\]\d-]|true|false|null))')
_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst")
_WHOLE = 1 << 25  # bytes of an object whose form is found out by looking at all of it
_SHOWN = 200  # characters of a row that is none
_TRUE_OR_FALSE = (
    "Column {!r} holds true or false, read as labels; YAML makes such of NO, YES, ON and OFF."
)
_SHAPES: dict[type, str] = {dict: "objects", list: "lists"}
Numbered = Iterator[tuple[int, Sequence[object], float]]  # first row, rows, share that is read


def claim_json(candidate: Candidate) -> float:
    """How surely text is JSON: it begins like it, and its first line or all is whole."""
    head = _begin(candidate) if candidate.is_text else b""
    if not _BEGIN.match(head):
        return NEVER
    line, _, _ = head.partition(b"\n")
    first = lines_of(line)[0]
    if isinstance(first, Broken):  # a document over several lines, or one long one
        return STRONG if not line.endswith(b",") or line.strip() in (b"{", b"[") else NEVER
    return STRONG if isinstance(first, dict | list) else NEVER


def _begin(candidate: Candidate) -> bytes:
    return candidate.unpacked.removeprefix(b"\xef\xbb\xbf").lstrip()


class JsonReader:
    """A table of JSON. Rows are numbered by line in JSON Lines, else one after the other.

    Whole lines, and the elements of a list, are read in blocks. An object of another form than
    label: idx has to be looked at whole.
    """

    def __init__(self, candidate: Candidate) -> None:
        self._file = candidate.file
        self._compression = compression_of(candidate.head)
        self._form: Form | None = None
        self._true_or_false: dict[str, None] = {}  # columns of labels that hold some
        self.of_lines = self._is_lines(_begin(candidate))
        self._list = not self.of_lines and _begin(candidate).startswith(b"[")
        name = "json lines" if self.of_lines else "json"
        self.format = f"{name}, {self._compression}" if self._compression else name
        self._stream_members, self._skip = False, 0
        if not (self.of_lines or self._list):
            self._look_at_object(candidate)
        elif self._file.part:
            raise InputError(f"{self._file.shown}: is one list, which has no parts to be named")
        self._shape()

    def _is_lines(self, head: bytes) -> bool:
        line, ended, more = head.partition(b"\n")
        alone = not isinstance(lines_of(line)[0], Broken)
        return (
            alone
            and bool(more.strip() or self._file.hint.endswith(_LINES))
            and bool(ended or self._file.hint.endswith(_LINES))
        )

    # -- what it is

    def _look_at_object(self, candidate: Candidate) -> None:
        shown = self._file.shown
        with reading(shown, self.format), self._file.open() as raw:
            stream = unpacking(raw, self._compression, shown, self._file.bytes)
            text = read_fully(stream, _WHOLE + 1)
        if len(text) > _WHOLE:
            self._stream_members = True
            return
        try:
            blocks = element_blocks(io.BytesIO(text), shown)
            members = list(chain.from_iterable(map(members_of, blocks)))
        except UNREADABLE as error:
            raise self._broken(error) from error

        def choose(names: Sequence[str]) -> str:
            return chosen(self._file, names, "a JSON object", candidate)[0]

        self._form = form_of(members, shown, choose, named=bool(self._file.part))

    def _shape(self) -> None:
        """Names and kinds by the first rows."""
        _, rows, _ = next(self._blocks(), (1, (), 1.0))
        self._kind = self._kind_of(rows)
        named = self._form.names if self._form else ()
        self.header = bool(named) or self._kind is dict
        if self._kind is dict:
            keys = dict.fromkeys(chain.from_iterable(r for r in rows if isinstance(r, dict)))
            self.column_names = tuple(map(str, keys))
            self._keys: tuple[object, ...] = tuple(keys)
        else:
            first = next(row for row in rows if isinstance(row, list))
            if not named and first is rows[0] and _names(first):
                named, self.header, self._skip = tuple(first), True, 1
            width = len(named) or len(first)
            self.column_names = named or tuple(f"column {k}" for k in range(1, width + 1))
            self._keys = tuple(range(width))
        if not self.column_names:
            raise InputError(f"{self._file.shown}: its rows are empty; there is nothing to judge")

    def _kind_of(self, rows: Sequence[object]) -> type:
        """What the first row is, an object or a list; InputError where it is neither."""
        shown, kinds = self._file.shown, [type(r) for r in rows if not isinstance(r, Broken)]
        if not kinds:
            if any(row is not EMPTY for row in rows):
                raise InputError(f"{shown}: its first line is no JSON; mend it, or give another")
            raise InputError(f"{shown}: holds no rows; there is nothing to judge")
        kind = dict if issubclass(kinds[0], dict) else kinds[0]
        if kind not in _SHAPES:
            raise InputError(
                f"{shown}: is JSON whose rows are neither objects nor lists; give {FORMS}"
            )
        return kind

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred, one sentence each."""
        named = ("Its first list is read as the names of the columns.",) if self._skip else ()
        form = (self._form.note,) if self._form and self._form.note else ()
        words = map(Guess, map(_TRUE_OR_FALSE.format, self._true_or_false))
        return (*named, *form, *words)

    # -- its rows

    def _blocks(self) -> Numbered:
        """Rows of a block, the number of the first, and the share of the file that is read."""
        if self._form is not None and not self._stream_members:
            rows = self._form.rows
            for start in range(0, len(rows), 1 << 18):
                yield start + 1, rows[start : start + (1 << 18)], min(start / len(rows), 1.0)
            return
        file, first = self._file, 1
        with reading(file.shown, self.format), file.open() as raw:
            stream = unpacking(raw, self._compression, file.shown, file.bytes)
            if self.of_lines:
                for before, block in line_blocks(stream, file.shown):
                    data = block if before else block.removeprefix(b"\xef\xbb\xbf")
                    yield before + 1, lines_of(data), min(raw.tell() / file.bytes, 1.0)
                return
            for block in element_blocks(stream, file.shown):
                if not block.strip():
                    continue
                try:
                    rows = self._members(block) if self._stream_members else elements_of(block)
                except UNREADABLE as error:
                    raise self._broken(error, first) from error
                yield first, rows, min(raw.tell() / file.bytes, 1.0)
                first += len(rows)

    def _members(self, block: bytes) -> Sequence[object]:
        """Rows of an object that is too long to be looked at whole."""
        members = members_of(block)
        if any(isinstance(value, dict | list) for _, value in members):
            raise InputError(
                f"{self._file.shown}: is a JSON object of more than {_WHOLE >> 20} MiB that is no "
                "object of label: idx; write it with one record a row: "
                'df.to_json(path, orient="records", lines=True)'
            )
        if self._form is None:
            self._like = members
        self._form = dictionary(members, self._like)
        return self._form.rows

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches and the share of the file that is read, 0 to 1."""
        keys = {role: self._keys[self.column_names.index(name)] for role, name in columns.items()}
        held = 0  # empty lines that are rows only where another row follows
        for first, rows, share in self._blocks():
            if first <= self._skip:
                first, rows = first + self._skip, rows[self._skip :]
            filled = len(rows)
            while filled and rows[filled - 1] is EMPTY:
                filled -= 1
            if held and filled:
                yield self._batch(first - held, [EMPTY] * held, keys), share
                held = 0
            held += len(rows) - filled
            if filled:
                yield self._batch(first, rows[:filled], keys), share

    def _batch(self, first: int, rows: Sequence[object], keys: Mapping[str, object]) -> RawBatch:
        reasons = self._reasons(rows)
        got: Sequence[Any] = rows
        if reasons:
            none: object = {} if self._kind is dict else [None] * len(self._keys)
            got = [none if k in reasons else row for k, row in enumerate(rows)]
        if self._kind is dict:
            taken = {role: [row.get(key) for row in got] for role, key in keys.items()}
        else:
            taken = {role: [row[key] for row in got] for role, key in keys.items()}
        cells: dict[str, pa.Array] = {}
        for role, values in taken.items():
            if is_text(role) and bool in set(map(type, values)):
                self._true_or_false[self.column_names[self._keys.index(keys[role])]] = None
            column = array_of(values, text=is_text(role))
            if column is None:
                raise self._nested(first, values, keys[role])
            cells[role] = column
        if reasons:
            self._tell(cells, rows, reasons)
        return RawBatch(first, cells)

    def _reasons(self, rows: Sequence[object]) -> dict[int, str]:
        """Why rows are none, by their place."""
        kinds = set(map(type, rows))
        if kinds == {dict} or (kinds == {list} and self._kind is list and self._of_width(rows)):
            return (
                {}
                if kinds == {self._kind}
                else dict.fromkeys(range(len(rows)), f"is an object among {_SHAPES[self._kind]}")
            )
        found = {}
        for place, row in enumerate(rows):
            if reason := self._reason(row):
                found[place] = reason
        return found

    def _of_width(self, rows: Iterable[object]) -> bool:
        return set(map(len, rows)) == {len(self._keys)}  # type: ignore[arg-type]

    def _reason(self, row: object) -> str:
        if isinstance(row, Broken):
            return row.why
        if isinstance(row, Twice):
            return f"has the key {row.key[:40]!r} twice"
        if not isinstance(row, self._kind):
            return f"is no {'object' if self._kind is dict else 'list'}"
        if isinstance(row, list) and len(row) != len(self._keys):
            return f"{len(row)} values instead of {len(self._keys)}"
        return ""

    @staticmethod
    def _tell(cells: dict[str, pa.Array], rows: Sequence[object], reasons: dict[int, str]) -> None:
        """Null the cells of rows that are none, and say why; the first has the row as text."""
        bad = np.zeros(len(rows), np.bool_)
        bad[list(reasons)] = True
        shown = iter([one_line(repr(rows[k]), _SHOWN) if not isinstance(rows[k], Broken) else ""
                      for k in reasons])  # fmt: skip
        for number, (role, column) in enumerate(cells.items()):
            texts = column.cast(pa.string()).to_pylist()
            for place in reasons:
                texts[place] = next(shown) if number == 0 else None
            cells[role] = pa.array(texts, pa.string())
        why = [reasons.get(k) for k in range(len(rows))]
        cells[MALFORMED] = pa.array(why, pa.string(), mask=~bad)

    def _nested(self, first: int, values: Sequence[object], key: object) -> InputError:
        bad = next(
            (
                k
                for k, value in enumerate(values)
                if not isinstance(value, str | int | float | None)
            ),
            0,
        )
        what = "a list" if isinstance(values[bad], list) else "an object"
        if isinstance(values[bad], str):
            what = "a text that is not Unicode"
        name = self.column_names[self._keys.index(key)]
        where = "line" if self.of_lines else "record"
        return InputError(
            f"{self._file.shown}: {where} {first + bad:,}: {name!r} holds {what}, where a number "
            "or a text is needed; write one row for each pair"
        )

    def _broken(self, error: BaseException, first: int = 0) -> InputError:
        where = f", at record {first:,} or behind" if first > 1 else ""
        why = "nested too deep" if isinstance(error, RecursionError) else one_line(error, 200)
        return InputError(
            f"{self._file.shown}: is no whole JSON document ({why}{where}); it may be truncated or "
            "damaged: write or copy it again"
        )


def _names(row: Sequence[object]) -> bool:
    """Whether the cells of a list are what columns are called."""
    known = (isinstance(cell, str) and normalise(cell) in KNOWN_NAMES for cell in row)
    return all(isinstance(cell, str) for cell in row) and sum(known) > 1
