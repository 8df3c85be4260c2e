"""Hostile files end in one line, and nothing that they ask for happens."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources import safe_pickle
from taxcheck.sources.checkpoints import archive
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.files import InputFile

pytestmark = pytest.mark.long

MAGIC, VERSION = pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2)
SYSTEM = b"cos\nsystem\n(X\x0f\x00\x00\x00touch PWNED_HEREtR"


class Runs:
    """Would make a folder where it is unpickled carelessly."""

    def __init__(self, call: Callable[..., object], *args: object) -> None:
        self.call, self.args = call, args

    def __reduce__(self) -> tuple[object, ...]:
        return self.call, self.args


def tensor(
    pid: bytes = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
    b"X\x03\x00\x00\x00cpuK\x06tQ",
    offset: bytes = b"K\x00",
    size: bytes = b"K\x03K\x02\x86",
    stride: bytes = b"K\x02K\x01\x86",
) -> bytes:
    """The opcodes that rebuild a tensor of 3x2 from six float32."""
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + pid + offset + size + stride + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip


def storage(
    kind: bytes = b"ctorch\nFloatStorage\n", key: bytes = b"0", numel: bytes = b"K\x06"
) -> bytes:
    text = b"X" + struct.pack("<I", len(key)) + key
    return b"(X\x07\x00\x00\x00storage" + kind + text + b"X\x03\x00\x00\x00cpu" + numel + b"tQ"


NUMBER = b"\x8a\x08" + struct.pack("<q", 1 << 60)
BODIES = {
    "runs a command": SYSTEM,
    "evaluates": b"c__builtin__\neval\n(X\x05\x00\x00\x001 + 1tR",
    "executes": b"cbuiltins\nexec\n(X\x01\x00\x00\x001tR",
    "compiles": b"cbuiltins\ncompile\n(X\x01\x00\x00\x001tR",
    "gets attributes": b"cbuiltins\ngetattr\n(K\x01X\x04\x00\x00\x00realtR",
    "imports": b"cbuiltins\n__import__\n(X\x02\x00\x00\x00ostR",
    "starts a process": b"csubprocess\nPopen\n(]X\x02\x00\x00\x00idatR",
    "connects": b"csocket\ncreate_connection\n(X\x01\x00\x00\x00hK\x01\x86tR",
    "loads with torch": b"ctorch\nload\n(X\x01\x00\x00\x00xtR",
    "loads from a hub": b"ctorch.hub\nload\n(X\x01\x00\x00\x00xtR",
    "loads with numpy": b"cnumpy\nload\n(X\x01\x00\x00\x00xtR",
    "torch's own test helper": b"cnumpy.testing._private.utils\nrunstring\n(X\x01\x00\x00\x001}tR",
    "an attribute of an attribute": b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n",
    "dotted names of protocol 4": b"\x8c\x05torch\x8c\x0fserialization.os\x93",
    "INST": b"(X\x02\x00\x00\x00idios\nsystem\n",
    "OBJ": b"(cos\nsystem\nX\x02\x00\x00\x00ido",
    "INST of a stand-in": b"(X\x01\x00\x00\x00aigensim.models.poincare\nPoincareModel\n",
    "NEWOBJ of a function": b"ctorch._utils\n_rebuild_tensor_v2\n)\x81",
    "NEWOBJ_EX": b"cgensim.models.poincare\nPoincareModel\n)}X\x01\x00\x00\x00aK\x01s\x92",
    "reconstructs an object": b"ccopyreg\n_reconstructor\n(c__builtin__\nobject\n"
    b"c__builtin__\nobject\nNtR",
    "an extension": b"\x82\x01",
    "changes a function": b"ctorch._utils\n_rebuild_tensor_v2\n}X\x05\x00\x00\x00_callK\x01sb",
    "changes a function's slots": b"ccollections\nOrderedDict\nN}X\x05\x00\x00\x00_callK\x01s\x86b",
    "changes a storage type": b"ctorch\nFloatStorage\n}X\x05\x00\x00\x00dtypeK\x01sb",
    "changes a class": b"cargparse\nNamespace\n}X\x07\x00\x00\x00__new__K\x01sb",
    "changes an array": tensor() + b"}X\x05\x00\x00\x00shapeK\x01sb",
    "calls a text": b"ctorch\nfloat32\n(K\x01tR",
    "calls a tensor": tensor() + b")R",
    "an operating system by partial": b"cfunctools\npartial\n(cos\nsystem\ntR",
    "a partial of nothing": b"cfunctools\npartial\n(K\x01tR(NNNNtb)R",
    "persistent id in text": b"Pstorage\n",
    "persistent number": b"K\x01Q",
    "persistent empty tuple": b")Q",
    "persistent module": b"(X\x06\x00\x00\x00moduleX\x01\x00\x00\x00aX\x01\x00\x00\x00btQ",
    "storage without a type": tensor(storage(kind=b"K\x01")),
    "storage with a list as its key": tensor(storage().replace(b"X\x01\x00\x00\x000", b"]")),
    "negative storage": tensor(storage(numel=b"J\xff\xff\xff\xff")),
    "storage larger than the file": tensor(storage(numel=b"J\x00\x00\x00\x7f")),
    "storage of 2**60": tensor(storage(numel=NUMBER)),
    "storage elsewhere": tensor(storage(key=b"../../../etc/passwd")),
    "storage with a view of text": tensor(storage().replace(b"tQ", b"X\x01\x00\x00\x00atQ")),
    "rows beyond the storage": tensor(size=b"K\x04K\x02\x86"),
    "offset beyond the storage": tensor(offset=b"K\x01"),
    "negative offset": tensor(offset=b"J\xff\xff\xff\xff"),
    "negative stride": tensor(stride=b"J\xfe\xff\xff\xffK\x01\x86"),
    "stride of 2**60": tensor(stride=NUMBER + b"K\x01\x86"),
    "size of 2**60, all one element": tensor(
        size=NUMBER + b"K\x02\x86", stride=b"K\x00K\x00\x86"
    ),
    "size times size overflows": tensor(
        size=NUMBER + NUMBER + b"\x86", stride=b"K\x00K\x00\x86"
    ),
    "sizes and strides disagree": tensor(stride=b"K\x01\x85"),
    "size of texts": tensor(size=b"X\x01\x00\x00\x00aK\x02\x86"),
    "offset of truth": tensor(offset=b"\x88"),
    "memo of 16 GiB": b"]r\xff\xff\xff\x7f",
    "bytes of 1 TiB": b"\x8e" + struct.pack("<Q", 1 << 40),
    "bytearray of 1 TiB": b"\x96" + struct.pack("<Q", 1 << 40),
    "text of 1 TiB": b"\x8d" + struct.pack("<Q", 1 << 40),
    "frame of 1 TiB": b"\x95" + struct.pack("<Q", 1 << 40),
    "tuple of 200,000 levels as a key": b"})" + b"\x85" * 200_000 + b"K\x01s",
    "tuple of marks as a key": b"}" + b"(" * 300_000 + b"t" * 300_000 + b"K\x01s",
    "lists of 200,000 levels": b"]" * 200_000 + b"a" * 199_999,
    "a list of itself": b"]\x94h\x00a",
    "doubled forty times": b"]\x94"
    + b"".join(b"]\x94h%c" % i + b"ah%c" % i + b"a" for i in range(40)),
    "nothing": b"N",
    "an empty stack": b"",
    "only a number": b"K\x01",
    "a number of a million digits": b"\x8b" + struct.pack("<i", 400_000) + b"\x7f" * 400_000,
    "an array of objects": b"cnumpy\ndtype\n(X\x02\x00\x00\x00O8\x89\x88tR",
    "an array that is too short": b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
    b"K\x00\x85C\x01btR(K\x01K\x03K\x02\x86cnumpy\ndtype\n(X\x02\x00\x00\x00f8\x89\x88tR\x89C\x08aaaaaaaatb",
    "gensim arrays elsewhere": b"cgensim.models.keyedvectors\nKeyedVectors\n)\x81}"
    b"X\x08\x00\x00\x00__numpys](X\x0e\x00\x00\x00../etc/passwd/X\x04\x00\x00\x00../aesb",
    "gensim arrays that are missing": b"cgensim.models.keyedvectors\nKeyedVectors\n)\x81}"
    b"X\x08\x00\x00\x00__numpys](X\x07\x00\x00\x00vectorsesb",
    "quantised by a text": b"ctorch._utils\n_rebuild_from_type_v2\n(X\x01\x00\x00\x00aNNNtR",
    "rebuilt from nothing": b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nNNNtR",
}  # fmt: skip


def zipped(body: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("a/data.pkl", b"\x80\x02" + body + b".")
        made.writestr("a/byteorder", "little")
        made.writestr("a/data/0", np.arange(6, dtype="<f4").tobytes())
    return buffer.getvalue()


def legacy(body: bytes) -> bytes:
    info = pickle.dumps({"little_endian": True}, 2)
    stored = struct.pack("<q", 6) + np.arange(6, dtype="<f4").tobytes()
    keys = pickle.dumps(["0"], 2)
    return MAGIC + VERSION + info + b"\x80\x02" + body + b"." + keys + stored


def bare(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


WRAPPERS = {"zip": zipped, "legacy": legacy, "bare": bare}


def test_the_harmless_body_is_read(tmp_path: Path) -> None:
    for name, wrap in WRAPPERS.items():
        (path := tmp_path / name).write_bytes(wrap(tensor()))
        if name != "bare":
            np.testing.assert_array_equal(
                open_checkpoint(str(path)).vectors, np.arange(6.0).reshape(3, 2)
            )


def refused(path: Path) -> str:
    started = time.process_time()
    with pytest.raises(InputError) as caught:
        open_checkpoint(str(path))
    assert time.process_time() - started < 10  # hundredths of one, where nothing is built
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    assert len(message) < 600
    return message


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", BODIES)
def test_hostile_pickles(
    tmp_path: Path, name: str, wrapper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (path := tmp_path / "a.pt").write_bytes(WRAPPERS[wrapper](BODIES[name]))
    refused(path)
    assert os.listdir(tmp_path) == ["a.pt"]  # noqa: PTH208


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_reduce_is_never_called(tmp_path: Path, protocol: int, wrapper: str) -> None:
    trap = tmp_path / "trap"
    whole = pickle.dumps({"weights": [1.0], "x": Runs(os.mkdir, str(trap))}, protocol)
    (path := tmp_path / "a.pt").write_bytes(WRAPPERS[wrapper](whole[2:-1]))
    assert "would import posix.mkdir; only" in refused(path)
    assert not trap.exists()
    pickle.loads(whole)
    assert trap.exists(), "the trap is a real one"


def test_a_table_with_a_key_of_many_levels_does_not_end_the_process(tmp_path: Path) -> None:
    (path := tmp_path / "a.pkl").write_bytes(bare(BODIES["tuple of 200,000 levels as a key"]))
    assert len(safe_pickle.load(InputFile(str(path)))) == 1  # type: ignore[arg-type]


def test_what_to_do_is_said(tmp_path: Path) -> None:
    (path := tmp_path / "a.pt").write_bytes(zipped(SYSTEM))
    assert refused(path).endswith("do not load this file with anything else")
    path.write_bytes(zipped(b"cpykeen.models.unimodal.trans_e\nTransE\n"))
    assert "model.entity_representations[0](indices=None)" in refused(path)
    path.write_bytes(zipped(b"c__main__\nModel\n"))
    assert "torch.save(model.state_dict(), path)" in refused(path)


def numpy_file(header: bytes, body: bytes = b"\0" * 48, version: bytes = b"\1\0") -> bytes:
    size = struct.pack("<H", len(header)) if version == b"\1\0" else struct.pack("<I", len(header))
    return b"\x93NUMPY" + version + size + header + body


def header(shape: str = "(3, 2)", descr: str = "'<f8'") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()


ARRAYS = {
    "objects": numpy_file(header(descr="'|O'"), pickle.dumps(Runs(os.mkdir, "trap"))),
    "records": numpy_file(header(descr="[('a', '<f8')]")),
    "too short": numpy_file(header(), b"\0" * 47),
    "too long": numpy_file(header(), b"\0" * 49),
    "an exabyte": numpy_file(header("(1152921504606846976, 1152921504606846976)")),
    "negative": numpy_file(header("(-3, -2)")),
    "truth for a shape": numpy_file(header("(True, 6)")),
    "no tuple": numpy_file(header("[3, 2]")),
    "a call": numpy_file(header("__import__('os').system('touch trap')")),
    "ten thousand brackets": numpy_file(b"(" * 10_000),
    "ten thousand signs": numpy_file(b"-" * 60_000 + b"1"),
    "ten thousand additions": numpy_file(b"1+" * 30_000 + b"1"),
    "a header of 4 GiB": b"\x93NUMPY\2\0\xff\xff\xff\xff" + b" " * 100,
    "no header": b"\x93NUMPY\1\0",
    "an empty table": numpy_file(header("(0, 2)"), b""),
    "a void": numpy_file(header(descr="'|V8'")),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("wrapper", ["npy", "npz", "packed npz"])
def test_hostile_arrays(
    tmp_path: Path, name: str, wrapper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.bin"
    if wrapper == "npy":
        path.write_bytes(ARRAYS[name])
    else:
        packing = zipfile.ZIP_DEFLATED if wrapper.startswith("packed") else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", packing) as made:
            made.writestr("vectors.npy", ARRAYS[name])
    refused(path)
    assert os.listdir(tmp_path) == ["a.bin"]  # noqa: PTH208


def test_objects_beside_a_table_are_left_alone(tmp_path: Path) -> None:
    labels = np.array([Runs(os.mkdir, str(tmp_path / "trap"))] * 3, dtype=object)
    np.savez(path := tmp_path / "a.npz", vectors=np.eye(3) / 2, labels=labels)
    opened = open_checkpoint(str(path))
    assert opened.labels is None
    assert opened.notes == ("labels is an array of Python objects, which is not read.",)
    assert not (tmp_path / "trap").exists()


def edited(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def bomb(size: int) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made,
        made.open("vectors.npy", "w") as member,
    ):
        member.write(numpy_file(header(f"({size // 16}, 2)"), b""))
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return buffer.getvalue()


def test_zip_bombs(tmp_path: Path) -> None:
    (path := tmp_path / "a.npz").write_bytes(bomb(100 << 20))
    assert "unpacks to 0.1 GiB, beyond the limit of 0.1 GiB for compressed" in refused(path)


def test_zip_sizes_are_not_believed(tmp_path: Path) -> None:
    packed = bytearray(bomb(1 << 20))
    place = packed.index(b"PK\1\2") + 24  # the size in the directory, unpacked
    true = struct.unpack_from("<I", packed, place)[0]
    for claim in (true - 1, true + 1, 0, (1 << 32) - 2):
        struct.pack_into("<I", packed, place, claim)
        (path := tmp_path / "a.npz").write_bytes(packed)
        refused(path)


def test_all_compressed_members_share_one_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "UNPACK_LIMIT", 1000)
    noise = np.random.default_rng(0).random((20, 8))
    np.savez_compressed(path := tmp_path / "a.npz", vectors=noise[:8], labels=range(8))
    assert open_checkpoint(str(path)).rows == 8
    np.savez_compressed(path, vectors=noise)
    assert "save it uncompressed" in refused(path)


def zip_of(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in members:
            made.writestr(name, data)
    return buffer.getvalue()


GOOD = numpy_file(header())
ZIPS = {
    "twice": zip_of(("b.npy", GOOD), ("a.npy", GOOD)).replace(b"b.npy", b"a.npy"),
    "encrypted": edited(
        zip_of(("a.npy", GOOD)), b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0"
    ),
    "odd compression": edited(
        zip_of(("a.npy", GOOD)), b"PK\1\2\x14\x03\x14\0\0\0\0\0", b"PK\1\2\x14\x03\x14\0\0\0\x0c\0"
    ),
    "no such local header": edited(zip_of(("a.npy", GOOD)), b"PK\3\4", b"PK\3\5"),
    "truncated": zip_of(("a.npy", GOOD))[:-30],
    "half": zip_of(("a.npy", GOOD))[:90],
    "nothing known": zip_of(("a.txt", b"a")),
    "no members": zip_of(),
    "a folder": zip_of(("a.npy/", b"")),
}


@pytest.mark.parametrize("name", ZIPS)
def test_hostile_zips(tmp_path: Path, name: str) -> None:
    (path := tmp_path / "a.npz").write_bytes(ZIPS[name])
    refused(path)


def test_names_that_lead_out_of_the_archive_lead_nowhere(tmp_path: Path) -> None:
    (path := tmp_path / "a.npz").write_bytes(zip_of(("../../trap.npy", GOOD), ("/etc/x\n", b"")))
    opened = open_checkpoint(str(path))
    assert opened.key == "../../trap"
    assert os.listdir(tmp_path) == ["a.npz"]  # noqa: PTH208
    assert not (tmp_path.parent.parent / "trap.npy").exists()


def safetensors(entries: object, body: bytes = bytes(24), length: int | None = None) -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def entry(shape: object = (3, 2), offsets: object = (0, 24), dtype: object = "F32") -> object:
    return {"w": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


SAFE = {
    "beyond the file": safetensors(entry(offsets=(0, 48), shape=(6, 2))),
    "negative": safetensors(entry(offsets=(-24, 0))),
    "sizes disagree": safetensors(entry(shape=(3, 3))),
    "fractions": safetensors(entry(shape=(3.0, 2.0))),
    "truth": safetensors(entry(shape=(True, 6))),
    "texts": safetensors(entry(shape="ab")),
    "nothing": safetensors(entry(shape=None)),
    "overflow": safetensors(entry(shape=(1 << 61, 1 << 61, 0))),
    "unknown type": safetensors(entry(dtype="F8_E4M3")),
    "type is a list": safetensors(entry(dtype=["F32"])),
    "no entries": safetensors({"w": 1}),
    "a list": safetensors(b"{]"),
    "deep": safetensors(b'{"a":' + b"[" * 100_000),
    "a number of a million digits": safetensors(b'{"a":' + b"1" * 1_000_000 + b"}"),
    "header of the whole file": safetensors(entry(), length=10),
}


@pytest.mark.parametrize("name", SAFE)
def test_hostile_safetensors(tmp_path: Path, name: str) -> None:
    (path := tmp_path / "a.safetensors").write_bytes(SAFE[name])
    refused(path)


TEXTS = {
    "a header that lies": b"1000000000 1000\na 1 2\n",
    "too few rows": b"3 2\na 1 2\n" + b" " * 30,
    "too many rows": b"1 2\na 1 2\nb 1 2\n",
    "too few numbers": b"2 2\na 1 2\nb 1\n",
    "words": b"2 2\na 1 2\nb 1 x\n",
    "no UTF-8": b"1 2\n\xff 1 2\n",
    "binary, cut off": b"1 3\na \x00\x01\x02" + bytes(5),
    "no rows": b"0 3\n",
    "a header alone": b"1 1\n",
    "gzip, cut off": b"\x1f\x8b\x08\0\0\0\0\0\0\x03abc",
    "a page": b"<html>\n</html>\n",
    "JSON": b'{"a": [1, 2]}\n',
    "NUL": bytes(100),
    "a pickle of protocol 0": pickle.dumps({"a": Runs(os.mkdir, "trap")}, 0),
    "an empty HDF5": b"\x89HDF\r\n\x1a\n",
    "a Parquet magic": b"PAR1" + bytes(20) + b"PAR1",
}


@pytest.mark.parametrize("name", TEXTS)
def test_other_damaged_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (path := tmp_path / "a.vec").write_bytes(TEXTS[name])
    refused(path)
    assert os.listdir(tmp_path) == ["a.vec"]  # noqa: PTH208


def test_cut_off_anywhere(tmp_path: Path) -> None:
    for name, whole in (("zip", zipped(tensor())), ("legacy", legacy(tensor()))):
        for end in range(1, len(whole) - 1, 7):
            (path := tmp_path / f"{name}-{end}").write_bytes(whole[:end])
            refused(path)


@pytest.mark.slow
def test_nothing_happens_but_reading(tmp_path: Path) -> None:
    """An audit hook in a fresh process sees no import, call, process, socket or written file."""
    for wrapper, wrap in WRAPPERS.items():
        for number, body in enumerate(BODIES.values()):
            (tmp_path / f"{wrapper}-{number}").write_bytes(wrap(body))
    for group in (ARRAYS, ZIPS, SAFE, TEXTS):
        for number, data in enumerate(group.values()):
            (tmp_path / f"{len(group)}-{number}").write_bytes(data)
    (tmp_path / "0-good").write_bytes(zipped(tensor()))
    script = """
        import os, sys, threading
        from taxcheck.model.errors import InputError
        from taxcheck.sources.checkpoints.opening import open_checkpoint
        folder = sys.argv[1]
        names = sorted(os.listdir(folder))
        def everything():
            for name in names:
                try:
                    open_checkpoint(os.path.join(folder, name))
                except InputError:
                    pass
        everything()  # what is imported late, is imported now
        seen = set()
        bad = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.mkdir",
               "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.chmod",
               "os.chown", "os.putenv", "os.kill", "subprocess", "socket", "ctypes", "exec",
               "import", "shutil", "tempfile", "urllib", "pickle.find_class", "code.", "marshal",
               "webbrowser", "sys.set", "pty", "ftplib", "smtplib")
        def hook(event, args):
            if event.startswith(bad):
                seen.add((event, str(args)[:80]))
            if event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                seen.add((event, str(args)[:80]))
            if event == "open" and isinstance(args[0], str):
                if not args[0].startswith((folder, "/proc/self/statm")):
                    seen.add((event, args[0]))
        sys.addaudithook(hook)
        everything()
        assert not seen, seen
        assert sorted(os.listdir(folder)) == names
        loaded = {"torch", "gensim", "geoopt", "safetensors"} & set(sys.modules)
        assert not loaded, loaded
        print(len(names), "files")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[0]) > 200
    assert not (tmp_path / "trap").exists()
