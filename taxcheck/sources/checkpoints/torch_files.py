"""Files of torch.save, old and new, read without torch.

Tensors become views of storages; nothing else in the pickle is built.
"""

from __future__ import annotations

import functools
import io
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from typing import IO

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.archive import Archive, map_bytes
from taxcheck.sources.checkpoints.contents import NUMPY_NAMES, Contents, Stored, Unreadable, view
from taxcheck.sources.checkpoints.inert import WHOLE_MODEL, CheckpointUnpickler, refuse_object
from taxcheck.sources.checkpoints.pandas_pickles import of_frames
from taxcheck.sources.files import InputFile
from taxcheck.sources.safe_pickle import (
    Bounded,
    Function,
    PlainUnpickler,
    RefusedError,
    Sealed,
    check_size,
    unpickled,
)

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "UntypedStorage": "uint8",
    "QUInt8Storage": "quint8",
    "QInt8Storage": "qint8",
    "QInt32Storage": "qint32",
}
_WIDTHS = {"quint8": 1, "qint8": 1, "qint32": 4}  # of what NumPy does not know
_CONSTANTS = re.compile(
    r"(u?int|float|complex|bfloat)\d{1,3}\w*|bool|q\w+\d+|half|float|double|long|int|short"
    r"|strided|sparse_[a-z]+|per_[a-z]+_affine\w*|[a-z]+_format"
)
_ALIASES = {"double": "float64", "float": "float32", "half": "float16", "long": "int64"}
_TYPES = {"Tensor", "Parameter", "Buffer", "Storage", "TypedStorage"}


class Storage(Sealed):
    """A run of elements in the file; in legacy files its bytes follow after the pickle."""

    __slots__ = ("dtype", "numel", "raw", "start")

    def __init__(self, dtype: str, numel: int) -> None:
        self.dtype, self.numel, self.start = dtype, numel, 0
        self.raw: Callable[[], npt.NDArray[np.uint8]] | None = None

    @property
    def width(self) -> int:
        """Bytes of one element."""
        known = NUMPY_NAMES.get(self.dtype)
        return np.dtype(known).itemsize if known else _WIDTHS[self.dtype]

    @property
    def bytes(self) -> int:
        """Bytes of all elements."""
        return self.numel * self.width

    def data(self) -> npt.NDArray[np.uint8]:
        """The elements' bytes."""
        assert self.raw is not None
        return self.raw()[self.start : self.start + self.bytes]


