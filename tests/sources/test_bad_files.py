"""Every bad file ends in one line: what, where, what to do. Nothing is left behind."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.model.errors import InputError, TaxcheckError
from taxcheck.sources.files import InputFile, reading
from taxcheck.sources.tables import text
from taxcheck.sources.tables.opening import open_mapping, open_pairs

LINES = b"ancestor\tdescendant\n" + b"".join(b"%d\t%d\n" % (7919 * i % 99991, i) for i in range(99))
LONG = LINES + b"".join(b"%d\t%d\n" % (7919 * i % 99991, i) for i in range(200_000))


def parquet(**columns: pa.Array) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def zipped() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("pairs.csv", LINES)
    return sink.getvalue()


SOUND = parquet(ancestor_idx=pa.array(range(5000)), descendant_idx=pa.array(range(5000)))
PAIR = {"ancestor_idx": pa.array([0]), "descendant_idx": pa.array([1])}

BAD = {
    "empty": (b"", "the file is empty"),
    "only line ends": (b"\n\n", "holds no rows"),
    "header only": (b"ancestor,descendant\n", "holds no rows; there is nothing to judge"),
    "header without line end": (b"ancestor,descendant", "holds no rows"),
    "no records": (parquet(**{k: v.slice(0, 0) for k, v in PAIR.items()}), "holds no rows"),
    "junk": (bytes(range(256)) * 64, "is no table that taxcheck knows"),
    "control bytes": (b"\x01\x02\x03\x04,\x05\n" * 40, "is no table that taxcheck knows"),
    "truncated parquet": (SOUND[:-200], "cannot be read as Parquet"),
    "parquet head": (SOUND[:40], "cannot be read as Parquet"),
    "damaged parquet": (SOUND[:400] + bytes(3000) + SOUND[3400:], "cannot be read as Parquet"),
    "truncated gzip": (gzip.compress(LONG)[:-9000], r"tsv, gzip \(Truncated compressed stream\)"),
    "gzip without tail": (gzip.compress(LONG)[:-8], "Truncated compressed stream"),
    "truncated zstd": (pa.compress(LONG, "zstd", asbytes=True)[:-9000], "cannot be read as"),
    "gzip of binary": (gzip.compress(b"\1\2\3" * 90), "is no table that taxcheck knows"),
    "feather v1": (b"FEA1" + bytes(50), "is a Feather V1 file.*rewrite it"),
    "numpy": (b"\x93NUMPY" + bytes(50), "cannot be read as npy"),
    "one column": (b"ancestor\n1\n2\n", "only one column found"),
    "wrong delimiter": (b"ancestor:descendant\n1:2\n", "only one column found"),
    "utf-16 cut off": ("ancestor,descendant\n1,2\n".encode("utf-16")[:-1], "read as UTF-16 text"),
    "padded": (LINES + bytes(512), r"text with NUL bytes .* tr -d '\\000'"),
    "windows": ("ancestor,descendant\na–b,c\n".encode("cp1252"), "iconv -f WINDOWS-1252 -t UTF-8"),
    "fixed width": (
        b"ancestor  descendant\n0         1\n0         12\n",
        "to a fixed width; put one",
    ),
    "utf-32 without mark": ("ancestor,descendant\n1,2\n".encode("utf-32-le"), "is no table that"),
    "latin-1": (b"ancestor,descendant\n1,2\nx,\xe9\n", "line 3 holds bytes that are not UTF-8"),
    "latin-1 in a short line": (
        b"ancestor,descendant\n1,2\n\xe9\n3,4\n",
        "line 3 holds bytes that are not UTF-8; convert the file: iconv",
    ),
    "open quote": (
        b'ancestor,descendant\n1,2\n3,"4\n5,6\n7,8\n',
        "a quote in the row that begins in line 3 is never closed; close it",
    ),
    "long line": (LINES + b"1\t" + b"x" * (1 << 25) + b"\n2\t3\n", "a line is longer than 16 MiB"),
    "long first line": (b"x" * 300_000, "its first line is longer than"),
    "comment above": (b"made by x\nancestor,descendant\n1,2\n", "line 1 has 1 field, most lines"),
    "header too short": (b"a b\n1 2 3\n4 5 6\n", "line 1 has 2 fields, most lines have 3"),
    "taxdump": (b"1\t|\t1\t|\n2\t|\t1\t|\n", "NCBI taxonomy dump.*`taxonomy`"),
    "duplicate names": (b"parent,parent,child\n1,2,3\n", "'parent' is in the file more than once"),
    "unknown names": (b"a,b\n1,2\n", r"not recognised: 'a', 'b'; name them with `pair_columns`"),
    "nested": (
        parquet(ancestor_idx=pa.array([[1]]), descendant_idx=pa.array([1])),
        r"column 'ancestor_idx' is of type list<.*write it as integers or as text",
    ),
    "dates": (
        parquet(ancestor_idx=pa.array([1], pa.date32()), descendant_idx=pa.array([1])),
        "column 'ancestor_idx' is of type date32",
    ),
    "bytes": (
        parquet(ancestor_idx=pa.array([b"\xff"]), descendant_idx=pa.array([1])),
        "column 'ancestor_idx' holds bytes that are not UTF-8",
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", BAD)
def test_one_clear_line(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    (path := tmp_path / "pairs.tsv").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        list(open_pairs(str(path)).batches())
    shown = str(caught.value)
    assert shown.startswith(f"{path}: ")
    assert shown.isprintable()
    assert len(shown) < 400 + len(str(path))
    assert list(tmp_path.iterdir()) == [path]


def test_lines_that_are_all_malformed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_MALFORMED_LIMIT", 100)
    rows = "1,2\n" * 300 + "1,2,3\n" * 100
    (path := tmp_path / "p.csv").write_text("parent,child\n" + rows)
    message = r"100 malformed lines from line 302 on \(3 fields instead of 2\); check the delim"
    with pytest.raises(InputError, match=message):
        list(open_pairs(str(path)).batches())


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; check the path"):
        open_pairs(str(tmp_path / "none.tsv"))


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder without a table file; check the path"):
        open_mapping(str(tmp_path))


def test_a_device() -> None:
    with pytest.raises(InputError, match="is a device"):
        open_mapping("/dev/null")


def test_a_name_that_no_system_allows() -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        open_mapping("a\0b")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path := tmp_path / "m.tsv").write_bytes(LINES)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read whatever chmod says
    with pytest.raises(InputError, match=r"permission denied; make it readable \(chmod \+r\)"):
        open_mapping(str(path))


def test_bytes_outside_of_the_columns_read_do_no_harm(tmp_path: Path) -> None:
    (path := tmp_path / "m.tsv").write_bytes(b"taxid\tidx\tauthor\n1\t0\tLinn\xe9\n")
    (batch,) = open_mapping(str(path)).batches()
    assert batch.columns["taxid"].to_pylist() == ["1"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["parquet", "gzip", "tsv"])
def test_random_damage_never_escapes(tmp_path: Path, name: str) -> None:
    sound = {"parquet": SOUND, "gzip": gzip.compress(LINES), "tsv": LINES}[name]
    generator = np.random.default_rng(7)
    path = tmp_path / "p"
    told = []
    for _ in range(150):
        damaged = bytearray(sound[: generator.integers(1, len(sound) + 1)])
        for place in generator.integers(0, len(damaged), 5):
            damaged[place] = generator.integers(0, 256)
        path.write_bytes(damaged)
        try:
            list(open_pairs(str(path)).batches())
        except TaxcheckError as error:
            told.append(str(error))
    assert len(told) > 50
    assert all(message.isprintable() for message in told)


def test_a_hash_without_memory_is_raised_where_it_is_asked_for(tmp_path, monkeypatch):
    """And not printed by the thread, with an assertion to follow."""
    (path := tmp_path / "m.tsv").write_text("taxid\tidx\n1\t0\n")
    monkeypatch.setattr("taxcheck.sources.files._CHUNK", 1 << 62)
    with pytest.raises(MemoryError):
        InputFile(str(path)).fingerprint()


def test_a_system_that_starts_no_thread_is_not_taken_for_a_bad_file() -> None:
    said = "Unknown error: Failed to launch worker thread: Resource temporarily unavailable"
    with pytest.raises(RuntimeError, match="can't start new thread"), reading("pairs.tsv"):
        raise pa.ArrowException(said)
