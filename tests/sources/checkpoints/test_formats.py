"""Formats that no engine owns: safetensors, word2vec, Parquet, Feather, npz, plain pickles."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from taxcheck.model.errors import InputError
from taxcheck.model.geometry import Geometry
from taxcheck.sources.checkpoints.opening import open_checkpoint

BALL = np.array([[0.0, 0.01], [0.5, 0.0], [-0.5, 0.1], [0.0, 0.9]], np.float32)
NAMES = ["Homo sapiens", "Mus", "Å", "x (y)"]


def test_safetensors(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy")
    arrays = {
        "emb.weight": BALL, "half": BALL.astype(np.float16)[:2], "ids": np.arange(4),
        "flags": np.array([True, False]), "empty": np.empty((0, 3), np.float64),
    }  # fmt: skip
    metadata = {"manifold": "PoincareBall", "curvature": "0.5", "epoch": "12", "max_norm": "0.98"}
    library.save_file(arrays, path := tmp_path / "a.safetensors", metadata)
    checkpoint = open_checkpoint(str(path))
    assert (checkpoint.format, checkpoint.key) == ("safetensors", "emb.weight")
    assert {t.key: (t.shape, t.dtype, t.bytes) for t in checkpoint.tensors} == {
        name: (array.shape, array.dtype.name, array.nbytes) for name, array in arrays.items()
    }
    np.testing.assert_array_equal(checkpoint.vectors, BALL)
    assert checkpoint.reading.geometry is Geometry.BALL
    assert (checkpoint.reading.curvature, checkpoint.reading.clip) == (0.5, 0.98)
    assert checkpoint.facts.epoch == 12
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == [0, 1, 2, 3]


def test_safetensors_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    table = torch.tensor(BALL).to(torch.bfloat16)
    library.save_file({"emb": table}, path := tmp_path / "a.safetensors")
    checkpoint = open_checkpoint(str(path))
    assert checkpoint.dtype == "bfloat16"
    np.testing.assert_array_equal(checkpoint.vectors, table.float().numpy())


@pytest.mark.parametrize("zipped", [False, True])
def test_word2vec_text(tmp_path: Path, zipped: bool) -> None:
    lines = [
        f"{name} {' '.join(map(repr, row.tolist()))}" for name, row in zip(NAMES, BALL, strict=True)
    ]
    text = "\n".join(["4 2", *lines]).encode()
    path = tmp_path / "a.vec"
    path.write_bytes(gzip.compress(text) if zipped else text)
    checkpoint = open_checkpoint(str(path))
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == NAMES
    np.testing.assert_array_equal(checkpoint.vectors.astype(np.float32), BALL)
    assert checkpoint.format == ("word2vec text, gzip" if zipped else "word2vec text")


def test_word2vec_in_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxcheck.sources.checkpoints.word2vec._CHUNK", 64)
    rows = "".join(f"n{i}  {i / 100} -{i / 7:.6f}\r\n" for i in range(50))
    (path := tmp_path / "a.vec").write_text(f"50 2\n{rows}\n\n")
    checkpoint = open_checkpoint(str(path))
    np.testing.assert_allclose(checkpoint.vectors[:, 0], np.arange(50) / 100, rtol=0)
    assert checkpoint.rows == 50


def test_word2vec_of_gensim(tmp_path: Path) -> None:
    models = pytest.importorskip("gensim.models")
    vectors = models.KeyedVectors(2)
    names = [name.replace(" ", "_") for name in NAMES]
    vectors.add_vectors(names, BALL)
    for binary, kind in ((False, "word2vec text"), (True, "word2vec binary")):
        vectors.save_word2vec_format(str(path := tmp_path / "a"), binary=binary)
        checkpoint = open_checkpoint(str(path))
        assert checkpoint.format == kind
        assert checkpoint.labels is not None
        assert checkpoint.labels.to_pylist() == names
        np.testing.assert_array_equal(checkpoint.vectors.astype(np.float32), BALL)


def tables() -> dict[str, pa.Table]:
    ids = pa.array([1, 9606, 10090, 7586])
    columns = {f"d{i}": pa.array(BALL[:, i]) for i in range(2)}
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(BALL.ravel()), 2)
    loose = pa.array(BALL.tolist(), pa.list_(pa.float32()))
    return {
        "columns": pa.table({"taxid": ids, **columns}),
        "a list": pa.table({"taxid": ids, "embedding": fixed}),
        "lists of any length": pa.table({"taxid": ids, "emb": loose}),
        "an index of rows": pa.table({"idx": pa.array(range(4)), "taxid": ids, **columns}),
    }


@pytest.mark.parametrize("form", tables())
@pytest.mark.parametrize("write", [pq.write_table, feather.write_feather])
def test_tables(tmp_path: Path, form: str, write: object) -> None:
    write(tables()[form], str(path := tmp_path / "a.table"))  # type: ignore[operator]
    checkpoint = open_checkpoint(str(path))
    assert checkpoint.format in ("parquet", "feather")
    np.testing.assert_array_equal(checkpoint.vectors, BALL)
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == [1, 9606, 10090, 7586]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"e": [[0.1, 0.2], [0.3]]}, "vectors in column 'e' differ in length"),
        ({"e": [[0.1, 0.2], None]}, "column 'e' lacks 1 vectors"),
        ({"idx": [1, 0], "e0": [0.1, 0.2], "e2": [0.1, 0.2]}, "columns e0, e2 lack number 1"),
        ({"n": ["a", "b"]}, "holds no embedding table"),
        ({"x": pa.array([], pa.float64())}, "holds no rows"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, table: dict[str, object], message: str) -> None:
    pq.write_table(pa.table(table), path := tmp_path / "a.parquet")
    with pytest.raises(InputError, match=message):
        open_checkpoint(str(path))


def test_damaged_names_of_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"taxid": [1, 2], "value": [0.1, 0.2]}), path := tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes().replace(b"value", b"v\xb2lue"))
    with pytest.raises(InputError, match="cannot be read as parquet"):
        open_checkpoint(str(path))


def test_npz_keeps_the_order_of_memory_and_the_values_beside(tmp_path: Path) -> None:
    np.savez(
        path := tmp_path / "a.npz",
        vectors=np.asfortranarray(BALL),
        epoch=7,
        manifold="poincare",
        names=np.array(NAMES),
        update_counts=np.array([3, 0, 1, 2]),
    )
    checkpoint = open_checkpoint(str(path))
    np.testing.assert_array_equal(checkpoint.vectors, BALL)
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == NAMES
    assert checkpoint.facts.epoch == 7
    assert checkpoint.facts.update_counts is not None
    assert checkpoint.facts.update_counts.tolist() == [3, 0, 1, 2]
    assert checkpoint.reading.reasons[0] == "manifold says 'poincare'."


def test_names_that_are_no_characters_are_none(tmp_path: Path) -> None:
    beyond = np.full((4, 3), 0x3F0000, np.uint32).view("<U3")[:, 0]
    np.savez(path := tmp_path / "a.npz", vectors=BALL, names=beyond)
    assert open_checkpoint(str(path)).labels is None


def test_a_binary_header_far_from_the_start(tmp_path: Path) -> None:
    rows = b"".join(b"%d " % row + x.tobytes() for row, x in enumerate(BALL))
    (path := tmp_path / "a.bin").write_bytes(b"\r" * 100 + b"4 2\n" + rows)
    np.testing.assert_array_equal(open_checkpoint(str(path)).vectors, BALL)


def test_npy_of_every_order(tmp_path: Path) -> None:
    for array in (BALL, np.asfortranarray(BALL), BALL.astype(">f8"), BALL.astype(np.float16)):
        np.save(path := tmp_path / "a.npy", array)
        np.testing.assert_array_equal(open_checkpoint(str(path)).vectors, array)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_pickles(tmp_path: Path, protocol: int) -> None:
    tree = {"embeddings": BALL, "taxid_to_idx": {9606: 1, 1: 0, 7: 3, 5: 2}, "epoch": np.int64(4)}
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps(tree, protocol))
    checkpoint = open_checkpoint(str(path))
    np.testing.assert_array_equal(checkpoint.vectors, BALL)
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == [1, 9606, 5, 7]
    assert checkpoint.facts.epoch == 4


def test_labels_by_row(tmp_path: Path) -> None:
    tree = {"embeddings": BALL, "idx_to_name": 1, "idx2taxid": {0: 3, 1: 2, 2: 1, 3: 0}}
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps(tree))
    checkpoint = open_checkpoint(str(path))
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == [3, 2, 1, 0]
