"""How a table was understood, in lines: its files in their order, its columns, what was guessed."""

from __future__ import annotations

from collections.abc import Iterator

from taxcheck.model.vocabulary import plural
from taxcheck.sources.tables.source import TableSource

_LISTED = 40
_TOLD = {"name": "by its name", "position": "by its position", "option": "as was given"}


def describe(source: TableSource) -> Iterator[str]:
    """Lines about an opened table; of its rows only those are read that tell columns and lines.

    InputError where a file cannot be read.
    """
    table, reading = source.table, source.reading()
    counts: dict[str, int] = {}
    parts = source.partitions()
    for part in parts:
        counts[part.path] = counts.get(part.path, 0) + part.numbers
    unit = "line" if table.first_row else "row"
    total = plural(sum(counts.values()), unit)
    yield f"{source.role:<12} {table.path}: {table.format}, {total}, {table.bytes:,} bytes"
    for role, column in reading.columns.items():
        yield f"column       {column.name!r} is {role}, {_TOLD[column.told_by]}"
    if reading.unread:
        yield f"not read     {', '.join(map(repr, reading.unread))}"
    yield f"header       {reading.header_reason}"
    yield f"partitions   {len(parts):,}, which an engine reads independently"
    for note in (*table.notes, *source.columns.notes):
        yield f"note         {note}"
    for guess in reading.guesses:
        yield f"guess        {guess}"
    if len(counts) > 1:
        yield f"files        {len(counts):,}, in this order"
        for path, count in [*counts.items()][:_LISTED]:
            yield f"  {path}  {plural(count, unit)}"
        if len(counts) > _LISTED:
            yield f"  and {len(counts) - _LISTED:,} more"
