"""Flat indexes of FAISS, which hold their vectors as they were given, with ids or without.

The layout is that of faiss/impl/index_write.cpp: a code of four letters, dimension and count, two
numbers that are not used, whether it is trained, the metric, then the vectors.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.archive import map_bytes
from taxcheck.sources.checkpoints.contents import Contents, Stored
from taxcheck.sources.files import InputFile

FLAT = (b"IxF2", b"IxFI", b"IxFl")
MAPPED = (b"IxMp", b"IxM2")
_HEADER = struct.Struct("<4siqqqBi")
_COUNT = struct.Struct("<Q")
_NAMES = {b"IxF2": "IndexFlatL2", b"IxFI": "IndexFlatIP", b"IxFl": "IndexFlat"}


def is_flat(head: bytes) -> bool:
    """Whether an index holds its vectors plainly."""
    if head[:4] in MAPPED:
        return head[_HEADER.size : _HEADER.size + 4] in FLAT
    return head[:4] in FLAT


def read_faiss(file: InputFile) -> Contents:
    """The vectors, mapped where they lie, and the ids beside them."""
    data = map_bytes(file)
    mapped = data[:4].tobytes() in MAPPED
    start = _HEADER.size if mapped else 0
    try:
        code, width, rows, _, _, _, metric = _HEADER.unpack_from(data.data, start)
        place = start + _HEADER.size + (4 if metric > 1 else 0)
        (count,) = _COUNT.unpack_from(data.data, place)
        begin, end = place + 8, place + 8 + 4 * count
        if not 0 < width < 1 << 20 or rows < 1 or count != rows * width or end > file.bytes:
            raise ValueError("its sizes disagree")
        columns = {}
        if mapped:
            (ids,) = _COUNT.unpack_from(data.data, end)
            if ids != rows or end + 8 + 8 * ids > file.bytes:
                raise ValueError("its ids are not as many as its vectors")
            columns["ids"] = pa.array(np.frombuffer(data, "<i8", ids, end + 8))
    except (struct.error, ValueError) as error:
        raise InputError(
            f"{file.shown}: is a FAISS index that is truncated or damaged ({error}); write it again"
        ) from error

    def read() -> npt.NDArray[np.generic]:
        return np.frombuffer(data, "<f4", count, begin).reshape(rows, width)

    tree = {"vectors": Stored((rows, width), "float32", 4 * count, read)}
    name = _NAMES.get(code, "IndexFlat")
    return Contents(f"FAISS {name}", tree, ("vectors",), columns=columns)
