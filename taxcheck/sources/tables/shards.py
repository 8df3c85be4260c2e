"""Many files read as one table: of one schema, in a fixed order, with the keys of their folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.report import InputPart
from taxcheck.sources.files import InputFile
from taxcheck.sources.listing import Listed, listed
from taxcheck.sources.many_files import ManyFiles, at_once
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.columns import resolve_mapping_columns, resolve_pair_columns
from taxcheck.sources.tables.dialect import Header
from taxcheck.sources.tables.parts import Part, parts_of, read_part
from taxcheck.sources.tables.rows import Rows
from taxcheck.sources.tables.text import TextReader

Key = int | str | None  # a value of a key of folders
_NULL = "__HIVE_DEFAULT_PARTITION__"  # how Hive writes a null there


@dataclass(frozen=True, slots=True)
class Shard:
    """One of the files, with the keys of its folders as columns that are the same in every row."""

    listed: Listed
    file: InputFile
    reader: Rows
    keys: Mapping[str, Key]
    told: tuple[str, ...] = ()  # of the file, beside what its reader tells

    @property
    def format(self) -> str:
        """For people."""
        return self.reader.format

    @property
    def column_names(self) -> tuple[str, ...]:
        """Those of the file, then the keys."""
        return (*self.reader.column_names, *self.keys)

    @property
    def header(self) -> bool:
        """Whether the names are the file's own."""
        return self.reader.header

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred, one sentence each."""
        return (*self.told, *self.reader.notes)

    def parts(self, rows: int) -> tuple[Part, ...]:
        """The parts of the file."""
        return parts_of(self.reader, rows)

    def batches(
        self, columns: Mapping[str, str], part: Part | None = None
    ) -> Iterator[tuple[RawBatch, float]]:
        """Batches of the file, rows numbered as in it, and the share of it that is read."""
        own = {role: name for role, name in columns.items() if name not in self.keys}
        asked = own or {"": self.reader.column_names[0]}  # only to know how many rows there are
        for raw, share in read_part(self.reader, asked, part):
            cells = {role: raw.columns[role] for role in raw.columns if role}
            for role, name in columns.items():
                if name in self.keys:
                    value = self.keys[name]
                    cells[role] = (
                        pa.nulls(raw.rows) if value is None else pa.repeat(value, raw.rows)
                    )
            yield RawBatch(raw.first_row, cells), share


class Shards:
    """All files of a table as one reader: row numbers go on from file to file.

    Once they were read, ``starts`` are the row numbers before each. Raises InputError where files
    are of two schemas.
    """

    def __init__(
        self, files: Sequence[tuple[Listed, InputFile, Rows, tuple[str, ...]]], together: ManyFiles
    ) -> None:
        self._together = together
        names = list(dict.fromkeys(key for one, *_ in files for key, _ in one.keys))
        own = {name for _, _, reader, _ in files for name in reader.column_names}
        self.keys = tuple(key for key in names if key not in own)
        self._values = {key: _values([dict(one.keys).get(key) for one, *_ in files], key)
                        for key in self.keys}  # fmt: skip
        self._shadowed = [key for key in names if key in own]
        self.shards = tuple(
            Shard(one, file, reader, {key: self._values[key][at] for key in self.keys}, told)
            for at, (one, file, reader, told) in enumerate(files)
        )
        self._readers = [shard.reader for shard in self.shards]
        self._texts = [reader for reader in self._readers if isinstance(reader, TextReader)]
        self.of_text = len(self._texts) == len(self._readers)
        for text in self._texts:
            text.numbered = True
        if self.of_text:
            self._agree_on_header()
        for shard in self.shards[1:]:
            _refuse_other_schema(self.shards[0], shard)
        self._last = np.full(len(files) + 1, np.iinfo(np.int64).max)  # row numbers up to each
        self._last[0] = 0
        self._rows = [0] * len(files)

    # -- what a reader is asked

    @property
    def format(self) -> str:
        """The formats of the files."""
        return "; ".join(dict.fromkeys(reader.format for reader in self._readers))

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the first file, then the keys of the folders."""
        return (*self._readers[0].column_names, *self.keys)

    @property
    def header(self) -> bool:
        """Whether the names are the files' own."""
        return self._readers[0].header

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred in reading, one sentence each; with the files where not in all."""
        said: dict[str, list[str]] = {}
        for shard in self.shards:
            for note in shard.notes:
                said.setdefault(note, []).append(shard.listed.name)
        everywhere = [note for note, where in said.items() if len(where) == len(self.shards)]
        somewhere = [
            type(note)(f"{listed(where)}: {note}")
            for note, where in said.items()
            if note not in everywhere
        ]
        return (self._order(), *self._said_of_keys(), *everywhere, *somewhere, *self._said_empty())

    def batches(self, columns: Mapping[str, str]) -> Iterator[tuple[RawBatch, float]]:
        """Batches, numbered through all files, and the share of all bytes that is read."""
        whole = sum(shard.file.bytes for shard in self.shards)
        done = 0
        for at, shard in enumerate(self.shards):
            before, last, rows = int(self._last[at]), 0, 0
            for raw, share in shard.batches(columns):
                last, rows = raw.first_row + raw.rows - 1, rows + raw.rows
                yield (
                    RawBatch(raw.first_row + before, raw.columns),
                    (done + share * shard.file.bytes) / whole,
                )
            done += shard.file.bytes
            lines = shard.reader.lines if isinstance(shard.reader, TextReader) else last
            self._last[at + 1], self._rows[at] = before + lines, rows

    # -- what a reader of text is asked

    @property
    def first_cells(self) -> tuple[str, ...]:
        """The cells of the first line of the first file."""
        return self._texts[0].first_cells

    @property
    def header_reason(self) -> str:
        """Why the first line was taken for names, or for data."""
        return self._texts[0].header_reason

    def open_ends(self, names: Collection[str]) -> tuple[str, ...]:
        """Files that end in one of these columns without a line end."""
        return tuple(path for text in self._texts for path in text.open_ends(names))

    def use_header(self, header: Header) -> None:
        """Read the first line of every file as names, or as data."""
        for text in self._texts:
            if header.taken and text.first_cells != self.first_cells:
                raise self._not_alike(text)
            text.use_header(header)

    # -- what only many files have

    @property
    def key_values(self) -> dict[str, tuple[Key, ...]]:
        """The distinct values of each key of the folders."""
        return {key: tuple(dict.fromkeys(values)) for key, values in self._values.items()}

    @property
    def starts(self) -> IntArray:
        """The row numbers before each file, (files,), filled in as they are read."""
        return self._last[:-1]

    def parts(self, rows: int) -> Iterator[tuple[int, Part, int]]:
        """Number of the file, parts of about so many rows, and the row numbers before the file."""
        found = at_once(lambda shard: shard.parts(rows), self.shards)
        before = 0
        for at, parts in enumerate(found):
            for part in parts:
                yield at, part, before
            before += sum(part.numbers for part in parts)
            self._last[at + 1] = before

    def was_read(self, rows: Sequence[int]) -> None:
        """Take up how many rows each file has, which were read elsewhere."""
        self._rows = list(rows)

    def summaries(self) -> tuple[InputPart, ...]:
        """The files in their order."""
        digests = self._together.digests()
        return tuple(
            InputPart(shard.listed.path, shard.file.bytes, rows, digest)
            for shard, rows, digest in zip(self.shards, self._rows, digests, strict=True)
        )

    def _agree_on_header(self) -> None:
        """The same first line everywhere is the same thing everywhere."""
        named = next((text for text in self._texts if text.header), None)
        if named is None:
            return
        for text in self._texts:
            if not text.header:
                if text.first_cells != named.first_cells:
                    raise self._not_alike(text, named)
                text.use_header(Header(True, named.header_reason))

    def _not_alike(self, text: TextReader, named: TextReader | None = None) -> InputError:
        named = named or self._texts[0]
        names = {id(shard.reader): shard.listed.path for shard in self.shards}
        return InputError(
            f"{names[id(text)]}: its first line, {','.join(text.first_cells)[:80]}, is no header "
            f"as in {names[id(named)]} ({','.join(named.first_cells)[:80]}); give every file the "
            "header, or none"
        )

    def _order(self) -> str:
        names = [shard.listed.name for shard in self.shards]
        shown = ", ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} ... {names[-1]}"
        return f"{len(names):,} files are read as one table, in this order: {shown}."

    def _said_of_keys(self) -> Iterator[str]:
        for key in self.keys:
            values = list(dict.fromkeys(map(str, self._values[key])))
            yield (
                f"Folders named {key}=... are a column {key!r} with the "
                f"{'value' if len(values) == 1 else 'values'} {listed(values)}."
            )
        for key in self._shadowed:
            yield f"Folders are named {key}=..., and the files' own column {key!r} is read."

    def _said_empty(self) -> Iterator[str]:
        if not any(self._rows):
            return
        empty = [s.listed.name for s, rows in zip(self.shards, self._rows, strict=True) if not rows]
        if empty:
            yield f"{listed(empty)} {'has' if len(empty) == 1 else 'have'} no rows."


def _values(found: Sequence[str | None], key: str) -> list[Key]:
    """The values of a key, whole numbers where all are; InputError where a file has none."""
    values = [value for value in found if value is not None]
    if len(values) < len(found):
        raise InputError(
            f"some files lie in a folder named {key}=... and others do not; give either alone"
        )
    known = [value for value in values if value != _NULL]
    whole = all(re.fullmatch("0|[1-9][0-9]{0,17}", value) for value in known)
    return [None if v == _NULL else int(v) if whole else v for v in values]


def _refuse_other_schema(first: Shard, other: Shard) -> None:
    """InputError where columns or their types differ."""
    mine, its = first.reader.column_names, other.reader.column_names
    headless = not (first.reader.header and other.reader.header)
    if first.reader.header != other.reader.header or (
        len(mine) != len(its) if headless else sorted(mine) != sorted(its)
    ):
        raise _two_tables(first, other)
    kinds = [_kinds(shard.reader) for shard in (first, other)]
    for name in mine:
        one, another = (found.get(name, "") for found in kinds)
        if one and another and one != another:
            raise InputError(
                f"{other.listed.path}: column {name!r} holds {another}, in {first.listed.path} "
                f"{one}; write all files with one schema"
            )


def _two_tables(first: Shard, other: Shard) -> InputError:
    for mapping, pairs in ((first, other), (other, first)):
        if _is_mapping(mapping.reader) and _is_pairs(pairs.reader):
            return InputError(
                f"{mapping.listed.path}: looks like a mapping, and {pairs.listed.path} like pairs; "
                "give each by itself"
            )
    columns = [", ".join(map(repr, s.reader.column_names[:8])) for s in (other, first)]
    return InputError(
        f"{other.listed.path}: has the columns {columns[0]}, and {first.listed.path} {columns[1]}; "
        "give files of one schema"
    )


def _is_mapping(reader: Rows) -> bool:
    try:
        resolve_mapping_columns(reader.column_names, reader.header)
    except (InputError, UsageError):
        return False
    return reader.header


def _is_pairs(reader: Rows) -> bool:
    try:
        resolve_pair_columns(reader.column_names, reader.header)
    except (InputError, UsageError):
        return False
    return reader.header


def _kinds(reader: Rows) -> dict[str, str]:
    """What each column holds, for people; empty where any other kind is as good."""
    if isinstance(reader, TextReader):
        return dict.fromkeys(reader.column_names, "cells of a text file")
    schema = getattr(reader, "schema", None)
    if not isinstance(schema, pa.Schema):
        return {}
    return {field.name: _kind(field.type) for field in schema}


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    named = {
        "": pa.types.is_null(kind),
        "whole numbers": pa.types.is_integer(kind),
        "floats": pa.types.is_floating(kind),
        "texts": any(
            is_it(kind)
            for is_it in (
                pa.types.is_string,
                pa.types.is_large_string,
                pa.types.is_string_view,
                pa.types.is_binary,
                pa.types.is_large_binary,
            )
        ),
    }
    return next((name for name, is_it in named.items() if is_it), str(kind))
