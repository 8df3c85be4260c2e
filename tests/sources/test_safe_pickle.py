"""A pickle's data is read; nothing in it is ever run, and it cannot eat the machine."""

from __future__ import annotations

import io
import os
import pickle
import resource
import struct
import sys
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources import safe_pickle
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.files import InputFile
from taxcheck.sources.pickle_work import end_of_pickle
from taxcheck.sources.safe_pickle import bounded_memory, unprinted
from taxcheck.sources.tables.opening import open_pairs

ROWS = [
    {
        "ancestor_idx": 0,
        "descendant_idx": np.int64(1),
        "depth_diff": 1.0,
        "ancestor_depth": np.int32(0),
        "descendant_depth": np.float64(1),
        "ancestor_taxid": np.str_("7586"),
        "descendant_taxid": "7587",
    },
    OrderedDict(ancestor_idx=2**53 + 1, descendant_idx=None),
]


def read(tmp_path: Path, content: bytes) -> dict[str, list[object]]:
    (path := tmp_path / "p.pkl").write_bytes(content)
    (batch,) = open_pairs(str(path)).batches()
    return {role: column.to_pylist() for role, column in batch.columns.items()}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(tmp_path: Path, protocol: int) -> None:
    assert read(tmp_path, pickle.dumps(ROWS, protocol)) == {
        "ancestor": [0, 2**53 + 1],
        "descendant": [1, None],
        "ancestor_taxid": ["7586", None],
        "descendant_taxid": ["7587", None],
        "depth_diff": [1.0, None],
        "ancestor_depth": [0, None],
        "descendant_depth": [1.0, None],
    }


def test_big_endian_scalars_and_columns(tmp_path: Path) -> None:
    value = np.frombuffer(struct.pack(">i", 258), dtype=">i4")[0]
    columns = {"parent": [value], "child": (np.uint8(3),)}
    assert read(tmp_path, pickle.dumps(columns)) == {"ancestor": [258], "descendant": [3]}


def test_mixed_numbers_stay_exact(tmp_path: Path) -> None:
    rows = [{"parent": 2**53 + 1, "child": True}, {"parent": 1.0, "child": 2**70}]
    assert read(tmp_path, pickle.dumps(rows)) == {
        "ancestor": [str(2**53 + 1), "1.0"],
        "descendant": ["True", str(2**70)],
    }


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_code_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    trap = tmp_path / "trap"
    content = pickle.dumps([Touch(trap)], protocol)
    with pytest.raises(InputError, match=r"refused, this pickle would import \w+\.mkdir; only"):
        read(tmp_path, content)
    assert not trap.exists()
    pickle.loads(content)
    assert trap.exists(), "the trap is a real one"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        (b"cbuiltins\neval\n", "builtins.eval"),
        (b"cbuiltins\ngetattr\n", "builtins.getattr"),
        (b"cnumpy\nload\n", "numpy.load"),
        (b"cnumpy\ndtype.__reduce__\n", "numpy.dtype.__reduce__"),
        (b"ccollections\nnamedtuple\n", "collections.namedtuple"),
    ],
)
def test_no_other_name_is_looked_up(tmp_path: Path, name: bytes, asked: str) -> None:
    with pytest.raises(InputError, match=f"would import {asked};"):
        read(tmp_path, b"\x80\x02" + name + b".")


