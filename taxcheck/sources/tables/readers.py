"""The formats of tables, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from taxcheck.sources.packed import compression_of
from taxcheck.sources.readers import (
    CERTAIN,
    LIKELY,
    NEVER,
    PICKLED,
    Candidate,
    Reader,
    begins,
    lazily,
    no_table,
)


def _pickle(candidate: Candidate) -> float:
    head = candidate.head
    if head.startswith(PICKLED):
        return CERTAIN
    named = candidate.file.hint.endswith((".pkl", ".pickle"))
    return LIKELY if head.startswith((b"(lp", b"(dp")) or (head[:1] in b"](" and named) else NEVER


def _text(candidate: Candidate) -> float:
    """Lines of cells; InputError says what is wrong with text that has none."""
    if not (candidate.is_text or compression_of(candidate.head)):
        raise no_table(candidate.file.shown)
    return LIKELY if candidate.once(_dialect) else NEVER


def _dialect(candidate: Candidate) -> object:
    """How its lines are taken apart."""
    from taxcheck.sources.tables.dialect import dialect_of, head_of

    head, whole = head_of(candidate.file, compression_of(candidate.head))
    return dialect_of(head, candidate.file.shown, whole=whole)


def _read_text(candidate: Candidate) -> object:
    from taxcheck.sources.tables.text import TextReader

    dialect: Any = candidate.once(_dialect)
    return TextReader(candidate.file, compression_of(candidate.head), dialect)


def _excel(candidate: Candidate) -> float:
    from taxcheck.sources.tables.excel import claim_excel

    return claim_excel(candidate) if candidate.head.startswith(b"PK\3\4") else NEVER


def _npz(candidate: Candidate) -> float:
    from taxcheck.sources.tables.arrays import claim_npz

    return claim_npz(candidate) if candidate.head.startswith(b"PK\3\4") else NEVER


def _json(candidate: Candidate) -> float:
    from taxcheck.sources.tables.json_rows import claim_json

    return claim_json(candidate)


def _box(claim: str) -> Callable[[Candidate], float]:
    def sniff(candidate: Candidate) -> float:
        from taxcheck.sources.tables import boxes

        sure: float = getattr(boxes, claim)(candidate)
        return sure

    return sniff


def _boxed(read: str) -> Callable[[Candidate], object]:
    return lazily(f"tables.boxes.{read}", "itself")


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
    Reader("table", "orc", "ORC", "its first bytes", begins(b"ORC"),
           lazily("tables.columnar.OrcReader", "file"), (".orc",), "Read stripe by stripe."),
    Reader("table", "pickle", "a pickle", "its first bytes", _pickle,
           lazily("tables.pickled.PickleReader", "file"), (".pkl", ".pickle"),
           "A list of dicts or of tuples, a dict of lists, one a column, or a dict of label: idx, "
           "either way round. Nothing in it is run."),
    Reader("table", "excel", "an Excel workbook", "`xl/workbook.xml` in it", _excel,
           lazily("tables.excel.read_excel", "itself"), (".xlsx", ".xlsm"),
           "Its one visible sheet with cells, or the one that is named: `book.xlsx::pairs`. Rows "
           "are numbered as Excel does. Whole floats are integers; dates and hidden sheets are "
           "told; a formula without a stored value is refused.", extra="excel", inside="sheet"),
    Reader("table", "npy", "a NumPy array", "its first bytes", begins(b"\x93NUMPY"),
           lazily("tables.arrays.ArrayReader", "itself"), (".npy",),
           "n x 2 or n x 3 whole numbers or texts (2 x n where n is more), or records with names."),
    Reader("table", "npz", "an npz file", "members that all are arrays", _npz,
           lazily("tables.arrays.ArrayReader", "itself"), (".npz",),
           "Arrays of one length as columns; one array as of npy, by name where several are there: "
           "`data.npz::pairs`; what scipy.sparse.save_npz writes (coo, csr, csc) as `row` and "
           "`col`.", inside="array"),
    Reader("table", "sqlite", "an SQLite database", "its first bytes", begins(b"SQLite format 3\0"),
           lazily("tables.sqlite.SqliteReader", "itself"), (".db", ".sqlite", ".sqlite3"),
           "Its one table, or the one that is named: `taxa.db::pairs`. Views are not read.",
           inside="table"),
    Reader("table", "duckdb", "a DuckDB database", "`DUCK` behind its first 8 bytes",
           lambda candidate: CERTAIN if candidate.head[8:12] == b"DUCK" else NEVER,
           lazily("tables.duckdb_file.DuckDbReader", "itself"), (".duckdb", ".ddb"),
           "As SQLite: one table of the schema `main`, or the one that is named: "
           "`taxa.duckdb::other.pairs`. Nothing in it is run.", extra="duckdb", inside="table"),
    Reader("table", "zip", "a zip archive", "its first bytes", _box("claim_zip"),
           _boxed("read_zip"), (".zip",),
           "The one table in it, of any format, or the member that is named: "
           "`all.zip::edges.csv`.", inside="member"),
    Reader("table", "tar", "a tar archive", "its header, packed or not", _box("claim_tar"),
           _boxed("read_tar"), (".tar", ".tar.gz", ".tgz"), "As zip.", inside="member"),
    Reader("table", "packed", "a packed file", "the first bytes of gzip, zstd, bzip2, xz or lz4",
           _box("claim_packed"), _boxed("read_packed"), (".parquet.gz", ".sqlite.xz"),
           "Any format that is no text, packed; text is unpacked in passing.", inside="part"),
    Reader("table", "json", "JSON", "text that begins like JSON", _json,
           lazily("tables.json_rows.JsonReader", "itself"), (".json", ".jsonl", ".ndjson"),
           "JSON Lines of objects or lists; a list of them; `{\"Canis lupus\": 0}` or the other "
           "way round; lists by column; what pandas writes, whatever its `orient`. Packed as CSV.",
           inside="key"),
    Reader("table", "wide text", "text in UTF-16 or UTF-32",
           "its byte order mark, or a NUL beside each letter",
           _box("claim_wide"), _boxed("read_wide"), (".txt",),
           "As Excel's \"Unicode text\". Converted, then read as what it is.", inside="part"),
    Reader("table", "text", "CSV or TSV", "text with two columns", _text, _read_text,
           (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.zst"),
           "Plain, gzip, zstd, bzip2, xz or lz4; comma, tab, semicolon, bar or space; UTF-8."),
)
