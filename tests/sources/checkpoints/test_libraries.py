"""Files that libraries write, each by the library itself, or byte by byte where it is not here."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.opening import open_checkpoint
from tests.sources.checkpoints.layouts import (
    DIM,
    LABELS,
    ROWS,
    TABLE,
    N,
    assert_right,
)

F32 = ROWS.astype(np.float32)


def test_shards_of_safetensors_and_torch(tmp_path: Path) -> None:
    torch, save = pytest.importorskip("torch"), pytest.importorskip("safetensors.numpy").save_file
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    save({"head.weight": np.zeros((3, DIM), np.float32)}, tmp_path / first)
    save({"embedding.weight": F32, "taxids": LABELS}, tmp_path / second)
    where = {"head.weight": first, "embedding.weight": second, "taxids": second}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": where}))
    whole = assert_right(index).checkpoint
    assert whole.notes[0] == "Read from 2 shards beside the index."
    assert assert_right(tmp_path).checkpoint.fingerprint == whole.fingerprint
    with pytest.raises(InputError, match=r"is shard 1 of 2; give the folder, or the \.index\.json"):
        open_checkpoint(str(tmp_path / first))
    (tmp_path / second).unlink()
    with pytest.raises(InputError, match=r"its shard model-00002-of-00002\.safetensors is missing"):
        open_checkpoint(str(index))
    folder = tmp_path / "torch"
    folder.mkdir()
    torch.save({"embedding.weight": torch.tensor(TABLE)}, folder / "model.bin")
    index = folder / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {"embedding.weight": "model.bin"}}))
    assert_right(folder)
    index.write_text(json.dumps({"weight_map": {"embedding.weight": "../model.bin"}}))
    with pytest.raises(InputError, match="names shards in other folders"):
        open_checkpoint(str(index))


def test_torchs_distributed_checkpoint(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    save = pytest.importorskip("torch.distributed.checkpoint").save
    state = {"model": {"embedding.weight": torch.tensor(TABLE), "head.bias": torch.rand(3)}}
    with pytest.warns(match="."):
        save(state, checkpoint_id=tmp_path / "dcp")
    found = assert_right(tmp_path / "dcp").checkpoint
    assert found.key == "model.embedding.weight"
    for part in (tmp_path / "dcp").glob("*.distcp"):
        part.write_bytes(part.read_bytes()[:-400])
    with pytest.raises(InputError):
        open_checkpoint(str(tmp_path / "dcp"))


@pytest.mark.parametrize("packed", [False, True])
def test_matlab(tmp_path: Path, packed: bool) -> None:
    save = pytest.importorskip("scipy.io").savemat
    path = tmp_path / "a.mat"
    save(path, {"embeddings": ROWS, "taxids": LABELS}, do_compression=packed)
    assert assert_right(path).by_labels
    texts = LABELS.astype(str).astype(object)
    save(path, {"model": {"X": ROWS, "names": texts}}, do_compression=packed)
    assert assert_right(path).how.startswith("Rows were joined by model.names")


def test_matlab_7_3_stores_columns(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["emb"], file["taxids"] = ROWS.T, LABELS[None, :].astype(float)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    assert assert_right(path).checkpoint.format == "MATLAB 7.3"


@pytest.mark.parametrize("code", [b"IxF2", b"IxFI"])
@pytest.mark.parametrize("ids", [False, True])
def test_flat_indexes_of_faiss(tmp_path: Path, code: bytes, ids: bool) -> None:
    header = struct.Struct("<4siqqqBi")
    metric = int(code == b"IxF2")
    rows = F32 if ids else TABLE.astype(np.float32)
    body = header.pack(code, DIM, N, 1 << 20, 1 << 20, 1, metric)
    body += struct.pack("<Q", N * DIM) + rows.tobytes()
    if ids:
        mapped = header.pack(b"IxMp", DIM, N, 1 << 20, 1 << 20, 1, metric)
        body = mapped + body + struct.pack("<Q", N) + LABELS.astype("<i8").tobytes()
    (path := tmp_path / "a.faiss").write_bytes(body)
    assert assert_right(path).by_labels == ids
    path.write_bytes(body[:-10])
    with pytest.raises(InputError, match="FAISS index that is truncated"):
        open_checkpoint(str(path))
    path.write_bytes(b"IxPT" + body[4:])
    with pytest.raises(InputError, match="is a FAISS index, which taxcheck does not read; write"):
        open_checkpoint(str(path))


def test_faiss_itself_writes_that(tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexIDMap(faiss.IndexFlatL2(DIM))
    index.add_with_ids(F32, LABELS)
    faiss.write_index(index, str(path := tmp_path / "a.faiss"))
    assert assert_right(path).by_labels


def test_flaxs_msgpack(tmp_path: Path) -> None:
    msgpack = pytest.importorskip("msgpack")

    def array(values: np.ndarray) -> object:
        packed = msgpack.packb((values.shape, values.dtype.name, values.tobytes()))
        return msgpack.ExtType(1, packed)

    kernel = np.zeros((DIM, 3), np.float32)
    tree = {"params": {"embed": {"embedding": array(TABLE)}, "dense": {"kernel": array(kernel)}}}
    (path := tmp_path / "a.msgpack").write_bytes(msgpack.packb(tree))
    assert assert_right(path).checkpoint.key == "params.embed.embedding"
    cut = {"__msgpack_chunked_array__": True, "shape": {"0": N, "1": DIM},
           "chunks": {"0": array(TABLE.ravel()[:70]), "1": array(TABLE.ravel()[70:])}}  # fmt: skip
    path.write_bytes(msgpack.packb({"params": {"embedding": cut}}))
    assert_right(path)


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(dict(zip(LABELS.tolist(), ROWS.tolist(), strict=True))))
    assert assert_right(path).by_labels
    path.write_text(json.dumps({"taxids": LABELS.tolist(), "embeddings": ROWS.tolist()}))
    assert assert_right(path).by_labels
    pairs = zip(LABELS.tolist(), ROWS.tolist(), strict=True)
    path.write_text("\n".join(json.dumps({"id": t, "vector": v}) for t, v in pairs))
    assert assert_right(path).by_labels


def annotated(path: Path, index: list[str], obsm: dict[str, np.ndarray]) -> None:
    """As AnnData 0.1.0 on disk: obs with its index and a column of categories."""
    h5py = pytest.importorskip("h5py")
    codes, categories = np.unique(LABELS, return_inverse=True)[::-1]
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        obs, taxid = file.create_group("obs"), file.create_group("obs/taxid")
        obs.attrs["_index"] = "_index"
        obs["_index"] = index
        taxid["codes"], taxid["categories"] = codes, categories.astype(str).tolist()
        file["X"] = np.zeros((N, 3))
        file["var/_index"] = [f"gene {k}" for k in range(N)]
        for name, rows in obsm.items():
            file[f"obsm/{name}"] = rows


def test_anndata(tmp_path: Path) -> None:
    annotated(path := tmp_path / "a.h5ad", LABELS.astype(str).tolist(), {"X_ball": ROWS})
    found = assert_right(path)
    assert (found.checkpoint.format, found.checkpoint.key) == ("AnnData", "obsm.X_ball")
    assert found.how.startswith("Rows were joined by obs.")
    annotated(path, [f"cell {k}" for k in range(N)], {"X_ball": ROWS})
    assert assert_right(path).how.startswith("Rows were joined by obs.taxid")
    annotated(path, list(map(str, range(N))), {"X_a": ROWS, "X_b": ROWS[::-1]})
    with pytest.raises(InputError, match=r"several arrays could be the table: obsm\.X_a .*`key`"):
        open_checkpoint(str(path))
    assert_right(path, key="obsm.X_a")


def test_anndata_itself_writes_that(tmp_path: Path) -> None:
    anndata, pd = pytest.importorskip("anndata"), pytest.importorskip("pandas")
    data = anndata.AnnData(np.zeros((N, 3)), obs=pd.DataFrame(index=LABELS.astype(str)))
    data.obsm["X_poincare"] = ROWS
    data.write_h5ad(path := tmp_path / "a.h5ad")
    assert assert_right(path).by_labels


def test_hdf5_of_groups_texts_and_frames(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["model/final/vectors"] = ROWS
        file["model/final/taxid"] = LABELS.astype("S")
        file["embeddings_of_something/weight"] = np.zeros((2, 3))
    assert assert_right(path).checkpoint.key == "model.final.vectors"
    with h5py.File(path, "w") as file:
        file["embeddings"] = ROWS
        file["labels"] = LABELS.astype(str).tolist()
    assert assert_right(path).by_labels
    with h5py.File(path, "w") as file:  # as pandas' to_hdf writes a frame in its fixed format
        frame = file.create_group("df")
        frame.attrs["pandas_type"] = "frame"
        frame["axis0"] = [f"e{k}".encode() for k in range(DIM)] + [b"loss"]
        frame["axis1"] = LABELS
        frame["block0_items"] = frame["axis0"][()]
        frame["block0_values"] = np.c_[ROWS, np.ones(N)]
    assert assert_right(path).checkpoint.format == "pandas HDF5"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.gguf", b"GGUF" + bytes(60), "is a GGUF model"),
        ("a.onnx", b"\x08\x07\x12\x04test" + bytes(60), "is an ONNX model"),
        ("saved_model.pb", None, "is a TensorFlow SavedModel"),
        ("zarr.json", None, "is a Zarr store"),
        ("anything", None, "is a folder; give one file of it"),
    ],
)
def test_kinds_that_are_not_read_are_named(tmp_path, name: str, content, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content or b"x")
    with pytest.raises(InputError, match=told):
        open_checkpoint(str(path if content else tmp_path))


def test_joblib_is_named(tmp_path: Path) -> None:
    dump = pytest.importorskip("joblib").dump
    for level in (0, 3):
        dump({"emb": ROWS}, path := tmp_path / f"a{level}.joblib", compress=level)
        with pytest.raises(InputError, match=r"joblib.*, which taxcheck does not read"):
            open_checkpoint(str(path))
