"""Pairs in NumPy's files and in ORC: as integers, records, columns and sparse matrices."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse
from pyarrow import orc

from taxcheck.model.errors import InputError
from taxcheck.sources.tables import arrays, columnar
from taxcheck.sources.tables.opening import open_pairs
from taxcheck.sources.taxonomies.opening import read_source

PAIRS = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [2**60 + 1, 5]])
NAMED = "ancestor=row,descendant=col"


def rows(path: Path | str, columns: str | None = None) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for batch in open_pairs(str(path), columns).batches():
        cells = (column.to_pylist() for column in batch.columns.values())
        found += zip(range(batch.first_row, batch.first_row + batch.rows), *cells, strict=True)
    return found


EXPECTED = [(k, *map(int, pair)) for k, pair in enumerate(PAIRS, start=1)]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(arrays, "BATCH_ROWS", 2)
    monkeypatch.setattr(columnar, "BATCH_ROWS", 2)


@pytest.mark.parametrize(
    "array",
    [
        PAIRS, PAIRS.astype(">i8"), PAIRS.astype(np.uint64), np.asfortranarray(PAIRS), PAIRS.T,
        np.array([tuple(p) for p in PAIRS], [("ancestor", "<u8"), ("descendant", ">i2")]),
    ],
)  # fmt: skip
def test_an_array_of_pairs(tmp_path: Path, array: np.ndarray) -> None:
    np.save(path := tmp_path / "pairs.npy", array)
    assert rows(path) == EXPECTED


def test_depths_and_labels(tmp_path: Path) -> None:
    np.save(path := tmp_path / "pairs.npy", np.array([[0, 1, 1], [0, 2, 2]], np.int16))
    assert rows(path) == [(1, 0, 1, 1), (2, 0, 2, 2)]
    np.save(path, np.array([["a", "é"], ["a", "c"]]))
    assert rows(path) == [(1, "a", "é"), (2, "a", "c")]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_columns_and_tables_of_an_npz(tmp_path: Path, save) -> None:
    path = tmp_path / "p.npz"
    save(path, ancestor=PAIRS[:, 0], descendant=PAIRS[:, 1], seed=np.arange(3))
    assert rows(path) == EXPECTED
    told = "Not as long as the others, and not read: seed."
    assert open_pairs(str(path)).reading().guesses == (told,)
    assert told in read_source(str(path)).guesses
    save(path, pairs=PAIRS, held_out=PAIRS[:2])
    with pytest.raises(InputError, match="of 2: pairs, held_out; name the one"):
        rows(path)
    assert rows(f"{path}::held_out") == EXPECTED[:2]
    save(path, pairs=PAIRS)
    assert rows(path) == EXPECTED


@pytest.mark.parametrize("kind", ["coo", "csr", "csc"])
def test_a_sparse_matrix_does_not_say_which_end_is_above(tmp_path: Path, kind: str) -> None:
    entries = PAIRS[:4]
    matrix = scipy.sparse.coo_array((np.ones(4), entries.T), shape=(6, 4)).asformat(kind)
    scipy.sparse.save_npz(path := tmp_path / "m.npz", matrix)
    with pytest.raises(InputError, match=r"not recognised: '(row|col)', '(row|col)'; name them"):
        rows(path)
    assert sorted(row[1:] for row in rows(path, NAMED)) == [tuple(p) for p in entries.tolist()]
    matrix.data[0] = 0
    scipy.sparse.save_npz(path, matrix)
    with pytest.raises(InputError, match="stores 1 of its zeros, which are no pairs"):
        rows(path, NAMED)


def test_what_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    for array, said in [
        (np.eye(5), "is an array of 5 x 5 float64; pairs are n x 2"),
        (np.array([[{}, 1]], object), "holds Python objects, which are not loaded"),
        (np.zeros((0, 2), int), "holds no rows"),
        (np.arange(6), "is an array of 6 int64"),
        (np.array([(0, [1, 2])], [("ancestor", int), ("descendant", int, 2)]), "no whole numbers"),
    ]:
        np.save(path, array, allow_pickle=True)
        with pytest.raises(InputError, match=said):
            rows(path)
    sink = io.BytesIO()
    np.save(sink, PAIRS)
    for data in (sink.getvalue()[:-8], sink.getvalue()[:50], b"\x93NUMPY\1\0\4\0((((" + bytes(80)):
        path.write_bytes(data)
        with pytest.raises(InputError, match="cannot be read as npy") as told:
            rows(path)
        assert str(told.value).isprintable()
    scipy.sparse.save_npz(tmp_path / "m.npz", scipy.sparse.eye_array(4).tobsr())
    with pytest.raises(InputError, match="a sparse matrix of the format 'bsr'; save it with"):
        rows(tmp_path / "m.npz")
    np.savez(tmp_path / "m.npz", format=b"csr", shape=[9, 9], indptr=[0, 5, 2], indices=[1, 2])
    with pytest.raises(InputError, match="indptr and indices disagree"):
        rows(tmp_path / "m.npz", NAMED)


def test_orc(tmp_path: Path) -> None:
    columns = {"ancestor": PAIRS[:, 0], "descendant": PAIRS[:, 1], "x": [[1]] * 5}
    orc.write_table(pa.table(columns), path := tmp_path / "p.orc")
    assert rows(path) == EXPECTED
    with pytest.raises(InputError, match="column 'x' is of type list"):
        rows(path, "ancestor=ancestor,descendant=x")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="cannot be read as ORC"):
        rows(path)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.dta", b"<stata_dta><header>", "is a Stata file, .*read_stata"),
        ("a.sav", b"$FL2@(#) SPSS DATA FILE", "is an SPSS file, .*read_spss"),
        ("a.sas7bdat", bytes(12) + b"\xc2\xea\x81\x60" + bytes(50), "is a SAS file, .*read_sas"),
        ("a.avro", b"Obj\1" + bytes(50), "is an Avro file, .* rewrite it as Parquet"),
    ],
)
def test_files_of_other_programs_are_named(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (path := tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=said):
        open_pairs(str(path))