class StorageType(Sealed):
    """The name of a kind of storage."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype


Find = Callable[[str, Storage, object], Storage]


class TorchUnpickler(CheckpointUnpickler):
    """Knows what tensors are made of. ``find`` gives the storage of a key its bytes."""

    def __init__(self, stream: object, find: Find, order: str = "<") -> None:
        super().__init__(stream)
        self._find, self._order = find, order

    def find_class(self, module: str, name: str, /) -> object:
        """Something inert for a name of torch; the rest as in any checkpoint."""
        if len(name) > 200:
            return super().find_class(module, name)
        if module in ("torch", "torch.cuda", "torch.storage") and name in _STORAGES:
            return StorageType(_STORAGES[name])
        if module.split(".")[0] != "torch":
            return super().find_class(module, name)
        if module == "torch._utils" and re.fullmatch(r"_rebuild_\w+", name):
            known: dict[str, Callable[..., object]] = {
                "_rebuild_tensor": self._tensor,
                "_rebuild_tensor_v2": self._tensor,
                "_rebuild_tensor_v3": self._typed_tensor,
                "_rebuild_parameter": _first,
                "_rebuild_parameter_with_state": _first,
            }
            return Function(known.get(name) or _unreadable(name))
        if (module, name) == ("torch._tensor", "_rebuild_from_type_v2"):
            return Function(_from_type)
        if (module, name) in (("torch", "device"), ("torch.serialization", "_get_layout")):
            return Function(_text)
        if (module, name) == ("torch", "Size"):
            return Function(_size)
        if name in _TYPES and module in ("torch", "torch._tensor", "torch.nn.parameter"):
            return f"torch.{name}"
        if module == "torch" and _CONSTANTS.fullmatch(name):
            return f"torch.{name}"
        return super().find_class(module, name)

    def persistent_load(self, pid: object) -> object:
        """The storage that a persistent id describes."""
        if isinstance(pid, tuple) and pid and pid[0] == "module":
            raise RefusedError("holds the source code of a model", WHOLE_MODEL)
        if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
            raise RefusedError("refers to something other than a storage")
        _, kind, key, _, numel, *views = pid
        if not isinstance(kind, StorageType) or not isinstance(key, str) or not _is_count(numel):
            raise RefusedError("refers to a damaged storage")
        return self._find(key, Storage(kind.dtype, numel), views[0] if views else None)

    def _tensor(self, *parts: object) -> object:
        """Storage, offset, size, stride; later also gradient wanted, hooks, flags."""
        return self._build(parts[:4], None, parts[6:7])

    def _typed_tensor(self, *parts: object) -> object:
        """The same with a dtype before the flags."""
        dtype = parts[6] if len(parts) > 6 else None
        if not isinstance(dtype, str):
            raise RefusedError("holds a tensor without a type")
        return self._build(parts[:4], dtype, parts[7:8])

    def _build(
        self, layout: tuple[object, ...], dtype: str | None, flagged: tuple[object, ...]
    ) -> object:
        storage, offset, size, stride = layout
        if (
            not isinstance(storage, Storage)
            or not _is_count(offset)
            or not isinstance(size, tuple)
            or not isinstance(stride, tuple)
            or not all(map(_is_count, (*size, *stride)))
        ):
            raise RefusedError("holds a damaged tensor")
        assert isinstance(offset, int)
        name = (dtype or storage.dtype).removeprefix("torch.")
        name = _ALIASES.get(name, name)
        if name not in NUMPY_NAMES:
            return Unreadable(f"a tensor of {name}")
        plain = view(storage.data, storage.bytes, name, size, stride, offset, self._order)
        flags = flagged[0] if flagged else None
        if not isinstance(flags, dict) or not (flags.get("conj") or flags.get("neg")):
            return plain
        conj, neg = bool(flags.get("conj")), bool(flags.get("neg"))

        def read() -> npt.NDArray[np.generic]:
            values = plain.array()
            values = np.conjugate(values) if conj else values
            return np.negative(values) if neg else values

        # Torch marks conjugate and negative views by a bit, and stores what they are views of.
        return Stored(plain.shape, "float32" if name == "bfloat16" else name, plain.bytes, read)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def _first(tensor: object = None, *_: object) -> object:
    return tensor


def _from_type(function: object, _: object, args: object, *rest: object) -> object:  # noqa: ARG001
    if not isinstance(function, Function) or not isinstance(args, tuple) or len(args) > 16:
        raise RefusedError("holds a damaged tensor")
    return function(*args)


def _text(value: object = "", *_: object) -> str:
    return value if isinstance(value, str) else ""


def _size(value: object = ()) -> object:
    if not isinstance(value, tuple | list) or not all(map(_is_count, value)):
        raise RefusedError("holds a damaged shape")
    return tuple(value)


def _unreadable(name: str) -> Callable[..., object]:
    kinds = {
        "qtensor": "a quantised tensor",
        "sparse_tensor": "a sparse tensor",
        "sparse_csr_tensor": "a sparse tensor",
        "meta_tensor_no_storage": "a tensor without values",
        "nested_tensor": "a nested tensor",
    }
    kind = kinds.get(name.removeprefix("_rebuild_"), f"a tensor made by {name[:60]}")
    return lambda *_: Unreadable(kind)


KNOWN = "only tensors, containers, numbers and texts are read"
RESAVE = "save it again: torch.save(model.state_dict(), path)"
_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_HEADS = tuple(pickle.dumps(_MAGIC, protocol) for protocol in range(2, 6))


def pickles_in(archive: Archive) -> list[str]:
    """The members that can be torch's own pickle; none in an archive of something else."""
    return [name for name in archive.names if name == "data.pkl" or name.endswith("/data.pkl")]


