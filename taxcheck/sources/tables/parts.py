"""The parts of one file: rows that can be read without those before them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxcheck.sources.tables.batches import RawBatch

if TYPE_CHECKING:
    from taxcheck.sources.tables.rows import Rows

PART_ROWS = 1 << 24  # rows of a part, about, where nobody says how many


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a file, or all of them.

    ``blocks`` are the first row group or record batch and the one after the last, or where the
    first byte is and the one after the last; None: the whole file.
    """

    before: int  # row numbers of the file before it: lines of a text, else records
    numbers: int  # row numbers in it
    blocks: tuple[int, int] | None = None
    last: bool = True  # whether nothing of the file follows


def grouped(sizes: Iterable[int], rows: int) -> tuple[Part, ...]:
    """Neighbouring blocks of these sizes as parts of about so many ``rows``."""
    parts: list[Part] = []
    first = at = before = held = 0
    for at, size in enumerate(sizes, start=1):
        held += size
        if held >= rows:
            parts.append(Part(before, held, (first, at), last=False))
            first, before, held = at, before + held, 0
    if first < at or not parts:
        parts.append(Part(before, held, (first, at), last=False))
    final = parts.pop()
    return (*parts, Part(final.before, final.numbers, final.blocks))


def parts_of(reader: Rows, rows: int) -> tuple[Part, ...]:
    """The parts of what a reader reads; one that knows none is read to count its rows."""
    known: Any = getattr(reader, "parts", None)
    if known is not None:
        return tuple(known(rows))
    last = 0
    for batch, _ in reader.batches({"": reader.column_names[0]}):
        last = batch.first_row + batch.rows - 1
    return (Part(0, last),)


def read_part(
    reader: Rows, columns: Mapping[str, str], part: Part | None
) -> Iterator[tuple[RawBatch, float]]:
    """The batches of a part, rows numbered as in the file, and the share that is read."""
    if part is None or not hasattr(reader, "parts"):
        return reader.batches(columns)
    batches: Any = reader.batches
    read: Iterator[tuple[RawBatch, float]] = batches(columns, part)
    return read
