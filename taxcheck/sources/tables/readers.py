"""The formats of tables, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from taxcheck.model.errors import InputError
from taxcheck.sources.readers import (
    CERTAIN,
    LAST,
    LIKELY,
    NEVER,
    PICKLED,
    Candidate,
    Reader,
    begins,
    lazily,
)
from taxcheck.sources.tables.refusals import no_table, refuse_binary

COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_LOOKED_AT = 4096  # bytes


def _pickle(candidate: Candidate) -> float:
    head = candidate.head
    if head.startswith(PICKLED):
        return CERTAIN
    named = candidate.file.hint.endswith((".pkl", ".pickle"))
    return LIKELY if head.startswith((b"(lp", b"(dp")) or (head[:1] in b"](" and named) else NEVER


def _text(candidate: Candidate) -> float:
    if compression_of(candidate.head):
        return CERTAIN
    head, shown = candidate.head[:_LOOKED_AT], candidate.file.shown
    refuse_binary(head, shown)
    if b"\0" in head:
        even, odd = head[0:512:2].count(0), head[1:512:2].count(0)
        if min(even, odd) == 0 and max(even, odd) > len(head[:512]) // 4:
            raise InputError(f"{shown}: is UTF-16 text; convert it: iconv -f UTF-16 -t UTF-8")
        raise no_table(shown)
    return LAST


def compression_of(head: bytes) -> str | None:
    """How text that begins so is compressed, as Arrow calls it."""
    return next((name for magic, name in COMPRESSED.items() if head.startswith(magic)), None)


def _read_text(candidate: Candidate) -> object:
    from taxcheck.sources.tables.text import TextReader

    return TextReader(candidate.file, compression_of(candidate.head))


def _arrow(*, stream: bool) -> Callable[[Candidate], object]:
    return partial(lazily("tables.columnar.ArrowReader", "file"), stream=stream)


# fmt: off
READERS = (
    Reader("table", "parquet", "Parquet", "its first bytes", begins(b"PAR1"),
           lazily("tables.columnar.ParquetReader", "file"), (".parquet",),
           "Read in batches, whatever the size of its row groups."),
    Reader("table", "feather", "Feather", "its first bytes", begins(b"ARROW1\0\0"),
           _arrow(stream=False), (".feather", ".arrow"),
           "Version 2, which is the file format of Arrow IPC."),
    Reader("table", "arrow stream", "an Arrow stream", "its first bytes",
           begins(b"\xff\xff\xff\xff"), _arrow(stream=True), (".arrows",)),
    Reader("table", "pickle", "a pickle", "its first bytes", _pickle,
           lazily("tables.pickled.PickleReader", "file"), (".pkl", ".pickle"),
           "A list of dicts, one a row, or a dict of lists, one a column. Nothing in it is run."),
    Reader("table", "text", "CSV or TSV", "text with two columns", _text, _read_text,
           (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.zst"),
           "Plain, gzip or zstd; comma, tab, semicolon, bar or space; UTF-8."),
)