DTYPE = b"cnumpy\ndtype\n"
HOSTILE = {
    "changes an allowed function": b"\x80\x02" + DTYPE + b"}X\x01\x00\x00\x00aK\x01sb.",
    "object dtype": b"\x80\x02" + DTYPE + b"X\x02\x00\x00\x00O8\x85R.",
    "scalar of nothing": b"\x80\x02cnumpy.core.multiarray\nscalar\nK\x01\x85R.",
    "other codec": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00rot\x86R.",
    "persistent id": b"\x80\x02K\x01Q.",
    "extension code": b"\x80\x02\x82\x01.",
    "truncated": pickle.dumps(ROWS)[:-30],
    "memo of 16 GiB": b"\x80\x04]r\xff\xff\xff\x7f.",
    "text of 1 TiB": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b".",
    "bytes of 1 TiB": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b".",
    "frame of 1 TiB": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b".",
    "bytearray of 1 TiB": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
    "nested ten thousandfold": b"\x80\x04" + b"(" * 10_000 + b"t" * 10_000 + b".",
    "itself": b"\x80\x04]\x94h\x00a.",
    "a number of ten thousand digits": pickle.dumps([{"parent": 10**10_000, "child": 1}]),
    "nested cells": pickle.dumps([{"parent": [1], "child": 1}]),
    "not rows": pickle.dumps([1, 2]),
    "a text": pickle.dumps("x"),
    "empty": pickle.dumps([]),
    "ragged columns": pickle.dumps({"parent": [1], "child": []}),
    "an array": pickle.dumps(np.arange(3)),
    "lone surrogate": pickle.dumps([{"parent": "\ud800", "child": 1}]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_end_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, HOSTILE[name])
    assert str(caught.value).startswith(f"{tmp_path / 'p.pkl'}: ")
    assert str(caught.value).isprintable()


def test_only_what_cpython_says_of_a_bytearray_is_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whether it says so is chance, of memory that it did not set."""
    before = sys.excepthook
    with unprinted():
        for words in ("deallocated bytearray object has exported buffers", "another"):
            sys.excepthook(SystemError, SystemError(words), None)
    assert capsys.readouterr().err == "SystemError: another\n"
    assert sys.excepthook is before


def test_the_memory_limit_is_lifted_again(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(InputError, match="more memory than its size explains"):
        read(tmp_path, HOSTILE["memo of 16 GiB"])
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_the_size_limit_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_pickle, "SIZE_LIMIT", 10)
    with pytest.raises(InputError, match=r"the limit is .* loaded whole; convert it to Parquet"):
        read(tmp_path, pickle.dumps(ROWS))


def _doubled(levels: int) -> bytes:
    """Tuples of two, each of the one before it, from an empty one on top of the stack."""
    return b"".join(b"h" + bytes([k]) * 1 + b"h" + bytes([k]) + b"\x86\x94" for k in range(levels))


WORK = {
    "a key of tuples doubled sixty times": b"\x80\x04})\x94" + _doubled(60) + b"K\x01s.",
    "a key of tuples of 900, four levels": b"\x80\x04})\x94"
    + b"".join(b"(" + (b"h" + bytes([k])) * 900 + b"t\x94" for k in range(4))
    + b"K\x01s.",
    "a set of them": b"\x80\x04\x8f)\x94(" + _doubled(60) + b"\x90.",
    "a frozen set of them": b"\x80\x04)\x94(" + _doubled(60) + b"\x91.",
    "a type that is one of them": b"\x80\x04cnumpy\ndtype\n)\x94" + _doubled(60) + b"\x85R.",
    "one long key of many items": b"\x80\x04(" + b"K\x01" * 5_000 + b"t\x94}("
    + b"h\x00K\x01" * 5_000 + b"u.",
    "a name of 300,000 digits": b"\x80\x02ctorch\nint" + b"9" * 300_000 + b"x\n.",
    "a class of as many parts": b"\x80\x02cgensim.models" + b".a" * 150_000 + b"\nb!\n.",
    "a type of as many digits": b"\x80\x02cnumpy\ndtype\nX"
    + struct.pack("<I", 300_001) + b"U" + b"9" * 300_000 + b"\x85R.",
}  # fmt: skip


@pytest.mark.parametrize("name", WORK)
def test_no_pickle_takes_more_work_than_its_size_explains(tmp_path: Path, name: str) -> None:
    (path := tmp_path / "p.pkl").write_bytes(WORK[name])
    begun = time.process_time()
    for reader in (lambda shown: safe_pickle.load(InputFile(shown)), open_checkpoint):
        with pytest.raises(InputError, match=r"more work than its size|would import|of type 'U9"):
            reader(str(path))
    assert time.process_time() - begun < 3


def test_many_keys_that_are_tuples_are_no_more_work(tmp_path: Path) -> None:
    pairs = {(k, k + 1, (k, "x")): k for k in range(50_000)}
    (path := tmp_path / "p.pkl").write_bytes(pickle.dumps(pairs))
    assert safe_pickle.load(InputFile(str(path))) == pairs


def test_a_dict_keeps_its_methods_whatever_is_built_into_it(tmp_path: Path) -> None:
    state = b"}(X\x05\x00\x00\x00itemsK\x01X\x03\x00\x00\x00getK\x02ub"
    (path := tmp_path / "p.pkl").write_bytes(
        b"\x80\x02ccollections\nOrderedDict\n)R" + state + b"."
    )
    loaded = safe_pickle.load(InputFile(str(path)))
    assert isinstance(loaded, dict)
    assert list(loaded.items()) == []


@pytest.mark.parametrize("protocol", range(6))
def test_the_end_of_a_pickle_is_where_python_finds_it(protocol: int) -> None:
    tree = {"a": [1, (2, "x", (3,)), {4, 5}], (1, 2): frozenset({(1,)}), None: 2.5, b"b": "é" * 300}
    data = pickle.dumps([tree, tree, Path("a/b"), 1 << 90, np.arange(3)], protocol)
    stream = io.BytesIO(data + b"more")
    pickle.load(stream)
    assert end_of_pickle(data + b"more", 0, len(data)) == stream.tell() == len(data)


def test_readers_at_one_time_leave_the_limit_as_it_was():
    before = resource.getrlimit(resource.RLIMIT_AS)
    one, other = bounded_memory(1), bounded_memory(1 << 20)
    one.__enter__()
    first = resource.getrlimit(resource.RLIMIT_AS)
    other.__enter__()
    both = resource.getrlimit(resource.RLIMIT_AS)
    one.__exit__(None, None, None)
    assert resource.getrlimit(resource.RLIMIT_AS) == both
    other.__exit__(None, None, None)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert first < both != before