def read_archive(file: InputFile, archive: Archive) -> Contents:
    """A zip of torch >= 1.6; storages are views of the mapped file."""
    root = min(pickles_in(archive), key=len).removesuffix("data.pkl")
    if f"{root}constants.pkl" in archive or any(
        n.startswith(f"{root}code/") for n in archive.names
    ):
        raise InputError(
            f"{file.shown}: is a TorchScript program; only weights are read: "
            "torch.save(torch.jit.load(path).state_dict(), new_path)"
        )
    order = "<"
    if f"{root}byteorder" in archive:
        stated = archive.raw(f"{root}byteorder").tobytes()
        if stated not in (b"little", b"big"):
            raise InputError(f"{file.shown}: states an unknown byte order; {RESAVE}")
        order = "<" if stated == b"little" else ">"

    def find(key: str, storage: Storage, views: object) -> Storage:
        name = f"{root}data/{key}"
        if name not in archive:
            raise RefusedError(f"refers to the storage {key[:40]!r}, which the file lacks")
        if views is not None:
            raise RefusedError("refers to a damaged storage")
        if archive.size(name) < storage.bytes:
            raise InputError(
                f"{file.shown}: storage {key[:40]!r} holds {archive.size(name):,} bytes of "
                f"{storage.bytes:,}; the file is truncated or damaged: save or copy it again"
            )
        storage.raw = functools.partial(archive.unpacked, name)
        return storage

    size = archive.size(f"{root}data.pkl")
    check_size(file.shown, size)
    data = archive.raw(f"{root}data.pkl").tobytes()
    tree = unpickled(
        file.shown,
        io.BytesIO(data),
        file.bytes,
        lambda stream: _tree(TorchUnpickler(stream, find, order), file.shown),
        KNOWN,
        RESAVE,
    )
    return _contents(tree)


def read_legacy(file: InputFile) -> Contents:
    """A file of torch < 1.6: five pickles, then every storage with its length before it."""
    storages: dict[str, Storage] = {}

    def find(key: str, storage: Storage, views: object) -> Storage:
        known = storages.setdefault(key, storage)
        if known.dtype != storage.dtype or known.numel != storage.numel:
            raise RefusedError("refers to one storage as of two kinds")
        if views is None:
            return known
        part = _part(known, views)
        parts.append((part, known))
        return part

    parts: list[tuple[Storage, Storage]] = []

    def build(stream: IO[bytes]) -> tuple[object, list[str], int]:
        _plain(stream, file)  # the magic number, by which the file was recognised
        if _plain(stream, file) != 1001:
            raise RefusedError("is of an unknown version of torch.save")
        _plain(stream, file)  # sizes of C types: the storages are little-endian on any machine
        tree = _tree(TorchUnpickler(stream, find), file.shown)
        keys = _plain(stream, file)
        if not isinstance(keys, list) or set(map(str, keys)) != set(storages):
            raise RefusedError("does not list the storages that it uses")
        return tree, list(map(str, keys)), stream.tell()

    with file.path.open("rb") as opened:
        tree, keys, place = unpickled(file.shown, opened, file.bytes, build, KNOWN, RESAVE, 5)
    mapped = map_bytes(file)

    def raw() -> npt.NDArray[np.uint8]:
        return mapped

    for key in keys:
        storage = storages[key]
        count = int(np.frombuffer(mapped[place : place + 8].tobytes().ljust(8, b"\0"), "<i8")[0])
        storage.raw, storage.start = raw, place + 8
        place += 8 + storage.bytes
        if count != storage.numel or place > file.bytes:
            raise InputError(
                f"{file.shown}: a storage of {storage.numel:,} elements is not all there; the file "
                "is truncated or damaged: save or copy it again"
            )
    for part, whole in parts:
        part.raw, part.start = raw, whole.start + part.start
    return replace(_contents(tree), legacy=True)


def _tree(unpickler: TorchUnpickler, shown: str) -> object:
    tree = unpickler.load()
    refuse_object(tree)
    return of_frames(tree, shown) or tree


def _contents(tree: object) -> Contents:
    """The contents of a tree, whose frames of pandas are columns."""
    if isinstance(tree, Contents):
        return replace(tree, format="torch file", torch=True)
    return Contents("torch file", tree, torch=True)


def _plain(stream: IO[bytes], file: InputFile) -> object:
    return PlainUnpickler(Bounded(stream, file.bytes)).load()


def _part(whole: Storage, views: object) -> Storage:
    if (
        isinstance(views, tuple)
        and len(views) == 3
        and all(type(n) is int and n >= 0 for n in views[1:])
        and views[1] + views[2] <= whole.numel
    ):
        part = Storage(whole.dtype, views[2])
        part.start = views[1] * whole.width
        return part
    raise RefusedError("refers to a damaged storage")
