"""Formats are told by content, and the same table reads the same from all of them."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blake3 import blake3
from pyarrow import csv, feather

from taxcheck.model.errors import InputError
from taxcheck.sources.tables import columnar, text
from taxcheck.sources.tables.opening import Table, open_mapping, open_pairs, open_table

TABLE = pa.table({"ancestor_idx": [0, 0, 1], "descendant_idx": [1, 2, 2], "depth_diff": [1, 2, 1]})
ROLES = {"a": "ancestor_idx", "d": "descendant_idx"}


def cells(table: Table, roles: dict[str, str] = ROLES) -> list[list[str]]:
    batches = list(table.batches(roles))
    return [[str(v) for b in batches for v in b.columns[role].to_pylist()] for role in roles]


def as_text(delimiter: str) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(TABLE, sink, csv.WriteOptions(delimiter=delimiter))
    return sink.getvalue()


def as_arrow(*, stream: bool) -> bytes:
    sink = pa.BufferOutputStream()
    with (
        pa.ipc.new_stream(sink, TABLE.schema)
        if stream
        else pa.ipc.new_file(sink, TABLE.schema) as writer
    ):
        writer.write_table(TABLE)
    return sink.getvalue().to_pybytes()


def as_parquet(table: pa.Table = TABLE) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


FORMATS = {
    "parquet": as_parquet(),
    "feather": as_arrow(stream=False),
    "arrow stream": as_arrow(stream=True),
    "tsv": as_text("\t"),
    "csv": as_text(","),
    "csv (;)": as_text(";"),
    "csv (|)": as_text("|"),
    "csv (space)": as_text(" "),
    "tsv, gzip": gzip.compress(as_text("\t")),
    "csv, zstd": pa.compress(as_text(","), "zstd", asbytes=True),
    "pickle": pickle.dumps(TABLE.to_pylist()),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_the_same_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.dat"  # no extension helps
    path.write_bytes(FORMATS[name])
    table = open_table(str(path))
    assert table.format == name
    assert table.header
    assert table.column_names == ("ancestor_idx", "descendant_idx", "depth_diff")
    assert cells(table) == [["0", "0", "1"], ["1", "2", "2"]]
    assert table.rows == 3
    assert cells(table, {"x": "depth_diff"}) == [["1", "2", "1"]], "a second pass"
    assert table.fingerprint() == f"blake3:{blake3(FORMATS[name]).hexdigest()}"
    assert table.bytes == len(FORMATS[name])
    first = next(table.batches(ROLES)).first_row
    assert first == (2 if "sv" in name else 1), "lines count the header, records do not"


def test_rows_are_numbered_through_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_BLOCK", 64)
    lines = [f"{n},{n + 1}" for n in range(100)]
    lines[40] = "40"
    lines[41] = "41,42,43"
    lines[99] = "99"
    (path := tmp_path / "pairs.csv").write_text("parent,child\n" + "\n".join(lines) + "\n")
    seen: dict[int, str | None] = {}
    reasons: dict[int, str] = {}
    batches = list(open_pairs(str(path)).batches())
    assert len(batches) > 5
    for batch in batches:
        for offset, cell in enumerate(batch.columns["ancestor"].to_pylist()):
            seen[batch.first_row + offset] = cell
        if "malformed" in batch.columns:
            for offset, reason in enumerate(batch.columns["malformed"].to_pylist()):
                if reason:
                    reasons[batch.first_row + offset] = reason
    assert seen == {
        n + 2: line.partition(",")[0] if n != 41 else line for n, line in enumerate(lines)
    }
    assert reasons == {
        42: "1 field instead of 2",
        43: "3 fields instead of 2",
        101: "1 field instead of 2",
    }


def test_text_keeps_what_the_file_holds(tmp_path: Path) -> None:
    (path := tmp_path / "m.csv").write_bytes(b'\xef\xbb\xbftaxid,idx\r\n"007", 1 \r\nNA,\r\n')
    source = open_mapping(str(path))
    (batch,) = source.batches()
    assert batch.columns["taxid"].to_pylist() == ["007", "NA"]
    assert batch.columns["idx"].to_pylist() == [" 1 ", ""]
    assert source.summary().notes == ("A byte order mark at the start is ignored.",)


def test_a_quote_in_a_tsv_is_part_of_the_name(tmp_path: Path) -> None:
    (path := tmp_path / "m.tsv").write_text('name\tidx\n5\'" end\t0\nx"\t1\n')
    (batch,) = open_mapping(str(path)).batches()
    assert batch.columns["taxid"].to_pylist() == ["5'\" end", 'x"']


def test_empty_lines_are_skipped_at_the_end_only(tmp_path: Path) -> None:
    (path := tmp_path / "p.tsv").write_text("ancestor\tdescendant\n0\t1\n\n0\t2\n\n\n")
    source = open_pairs(str(path))
    (batch,) = source.batches()
    assert batch.columns["ancestor"].to_pylist() == ["0", "", "0"]
    assert "2 empty lines at the end skipped." in source.summary().notes


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("taxid,idx\n9606,0\n", True),
        ("a,b\n9606,0\n", True),
        ("9606,0\n9605,1\n", False),
        ("dog,mammal\ncat,mammal\n", False),
        ("id1,id2\ndog,mammal\n", True),
        ("CHEBI:1,0\nCHEBI:2,1\n", False),
        ("x,nan\n1,2\n", False),
        ("# Tax ID,Index\nx,y\n", True),
    ],
)
def test_the_header_is_found(tmp_path: Path, text: str, header: bool) -> None:
    (path := tmp_path / "t.csv").write_text(text)
    table = open_table(str(path))
    assert table.header is header
    if not header:
        assert table.column_names == ("column 1", "column 2")


def test_names_in_the_override_make_the_first_line_a_header(tmp_path: Path) -> None:
    (path := tmp_path / "t.csv").write_text("upper,lower\nmammal,dog\n")
    source = open_pairs(str(path), "ancestor=upper,descendant=lower", mapping_given=False)
    assert source.columns.roles == {"ancestor_taxid": "upper", "descendant_taxid": "lower"}
    (batch,) = source.batches()
    assert (batch.first_row, batch.columns["ancestor_taxid"].to_pylist()) == (2, ["mammal"])


def test_standard_input_is_spooled_and_removed(tmp_path: Path) -> None:
    code = (
        "from taxcheck.sources.tables.opening import open_pairs\n"
        "s = open_pairs('-')\n"
        "print([b.rows for _ in range(2) for b in s.batches()], s.summary().path)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=FORMATS["tsv"],
        capture_output=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=True,
    )
    assert done.stdout.decode().strip() == "[3, 3] standard input"
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_read(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "pipe")
    writer = threading.Thread(target=path.write_bytes, args=(FORMATS["parquet"],))
    writer.start()
    table = open_table(str(path))
    writer.join()
    assert cells(table) == [["0", "0", "1"], ["1", "2", "2"]]


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    for name in ("parquet", "tsv, gzip", "pickle"):
        (path := tmp_path / "t").write_bytes(FORMATS[name])
        told: list[tuple[int, int]] = []
        list(open_table(str(path), progress=lambda a, b, t=told: t.append((a, b))).batches(ROLES))
        assert told[-1] == (len(FORMATS[name]), len(FORMATS[name]))


def test_a_huge_row_group_comes_in_bounded_batches(tmp_path: Path) -> None:
    rows = 2_500_000
    table = pa.table({"taxid": np.arange(rows), "idx": np.arange(rows)})
    pq.write_table(table, path := tmp_path / "m.parquet", row_group_size=rows)
    batches = [(b.first_row, b.rows) for b in open_mapping(str(path)).batches()]
    assert max(rows for _, rows in batches) <= 1 << 20
    assert sum(rows for _, rows in batches) == rows
    assert all(a + n == b for (a, n), (b, _) in itertools.pairwise(batches))


def test_dictionaries_and_large_strings_are_decoded(tmp_path: Path) -> None:
    table = pa.table(
        {
            "taxid": pa.array(["x", "y", "x"]).dictionary_encode(),
            "idx": pa.array(["0", "1", "2"], pa.large_string()),
        }
    )
    feather.write_feather(table, path := tmp_path / "m.feather")
    (batch,) = open_mapping(str(path)).batches()
    assert batch.columns["taxid"].equals(pa.array(["x", "y", "x"]))
    assert batch.columns["idx"].equals(pa.array(["0", "1", "2"]))


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    (path := tmp_path / "p.parquet").write_bytes(FORMATS["parquet"])
    batches = open_table(str(path)).batches(ROLES)
    next(batches)
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match=r"changed while it was read; wait until its writer"):
        list(batches)


def test_a_file_replaced_between_two_passes(tmp_path: Path) -> None:
    (path := tmp_path / "p.parquet").write_bytes(FORMATS["parquet"])
    table = open_table(str(path))
    list(table.batches(ROLES))
    (other := tmp_path / "q").write_bytes(as_parquet(TABLE.slice(0, 2)))
    other.replace(path)
    with pytest.raises(InputError, match="changed while it was read"):
        list(table.batches(ROLES))


@pytest.mark.parametrize("name", ["parquet", "feather"])
def test_a_few_long_texts_in_many_rows_are_read_in_small_pieces(tmp_path, monkeypatch, name):
    """40 KB in 65,536 rows took 4.8 GB from a file of 200 KB."""
    monkeypatch.setattr(columnar, "_DECODED", 1000)
    long = pa.array(["x" * 99, "y" * 100] * 200)
    table = pa.table({"taxid": long.dictionary_encode(), "idx": range(400)})
    if name == "parquet":
        pq.write_table(table.cast(pa.schema({"taxid": pa.string(), "idx": pa.int64()})),
                       path := tmp_path / "t")  # fmt: skip
    else:
        feather.write_feather(table, path := tmp_path / "t")
    batches = list(open_table(str(path)).batches({"id": "taxid", "idx": "idx"}))
    assert {batch.rows for batch in batches} == {10}
    assert [batch.first_row for batch in batches] == list(range(1, 400, 10))
    assert [v for b in batches for v in b.columns["id"].to_pylist()] == long.to_pylist()
    assert [v for b in batches for v in b.columns["idx"].to_pylist()] == list(range(400))
