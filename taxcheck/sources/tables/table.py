"""One table of any format, of one file or of many, and its rows as bounded batches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from taxcheck.model.errors import InputError
from taxcheck.model.paths import Paths, is_address
from taxcheck.model.places import Files, Places
from taxcheck.model.report import InputPart
from taxcheck.sources.files import InputFile
from taxcheck.sources.listing import list_files
from taxcheck.sources.many_files import ManyFiles, at_once
from taxcheck.sources.readers import Candidate, Guess, reader_of
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.dialect import Header
from taxcheck.sources.tables.parts import Part, parts_of, read_part
from taxcheck.sources.tables.rows import Bytes, Lined, Rows
from taxcheck.sources.tables.shards import Key, Shard, Shards
from taxcheck.sources.tables.text import TextReader

Progress = Callable[[int, int], None]


class Table:
    """A table that can be read as often as needed. ``rows`` is known once it has been read."""

    def __init__(
        self,
        file: Bytes,
        reader: Rows,
        progress: Progress | None = None,
        more_notes: tuple[str, ...] = (),
    ) -> None:
        self._file, self._opened, self._progress = file, reader, progress
        self._more_notes = more_notes
        self.path = file.shown
        self.bytes = file.bytes
        self.rows = 0

    @property
    def format(self) -> str:
        """For people: "parquet", "tsv, gzip" and so on."""
        return self._opened.format

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of the file; "column 1" ... where it has no header."""
        return self._opened.column_names

    @property
    def header(self) -> bool:
        """Whether the names are the file's own."""
        return self._opened.header

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred in reading, one sentence each."""
        return tuple(said for said in self._said if not isinstance(said, Guess))

    @property
    def guesses(self) -> tuple[str, ...]:
        """What was guessed in opening it, one sentence each."""
        return tuple(said for said in self._said if isinstance(said, Guess))

    def tell(self, guess: Guess) -> None:
        """Tell a sentence more of how its rows were read; once."""
        if guess not in self._more_notes:
            self._more_notes += (guess,)

    @property
    def _said(self) -> tuple[str, ...]:
        return (*self._more_notes, *self._opened.notes)

    @property
    def _shards(self) -> Shards | None:
        return self._opened if isinstance(self._opened, Shards) else None

    @property
    def _text(self) -> Lined | None:
        """What the reader makes of text; None where it reads no text."""
        if self._shards:
            return self._shards if self._shards.of_text else None
        return self._opened if isinstance(self._opened, TextReader) else None

    @property
    def first_row(self) -> tuple[str, ...]:
        """The cells of the first line of a text, whatever they mean; else nothing."""
        return self._text.first_cells if self._text else ()

    @property
    def header_reason(self) -> str:
        """Why the first line was taken for names, or for data."""
        if self._text:
            return self._text.header_reason
        return f"{self.format} has names of its own"

    def open_ends(self, names: Collection[str]) -> tuple[str, ...]:
        """Files of text that, once read, may be cut off in the last cell of one of the columns."""
        return self._text.open_ends(names) if self._text else ()

    @property
    def keys(self) -> Mapping[str, tuple[Key, ...]]:
        """The values of each key that folders of the files are named by."""
        return self._shards.key_values if self._shards else {}

    @property
    def files_in_all(self) -> int:
        """How many files the table is of."""
        return len(self._shards.shards) if self._shards else 1

    @property
    def here_only(self) -> str | None:
        """Why no other process can read it, in words; None where each can that sees the files."""
        files = [shard.file for shard in self._shards.shards] if self._shards else [self._file]
        for file in files:
            if isinstance(file, InputFile) and file.here_only:
                return file.here_only
        readers = (
            [shard.reader for shard in self._shards.shards] if self._shards else [self._opened]
        )
        whole = not all(hasattr(reader, "parts") for reader in readers)
        return f"a {self.format} is read in one piece" if whole else None

    def begun(self) -> None:
        """Others begin to read it: its fingerprint is made meanwhile."""
        self._file.check_unchanged()
        self._file.start_fingerprint()

    def progressed(self, share: float) -> None:
        """Others have read so much of it, 0 to 1."""
        if self._progress:
            self._progress(int(share * self.bytes), self.bytes)

    def expect_names(self, names: set[str]) -> None:
        """Read the first line as a header where it holds all these names.

        Numbers are names where 0 is among them: the positions of columns count from 1.
        """
        positions = all(name.isdecimal() for name in names) and "0" not in names
        if positions or self.header or not names:
            return
        if names <= {cell.strip() for cell in self.first_row}:
            self.use_header(Header(True, "it holds the names that were given"))

    def use_header(self, header: Header) -> None:
        """Read the first line of a text as names, or as data."""
        if self._text:
            self._text.use_header(header)

    def head(self, names: Sequence[str]) -> tuple[RawBatch, bool]:
        """The first rows of some columns by their names, and whether they are all there are."""
        return self._first({name: name for name in names})

    def texts(self, names: Sequence[str]) -> list[pa.Array]:
        """The first cells of some columns; those of a text as they stand, and not as numbers.

        None of columns in which nothing stands, beside others.
        """
        roles = {f"{name}_taxid": name for name in names}
        if len(names) < len(self.column_names):
            first, _ = next(self._opened.batches(roles), (None, 1.0))
            if first is None:
                return [pa.array([], pa.string())] * len(names)
        else:
            first, _ = self._first(roles)
        return [first.columns[f"{name}_taxid"] for name in names]

    def _first(self, columns: Mapping[str, str]) -> tuple[RawBatch, bool]:
        batches = self._opened.batches(columns)
        first = next(batches, None)
        if first is None:
            raise self._no_rows()
        return first[0], next(batches, None) is None

    def batches(self, columns: Mapping[str, str]) -> Iterator[RawBatch]:
        """The named columns by role, in bounded batches; InputError where the file is bad.

        Text cells arrive as strings as the file holds them, other cells in their own Arrow type.
        """
        self.begun()
        rows = 0
        for batch, share in self._opened.batches(columns):
            rows += batch.rows
            if batch.rows:
                yield batch
            self.progressed(share)
        self._file.check_unchanged()
        if not rows:
            raise self._no_rows()
        self.rows = rows

    def _no_rows(self) -> InputError:
        return InputError(f"{self.path}: holds no rows; there is nothing to judge")

    def fingerprint(self) -> str:
        """``blake3:<hex>`` of the raw bytes of the file; of several, over all of them."""
        return self._file.fingerprint()

    @property
    def files(self) -> tuple[InputPart, ...]:
        """The files in their order, where there are several; their rows once they were read."""
        return self._shards.summaries() if self._shards else ()

    @property
    def places(self) -> Files | None:
        """Where the rows stand that were read, or cut into parts; None where the file is one."""
        if self._shards is None:
            return None
        return Files(tuple(s.listed.path for s in self._shards.shards), self._shards.starts)

    def said(self, row: int) -> str:
        """``row 17``, or ``pairs/part-3.parquet, row 17``."""
        return Places({"": self.places} if self.places else {}).said("", row, "d")

    def parts(self, rows: int) -> Iterator[PartOfTable]:
        """The table in parts of about so many rows, each of one file, in order."""
        if self._shards:
            for number, part, before in self._shards.parts(rows):
                shard = self._shards.shards[number]
                yield PartOfTable(shard.file, shard, part, before, number)
        else:
            assert isinstance(self._file, InputFile)
            for part in parts_of(self._opened, rows):
                yield PartOfTable(self._file, self._opened, part)

    def was_read(self, parts: Sequence[PartRead]) -> None:
        """Take up what is known of parts that were read elsewhere."""
        rows = [0] * self.files_in_all
        for one in parts:
            rows[one.file] += one.rows
            text = self._shards.shards[one.file].reader if self._shards else self._opened
            if one.last and isinstance(text, TextReader):
                text.open_end, text.notes, text.format = one.open_end, one.notes, one.format
        self.rows = sum(rows)
        if self._shards:
            self._shards.was_read(rows)
        if not self.rows:
            raise self._no_rows()


@dataclass(frozen=True, slots=True)
class PartRead:
    """What is known of a part once it was read."""

    file: int  # its number among the files of the table
    rows: int
    last: bool  # whether the file ends with it
    open_end: bool = False  # whether its text lacks the last line end
    notes: tuple[str, ...] = ()
    format: str = ""  # of a text


class PartOfTable(Table):
    """A part of a table, which pickles and is read without what is before it.

    Rows are numbered as in the whole table. A part may have none.
    """

    def __init__(
        self, file: InputFile, reader: Rows, part: Part, before: int = 0, number: int = 0
    ) -> None:
        super().__init__(file, reader)
        self.part, self.before, self.number = part, before, number

    @property
    def first_row(self) -> tuple[str, ...]:
        """A part has no line of its own that could be names."""
        return ()

    def batches(self, columns: Mapping[str, str]) -> Iterator[RawBatch]:
        """The named columns by role, in bounded batches; InputError where the file is bad."""
        self._file.check_unchanged()
        self.rows = 0
        for batch, _ in read_part(self._opened, columns, self.part):
            self.rows += batch.rows
            if batch.rows:
                yield RawBatch(batch.first_row + self.before, batch.columns)
        self._file.check_unchanged()

    def read(self) -> PartRead:
        """What is known of it, once it was read."""
        text = self._opened.reader if isinstance(self._opened, Shard) else self._opened
        known = PartRead(self.number, self.rows, self.part.last)
        if isinstance(text, TextReader):
            return replace(known, open_end=text.open_end, notes=text.notes, format=text.format)
        return known


def open_table(given: Paths, *, progress: Progress | None = None) -> Table:
    """Open a table by its content: a file, or all files of a list, a folder or a pattern.

    "-" is standard input, copied to a temporary file. ``progress`` is called with bytes read and
    bytes in all. Raises InputError, in one line, for whatever cannot be read.
    """
    listing = list_files(given)
    opened = at_once(lambda one: (one, *_opened(one.path)), listing.files)
    if listing.single:
        _, file, rows, told = opened[0]
        return Table(file, rows, progress, (*listing.notes, *told))
    files = ManyFiles(listing.shown, [(one.name, file) for one, file, *_ in opened])
    return Table(files, Shards(opened, files), progress, listing.notes)


def _opened(path: str) -> tuple[InputFile, Rows, tuple[str, ...]]:
    file: InputFile | None = None
    if is_address(path):
        from taxcheck.sources.remote import RemoteFile  # a gate on local files does not need it

        file = RemoteFile(path)
    candidate = Candidate(path, file)
    rows: Rows = reader_of(candidate, "table").read(candidate)
    return candidate.file, rows, tuple(candidate.told)
