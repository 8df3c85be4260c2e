"""Checkpoints in several files: shards with an index in JSON, and torch's distributed ones."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError, one_line
from taxcheck.model.paths import is_file
from taxcheck.sources.checkpoints.archive import Archive, map_bytes
from taxcheck.sources.checkpoints.arrays import read_safetensors
from taxcheck.sources.checkpoints.contents import Contents, Inert, Stored, flatten
from taxcheck.sources.checkpoints.torch_files import (
    LEGACY_HEADS,
    TorchUnpickler,
    read_archive,
    read_legacy,
)
from taxcheck.sources.files import InputFile, damaged, reading
from taxcheck.sources.safe_pickle import Bounded, RefusedError, check_size, unpickled

INDEX_LIMIT = 64 << 20
METADATA = ".metadata"
_SHARDS = 10_000
_SHARD = re.compile(r"-(\d{1,6})-of-(\d{1,6})\.(safetensors|bin|pt|pth)$")
_KNOWN_FOLDERS = (
    ("saved_model.pb", "a TensorFlow SavedModel",
     "write its embedding with numpy.save(\"table.npy\", variable.numpy())"),
    ("_CHECKPOINT_METADATA", "an Orbax checkpoint",
     "restore it and write the table with numpy.save"),
    ("checkpoint", "a TensorFlow checkpoint",
     "write its embedding with numpy.save(\"table.npy\", variable.numpy())"),
    (".zgroup", "a Zarr store", "write the table with numpy.save"),
    ("zarr.json", "a Zarr store", "write the table with numpy.save"),
)  # fmt: skip


def is_index(head: bytes) -> bool:
    """Whether a text begins like the index of shards that Hugging Face's libraries write."""
    return head.lstrip().startswith(b"{") and b'"weight_map"' in head


