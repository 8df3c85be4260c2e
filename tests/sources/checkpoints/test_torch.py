"""Files of torch.save: every tensor as torch.load(weights_only=True) gives it."""

from __future__ import annotations

import io
import os
import pathlib
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.contents import Flat, flatten
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.readers import Candidate, reader_of

torch = pytest.importorskip("torch")

DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64, torch.complex128,
    torch.uint16, torch.uint32, torch.uint64,
]  # fmt: skip
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def saved(value: object, path: Path, *, zipped: bool = True) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


def flat_of(path: Path) -> Flat:
    candidate = Candidate(str(path))
    return flatten(reader_of(candidate, "checkpoint").read(candidate).tree)


def tensors_in(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, torch.Tensor):
        return {path or "array": value}
    found: dict[str, object] = {}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list | tuple | torch.Tensor):
            found |= tensors_in(item, f"{path}.{key}" if path else str(key))
    return found


def assert_same(path: Path) -> None:
    """Every tensor that torch loads is read with the same shape, dtype and bits."""
    expected = tensors_in(torch.load(path, weights_only=True))
    flat = flat_of(path)
    assert set(flat.arrays) == set(expected)
    for key, tensor in expected.items():
        stored = flat.arrays[key]
        assert stored.dtype == str(tensor.dtype).removeprefix("torch.")
        assert stored.shape == tuple(tensor.shape)
        detached = tensor.detach().resolve_conj().resolve_neg()
        plain = detached.float() if tensor.dtype == torch.bfloat16 else detached
        np.testing.assert_array_equal(stored.array(), plain.numpy(), strict=True)


