"""Tables in archives and behind packings: read as if they lay there, or asked for, or refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.model.errors import InputError
from taxcheck.model.paths import split_part
from taxcheck.sources.packed import FREE_BYTES
from taxcheck.sources.tables import boxes
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.taxonomies.opening import read_source

ROWS = [(0, 1), (0, 2), (1, 2)]
TEXT = "ancestor_idx,descendant_idx\n" + "".join(f"{a},{d}\n" for a, d in ROWS)
DATA = TEXT.encode()


def parquet() -> bytes:
    sink = io.BytesIO()
    ancestor, descendant = zip(*ROWS, strict=True)
    pq.write_table(pa.table({"ancestor_idx": ancestor, "descendant_idx": descendant}), sink)
    return sink.getvalue()


def lz4(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "lz4") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def zipped(**members: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return sink.getvalue()


def tarred(mode: str, **members: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def opened(folder: Path, name: str, data: bytes, part: str = "") -> TableSource:
    (folder / name).write_bytes(data)
    return open_pairs(str(folder / name) + part)


def rows(source: TableSource) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for batch in source.batches():
        ends = (batch.columns[role].cast(pa.int64()) for role in ("ancestor", "descendant"))
        found += zip(*(end.to_pylist() for end in ends), strict=True)
    return found


PACKED = {
    "p.csv.bz2": bz2.compress(DATA[:30]) + bz2.compress(DATA[30:]),  # as pbzip2 writes it
    "p.csv.xz": lzma.compress(DATA[:30]) + bytes(8) + lzma.compress(DATA[30:]),
    "p.csv.lz4": lz4(DATA),
    "p.parquet.gz": gzip.compress(parquet()),
    "p.parquet.xz": lzma.compress(parquet()),
    "p.zip": zipped(p_csv=DATA),
    "inner.zip": zipped(p_parquet_gz=gzip.compress(parquet()), README_md=b"x"),
    "p.tar.gz": tarred("w:gz", p_csv=DATA),
    "p.tar.xz": tarred("w:xz", p_parquet=parquet()),
    "p.tar": tarred("w", p_csv_bz2=bz2.compress(DATA)),
}


@pytest.mark.parametrize("name", PACKED)
def test_what_is_packed_is_read_as_what_it_is(tmp_path: Path, name: str) -> None:
    source = opened(tmp_path, name, PACKED[name])
    assert rows(source) == ROWS
    summary = source.summary()
    assert (summary.rows, summary.bytes) == (3, len(PACKED[name]))
    (tmp_path / "p.csv").write_bytes(PACKED[name])
    bare = open_pairs(str(tmp_path / "p.csv"))  # the content decides
    assert rows(bare) == ROWS
    assert bare.summary().fingerprint == summary.fingerprint


def test_the_only_member_is_told_and_of_several_one_is_asked_for(tmp_path: Path) -> None:
    source = opened(tmp_path, "one.zip", zipped(p_csv=DATA, README=b"x", _hidden=b"y"))
    assert source.table.notes == (
        "Read from p.csv, the only one in a zip archive.",
        "Not part of the table by their names: README, .hidden.",
    )
    assert source.table.here_only == f"{tmp_path}/one.zip is unpacked on this machine"
    mapping = b"taxid,idx\n5,0\n6,1\n7,2\n"
    both = {"all.zip": zipped(m_csv=mapping, p_csv=DATA, q_parquet=parquet()),
            "all.tgz": tarred("w:gz", m_csv=mapping, p_csv=DATA, q_parquet=parquet())}  # fmt: skip
    for name, data in both.items():
        with pytest.raises(
            InputError, match=r"of 3: m\.csv, p\.csv, q\.parquet; name the one"
        ) as told:
            opened(tmp_path, name, data)
        assert f"as in {tmp_path}/{name}::m.csv" in str(told.value)
        for part in ("::p.csv", "::q.parquet"):
            assert rows(opened(tmp_path, name, data, part)) == ROWS
        assert open_mapping(f"{tmp_path}/{name}::m.csv").columns.roles["idx"] == "idx"
        with pytest.raises(InputError, match=r"it holds m\.csv, p\.csv, q\.parquet"):
            opened(tmp_path, name, data, "::r.csv")


def test_of_two_members_of_one_name_neither_is_taken(tmp_path: Path) -> None:
    tar, npz = tmp_path / "p.tar", tmp_path / "p.npz"
    with tarfile.open(tar, "w") as archive:
        for data in (DATA, DATA[:-4]):
            (member := tarfile.TarInfo("p.csv")).size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with zipfile.ZipFile(npz, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for array in (ROWS, ROWS[:2]):
            np.save(sink := io.BytesIO(), np.array(array))
            archive.writestr("p.npy", sink.getvalue())
    (tmp_path / "p.zip").write_bytes(npz.read_bytes().replace(b"p.npy", b"p.csv"))
    for path in (tar, npz, tmp_path / "p.zip"):
        for part in ("", "::p.csv"):
            with pytest.raises(InputError, match=r"in which p\.\w+ is there 2 times; unpack it"):
                open_pairs(f"{path}{part}")


def test_a_part_of_what_is_piped(monkeypatch) -> None:
    class Piped:
        buffer = None

    for part, expected in (("-", "as in -::p.csv"), ("-::p.csv", ROWS)):
        Piped.buffer = io.BytesIO(zipped(p_csv=DATA, q_csv=DATA))
        monkeypatch.setattr("sys.stdin", Piped)
        if part == "-":
            with pytest.raises(InputError, match=expected):
                open_pairs(part)
        else:
            assert rows(open_pairs(part)) == expected


def test_parts_are_named_of_many_files_and_of_what_has_some(tmp_path: Path) -> None:
    for k in (1, 2):
        (tmp_path / f"{k}.zip").write_bytes(zipped(m_csv=b"taxid,idx\n5,0\n", p_csv=DATA))
    source = open_pairs(f"{tmp_path}/*.zip::p.csv")
    assert rows(source) == ROWS * 2
    assert [one.path for one in source.summary().files] == [
        f"{tmp_path}/{k}.zip::p.csv" for k in (1, 2)
    ]
    with pytest.raises(InputError, match="CSV or TSV has no parts to be named behind ::"):
        opened(tmp_path, "p.csv", DATA, "::p")
    assert rows(opened(tmp_path, "a::b.csv", DATA)) == ROWS  # there is such a file
    assert split_part("zip://p.csv::s3://bucket/all.zip") == (
        "zip://p.csv::s3://bucket/all.zip",
        "",
    )
    assert split_part("s3://bucket/all.zip::p.csv") == ("s3://bucket/all.zip", "p.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_text_of_wide_characters_is_converted(tmp_path: Path, encoding: str, monkeypatch) -> None:
    monkeypatch.setattr(boxes, "_PIECE", 3)  # in the middle of a character
    text = "parent\tchild\r\na\té\U0001f98a\r\n"
    for name, data in {
        "p.txt": text.encode(encoding),
        "z.gz": gzip.compress(text.encode(encoding)),
    }.items():
        (tmp_path / name).write_bytes(data)
        source = open_pairs(str(tmp_path / name), mapping_given=False)
        (batch,) = source.batches()
        assert batch.columns["descendant_taxid"].to_pylist() == ["é\U0001f98a"]
        assert source.table.notes == (f"It is {encoding.upper()} text, and converted for reading.",)


def test_edges_in_an_archive_are_a_taxonomy(tmp_path: Path) -> None:
    (tmp_path / "e.zip").write_bytes(zipped(e_csv=b"child,parent\nb,a\nc,b\n"))
    assert read_source(str(tmp_path / "e.zip")).identifiers.to_pylist() == ["a", "b", "c"]
    (tmp_path / "e.tar.xz").write_bytes(tarred("w:xz", e_csv=b"child,parent\nb,a\nc,b\n"))
    assert len(read_source(str(tmp_path / "e.tar.xz")).identifiers) == 3
    (tmp_path / "t.nwk.xz").write_bytes(lzma.compress(b"((a,b)c,d)e;"))
    assert len(read_source(str(tmp_path / "t.nwk.xz")).identifiers) == 5


def locked() -> bytes:
    data = bytearray(zipped(p_csv=DATA))
    data[6] |= 1  # the flag of encryption, in both headers
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def holes() -> bytes:
    """A tar whose member is a terabyte of nothing, in half a kilobyte."""
    info = tarfile.TarInfo("p.csv")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                        "GNU.sparse.realsize": str(1 << 40), "GNU.sparse.name": "p"}  # fmt: skip
    info.size = 512
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(b"1\n0\n0\n".ljust(512, b"\0")))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("p.zip", locked(), "'p.csv' in it is encrypted; unpack it"),
        ("p.zip", zipped(p_csv=DATA)[:-30], "cannot be read as a zip archive"),
        ("p.zip", zipped(), "is a zip archive that holds no table"),
        ("p.csv.bz2", bz2.compress(DATA)[:-9], "may be truncated or damaged"),
        ("p.csv.xz", lzma.compress(DATA)[:-9], "may be truncated or damaged"),
        ("p.csv.lz4", lz4(DATA)[:-9], "may be truncated or damaged"),
        ("p.parquet.gz", gzip.compress(parquet())[:-30], "may be truncated or damaged"),
        ("p.tar", tarred("w", p_csv=DATA)[:540], "cannot be read as a tar archive"),
        ("p.tar", holes(), "holds no table"),
        ("p.zip", zipped(a_zip=zipped(b_zip=zipped(c_zip=zipped(p_csv=DATA)))),
         "is packed more than 3 times"),
    ],
)  # fmt: skip
def test_what_cannot_be_unpacked_is_one_line(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    with pytest.raises(InputError, match=said) as told:
        rows(opened(tmp_path, name, data))
    assert str(told.value).startswith(f"{tmp_path}/{name}")
    assert str(told.value).isprintable()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b.csv.bz2", "b.csv.xz", "b.zip", "b.xz"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, name: str) -> None:
    plain = (b"\0" if name == "b.xz" else DATA) + b"0,1\n" * (FREE_BYTES // 4)
    pack = {"zip": lambda d: zipped(p_csv=d), "xz": lambda d: lzma.compress(d, preset=0)}
    with pytest.raises(InputError, match="unpacks to more than a file of its size should hold"):
        rows(opened(tmp_path, name, pack.get(name[-3:].strip("."), bz2.compress)(plain)))