def read_index(file: InputFile) -> Contents:
    """The tensors of all shards that an index names; InputError where one is missing."""
    if file.bytes > INDEX_LIMIT:
        raise InputError(f"{file.shown}: is far larger than an index of shards")
    try:
        index = json.loads(file.path.read_bytes())
        shards = sorted(set(index["weight_map"].values()))
        names: dict[str, str] = dict(index["weight_map"])
        plain = all(
            isinstance(s, str) and s == Path(s).name and s not in (".", "..") for s in shards
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(file.shown, "an index of shards", error) from error
    if not plain or len(shards) > _SHARDS:
        raise InputError(f"{file.shown}: names shards in other folders; keep them together")
    tree: dict[object, object] = {}
    files = []
    for shard in shards:
        opened = _beside(file, shard)
        files.append((shard, opened))
        arrays = flatten(_shard(opened).tree).arrays
        wanted = {name for name, where in names.items() if where == shard}
        if lacking := sorted(wanted - arrays.keys()):
            raise InputError(
                f"{opened.shown}: lacks {one_line(lacking[0], 60)}, which {file.shown} says is "
                "there; the shards are of another checkpoint, or damaged"
            )
        tree |= {name: arrays[name] for name in wanted}
    note = f"Read from {len(shards):,} shards beside the index."
    return Contents("sharded checkpoint", tree, (), (note,), files=tuple(files))


def _beside(file: InputFile, name: str) -> InputFile:
    path = Path(file.shown).with_name(name)
    if not is_file(path):
        raise InputError(
            f"{file.shown}: its shard {one_line(name, 60)} is missing; keep all together"
        )
    return InputFile(str(path))


def _shard(file: InputFile) -> Contents:
    with reading(file.shown, "shard"), file.open() as stream:
        head = stream.read(64)
    if head[8:9] == b"{":
        return read_safetensors(file)
    if head.startswith(LEGACY_HEADS):
        return read_legacy(file)
    if zipfile.is_zipfile(file.path):
        return read_archive(file, Archive(file))
    raise InputError(f"{file.shown}: is no shard of safetensors or torch")


def refuse_shard(file: InputFile) -> None:
    """InputError for one shard of several, which may not be the one with the table."""
    match = _SHARD.search(file.path.name)
    if match and int(match[2]) > 1:
        raise InputError(
            f"{file.shown}: is shard {int(match[1])} of {int(match[2])}; give the folder, or the "
            ".index.json beside it, or say with `key` which array of this shard is the table"
        )


def file_in(folder: str) -> InputFile:
    """The file of a folder that is a checkpoint; InputError, by name, for one of another kind."""
    path = Path(folder)
    if is_file(path / METADATA):
        return InputFile(str(path / METADATA))
    indexes = sorted(path.glob("*.index.json"))
    if len(indexes) == 1:
        return InputFile(str(indexes[0]))
    for name, called, way_out in _KNOWN_FOLDERS:
        if (path / name).exists():
            raise InputError(f"{folder}: is {called}, which taxcheck does not read; {way_out}")
    raise InputError(
        f"{folder}: is a folder; give one file of it, such as its .safetensors, .pt or .index.json"
    )


def read_distributed(file: InputFile) -> Contents:
    """A folder of torch.distributed.checkpoint, by its ``.metadata``: tensors put together."""
    check_size(file.shown, file.bytes)

    def find(*_: object) -> Any:
        raise RefusedError("refers to a storage, which metadata have none of")

    def build(stream: IO[bytes]) -> object:
        buffered = io.BufferedReader(Bounded(stream, file.bytes), 1 << 16)
        return TorchUnpickler(buffered, find).load()

    with file.path.open("rb") as opened:
        metadata = unpickled(file.shown, opened, file.bytes, build)
    try:
        assert isinstance(metadata, Inert)
        tensors, storage = metadata.state["state_dict_metadata"], metadata.state["storage_data"]
        assert isinstance(tensors, Mapping)
        assert isinstance(storage, Mapping)
        places = [_Place(key, value) for key, value in storage.items()]
        sizes = {str(k): tuple(v.state["size"]) for k, v in tensors.items() if "size" in v.state}
    except (AssertionError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise damaged(file.shown, "torch's distributed checkpoint", error) from error
    files = {name: _beside(file, name) for name in sorted({place.file for place in places})}
    tree: dict[object, object] = {}
    for name, size in sizes.items():
        parts = [place for place in places if place.name == name]
        if len(size) <= 2 and parts:
            tree[name] = _together(size, parts, files, file.shown, name)
    note = f"Put together from {len(files):,} files beside {METADATA}."
    return Contents(
        "torch distributed checkpoint", tree, (), (note,), torch=True, files=tuple(files.items())
    )


class _Place:
    """A part of a tensor: which, where in it, and where in the files."""

    def __init__(self, key: Any, value: Any) -> None:
        self.name = str(key.state["fqn"])
        self.at: tuple[int, ...] = tuple(key.state.get("offset") or ())
        self.file = str(value.state["relative_path"])
        self.start: int = value.state["offset"]
        self.length: int = value.state["length"]
        plain = self.file == Path(self.file).name
        if not plain or not all(type(n) is int and n >= 0 for n in (self.start, self.length)):
            raise ValueError("a part that lies nowhere")


def _together(
    size: tuple[int, ...],
    parts: list[_Place],
    files: Mapping[str, InputFile],
    shown: str,
    name: str,
) -> Stored:
    """A tensor of its parts, each read when it is asked for."""
    arrays = [_part(part, files[part.file]) for part in parts]
    if sum(math.prod(a.shape) for a in arrays) < math.prod(size):
        raise InputError(f"{shown}: parts of {one_line(name, 60)} are missing; keep all files")
    first = arrays[0]
    if len(arrays) == 1 and first.shape == size:
        return first

    def read() -> npt.NDArray[np.generic]:
        whole = np.empty(size, first.array().dtype)
        for part, array in zip(parts, arrays, strict=True):
            place = part.at or (0,) * len(size)
            where = tuple(slice(a, a + n) for a, n in zip(place, array.shape, strict=True))
            whole[where] = array.array()
        return whole

    dtype = "float32" if first.dtype == "bfloat16" else first.dtype  # widened part by part
    return Stored(size, dtype, sum(array.bytes for array in arrays), read)


def _part(part: _Place, file: InputFile) -> Stored:
    if part.start + part.length > file.bytes:
        raise InputError(f"{file.shown}: is truncated or damaged: copy it again")
    mapped = map_bytes(file)[part.start : part.start + part.length]
    contents = read_archive(file, Archive(file, mapped))
    if not isinstance(contents.tree, Stored):
        raise InputError(f"{file.shown}: holds something other than parts of tensors")
    return contents.tree
