"""Files of torch.save, old and new, read without torch."""

from __future__ import annotations

import functools
import io
import pickle
from typing import IO

import numpy as np
import numpy.typing as npt

from taxcheck.errors import InputError
from taxcheck.sources.checkpoints.archive import Archive, map_bytes
from taxcheck.sources.checkpoints.torch_pickle import Storage, TorchUnpickler
from taxcheck.sources.checkpoints.tree import Contents
from taxcheck.sources.files import InputFile
from taxcheck.sources.pickle_limits import Bounded, deep, nesting
from taxcheck.sources.safe_pickle import PlainUnpickler, RefusedError, check_size, guarded

KNOWN = "only tensors, containers, numbers and texts are read"
RESAVE = "save it again: torch.save(model.state_dict(), path)"
_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_HEADS = tuple(pickle.dumps(_MAGIC, protocol) for protocol in range(2, 6))


def read_archive(file: InputFile, archive: Archive) -> Contents:
    """A zip of torch >= 1.6; storages are views of the mapped file."""
    pickles = [name for name in archive.names if name == "data.pkl" or name.endswith("/data.pkl")]
    root = min(pickles, key=len).removesuffix("data.pkl")
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
    with guarded(file.shown, file.bytes, KNOWN, RESAVE):
        levels = nesting(io.BytesIO(data))
        tree = deep(levels, TorchUnpickler(io.BytesIO(data), find, order).load)
    return Contents("torch", tree)


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
        tree = TorchUnpickler(stream, find).load()
        keys = _plain(stream, file)
        if not isinstance(keys, list) or set(map(str, keys)) != set(storages):
            raise RefusedError("does not list the storages that it uses")
        return tree, list(map(str, keys)), stream.tell()

    with guarded(file.shown, file.bytes, KNOWN, RESAVE), file.path.open("rb") as stream:
        levels = nesting(stream)
        stream.seek(0)
        tree, keys, place = deep(levels, functools.partial(build, stream))
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
    return Contents("torch (legacy)", tree)


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