@st.composite
def views(draw: st.DrawFn) -> object:
    """A tensor of any dtype, seen through slices, transposition, expansion or strides."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 5), max_size=3))
    bits = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 100, shape)
    tensor = torch.tensor(bits).to(dtype)
    for kind in draw(st.lists(st.sampled_from(["slice", "turn", "step", "grow", "row"]))):
        if kind == "slice" and tensor.ndim:
            tensor = tensor[draw(st.integers(0, tensor.shape[0])) :]
        elif kind == "turn" and tensor.ndim > 1:
            tensor = tensor.transpose(0, -1)
        elif kind == "step" and tensor.ndim:
            tensor = tensor[..., ::2]
        elif kind == "grow" and tensor.ndim < 4:
            tensor = tensor.unsqueeze(0).expand(3, *tensor.shape)
        elif kind == "row" and tensor.ndim and tensor.shape[0]:
            tensor = tensor[0]
    return tensor


@pytest.mark.long
@FORMATS
@given(tree=st.dictionaries(st.text("abc", min_size=1), views(), max_size=4))
def test_views_of_every_dtype(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object], zipped: bool
) -> None:
    path = tmp_path_factory.mktemp("views") / "t.pt"
    unsigned = {torch.uint16, torch.uint32, torch.uint64}
    if not zipped:  # the legacy format has no storages of these
        tree = {key: t for key, t in tree.items() if t.dtype not in unsigned}
    assert_same(saved(tree, path, zipped=zipped))


@FORMATS
def test_shared_storages_parameters_and_containers(tmp_path: Path, zipped: bool) -> None:
    base = torch.arange(24, dtype=torch.float32).reshape(6, 4)
    parameter = torch.nn.Parameter(base[1:3])
    parameter.note = "kept by torch as an attribute"
    tree = {
        "whole": base,
        "view": base.t()[1:],
        "parameter": torch.nn.Parameter(base[2]),
        "noted": parameter,
        "nested": {"list": [base[0], {"deep": base[:, 1]}], "tuple": (base[5],)},
        "ordered": OrderedDict(a=base[::2], b=base[3:3]),
        "conjugate": torch.tensor([1 + 2j]).conj(),
        "negative": torch.tensor([1 + 2j]).conj().imag,
        "number": torch.tensor(3.5),
    }
    path = saved(tree, tmp_path / "t.pt", zipped=zipped)
    assert_same(path)
    view = flat_of(path).arrays["view"].array()
    assert not view.flags.owndata
    assert not view.flags.writeable


@FORMATS
@pytest.mark.parametrize("protocol", range(2, 6))
def test_protocols(tmp_path: Path, protocol: int, zipped: bool) -> None:
    path = tmp_path / "t.pt"
    tree = {"a": torch.eye(3), "n": 1 << 70, "s": "x"}
    torch.save(tree, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    flat = flat_of(path)
    np.testing.assert_array_equal(flat.arrays["a"].array(), np.eye(3, dtype=np.float32))
    assert flat.values == {"n": "an integer of 71 bits", "s": "x"}


@FORMATS
def test_module_and_optimizer_state(tmp_path: Path, zipped: bool) -> None:
    module = torch.nn.Sequential(torch.nn.Embedding(7, 3), torch.nn.Linear(3, 2))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.25)
    module(torch.tensor([1, 2])).sum().backward()
    optimizer.step()
    tree = {"model": module.state_dict(), "optimizer": optimizer.state_dict()}
    path = saved(tree, tmp_path / "t.pt", zipped=zipped)
    assert_same(path)
    opened = open_checkpoint(str(path), key="model.0.weight")
    assert opened.facts.config["lr"] == 0.25
    assert opened.facts.untouched is not None
    assert opened.facts.untouched.tolist() == [True, False, False, True, True, True, True]


def test_what_a_checkpoint_holds_beside_tensors(tmp_path: Path) -> None:
    tree = {
        "w": torch.rand(4, 2),
        "np": np.float32(0.5),
        "array": np.arange(6.0).reshape(3, 2).T,
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
        "set": {1, 2},
        "path": Path("a/b"),
        "none": None,
    }
    flat = flat_of(saved(tree, tmp_path / "t.pt"))
    assert flat.values["np"] == 0.5
    assert flat.values["device"] == "cpu"
    assert flat.values["dtype"] == "torch.float16"
    assert flat.values["none"] is None
    np.testing.assert_array_equal(flat.arrays["array"].array(), np.arange(6.0).reshape(3, 2).T)
    assert flat.lists["size"] == (1, 2)


@pytest.mark.parametrize("module", ["pathlib", "pathlib._local"])
def test_paths_are_text_whichever_python_wrote_them(tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, pathlib)
    monkeypatch.setattr(pathlib.PurePosixPath, "__module__", module)
    path = saved({"out": pathlib.PurePosixPath("a/b")}, tmp_path / "t.pt")
    with zipfile.ZipFile(path) as archive:
        assert f"c{module}\nPurePosixPath\n".encode() in archive.read("t/data.pkl")
    assert flat_of(path).values["out"] == "a/b"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: torch.eye(3).to_sparse(), "a sparse tensor"),
        (lambda: torch.eye(3).to_sparse_csr(), "a sparse tensor"),
        (
            lambda: torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.quint8),
            "a quantised tensor",
        ),
        (lambda: torch.empty(3, 3, device="meta"), "a tensor without values"),
        (lambda: torch.zeros(3, 3, dtype=torch.float8_e4m3fn), "a tensor of float8_e4m3fn"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_layouts_without_a_numpy_array_are_named(
    tmp_path: Path, make: Callable[[], object], kind: str
) -> None:
    path = saved({"emb": make()}, tmp_path / "t.pt")
    with pytest.raises(InputError, match=f"no embedding table: emb is {kind}; save it as a dense"):
        open_checkpoint(str(path))
    path = saved({"side": make(), "w": torch.rand(4, 2)}, tmp_path / "u.pt")
    assert open_checkpoint(str(path)).notes == (f"side is {kind}, which is not read.",)
    path = saved({"emb": make(), "w": torch.rand(4, 2)}, tmp_path / "v.pt")
    with pytest.raises(InputError, match=f"emb is {kind}, which taxcheck does not read"):
        open_checkpoint(str(path), key="emb")


def test_big_endian(tmp_path: Path) -> None:
    path = saved({"w": torch.arange(6.0).reshape(3, 2)}, tmp_path / "t.pt")
    source = zipfile.ZipFile(path)
    with zipfile.ZipFile(turned := tmp_path / "big.pt", "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("/byteorder"):
                data = b"big"
            if name.endswith("/data/0"):
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            target.writestr(name, data)
    np.testing.assert_array_equal(
        open_checkpoint(str(turned)).vectors, np.arange(6.0).reshape(3, 2)
    )


@pytest.mark.parametrize("change", ["compressed", "prefix", "no byteorder", "zip64", "symlink"])
def test_unusual_archives(tmp_path: Path, change: str) -> None:
    path, odd = saved({"w": torch.arange(6.0).reshape(3, 2)}, tmp_path / "t.pt"), tmp_path / "o.pt"
    source = zipfile.ZipFile(path)
    if change == "prefix":
        odd.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())
    elif change == "symlink":
        odd.symlink_to(path)
    else:
        packing = zipfile.ZIP_DEFLATED if change == "compressed" else zipfile.ZIP_STORED
        with zipfile.ZipFile(odd, "w", packing) as target:
            for name in source.namelist():
                if change == "zip64":
                    with target.open(name, "w", force_zip64=True) as member:
                        member.write(source.read(name))
                elif change != "no byteorder" or not name.endswith("byteorder"):
                    target.writestr(name, source.read(name))
    np.testing.assert_array_equal(open_checkpoint(str(odd)).vectors, np.arange(6.0).reshape(3, 2))


def test_programs_and_whole_models_are_refused(tmp_path: Path) -> None:
    model = torch.nn.Embedding(3, 2)
    path = saved(model, tmp_path / "model.pt")
    with pytest.raises(
        InputError, match=r"is one object of torch\.nn\.\S+Embedding; .*state_dict\(\)"
    ):
        open_checkpoint(str(path))
    with pytest.warns(match="."):
        torch.jit.script(model).save(tmp_path / "script.pt")
    with pytest.raises(InputError, match=r"TorchScript program; .*torch\.jit\.load\(path\)"):
        open_checkpoint(str(tmp_path / "script.pt"))


def test_the_tar_format_is_refused_with_the_way_out(tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(path := tmp_path / "old.pt", "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("sys_info"), io.BytesIO())
    with pytest.raises(InputError, match="tar archive, as torch wrote before"):
        open_checkpoint(str(path))


def test_a_large_table_is_mapped(tmp_path: Path) -> None:
    table = torch.zeros(400_000, 50)
    path = saved({"emb.weight": table}, tmp_path / "t.pt")
    vectors = open_checkpoint(str(path)).vectors
    assert os.path.getsize(path) > vectors.nbytes  # noqa: PTH202
    base = vectors
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


@pytest.mark.parametrize("base", [{}, {"base_model.model.emb.base_layer.weight": (9, 4)}])
def test_an_adapter_is_no_table(tmp_path: Path, base: dict[str, tuple[int, int]]) -> None:
    factors = {
        "base_model.model.emb.lora_embedding_A": (2, 9),
        "base_model.model.emb.lora_embedding_B": (4, 2),
    }
    state = {name: torch.ones(shape) for name, shape in {**factors, **base}.items()}
    path = str(saved(state, tmp_path / "adapter.pt"))
    with pytest.raises(
        InputError, match=r"holds an adapter of LoRA .*merge_and_unload\(\) of peft"
    ):
        open_checkpoint(path)
    named = open_checkpoint(path, key="base_model.model.emb.lora_embedding_A")
    assert named.vectors.shape == (2, 9)
    other = str(saved({**state, "emb.weight": torch.ones(7, 3)}, tmp_path / "other.pt"))
    assert open_checkpoint(other).vectors.shape == (7, 3)
