"""A small picture of very many points as a PNG: what is seen without JavaScript, and before it."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import FloatArray, IntArray
from taxcheck.model.explorer import CLADES, Explorer

from .packing import positions

_SIDE = 560  # pixels
_SCALE = 0.96  # of half the side, which the disc takes
# The page's colours of clades, of all else, of edges and of the disc; the first one is transparent.
_PALETTE = (
    "ffffff", "0072b2", "e69f00", "009e73", "cc79a7", "56b4e9", "d55e00", "d8c800", "6b4fa0",
    "a9b0b8", "cfd4da", "f4f5f7",
)  # fmt: skip
_OTHER, _EDGE, _DISC = 9, 10, 11
_MOST_EDGES, _ALONG = 20_000, 48  # edges that are drawn, and points of each


def png(found: Explorer) -> str:
    """The picture in base64: the disc, edges of the inner nodes, all rows by clade."""
    pixels = np.zeros((_SIDE, _SIDE), dtype=np.uint8)
    if found.hyperbolic:
        at = np.arange(_SIDE) - (_SIDE - 1) / 2
        pixels[np.hypot(at[:, None], at) <= _SIDE / 2 * _SCALE + 2] = _DISC
    places = positions(found)
    sound = np.isfinite(places[:, 0])
    children = np.flatnonzero((found.parent >= 0) & sound)
    children = children[sound[found.parent[children]]]
    children = children[np.argsort(found.depth[children], kind="stable")[:_MOST_EDGES]]
    part = np.linspace(0, 1, _ALONG)[:, None, None]
    lines = places[children] * part + places[found.parent[children]] * (1 - part)
    _put(pixels, lines.reshape(-1, 2), np.full(lines.size // 2, _EDGE), 1)
    clade = clade_of(found)
    colour = np.where(clade < 0, _OTHER, clade + 1)
    order = np.flatnonzero(sound)[np.argsort(clade[sound] >= 0, kind="stable")]
    _put(pixels, places[order], colour[order], 2 if found.n > 3_000 else 3)
    return base64.b64encode(_encoded(pixels)).decode("ascii")


def clade_of(found: Explorer) -> IntArray:
    """The place of every row's great clade among ``found.clades``, (n,); -1 for none."""
    clade = np.full(found.n, -1, dtype=np.int64)
    entry = np.empty(found.n, dtype=np.int64)
    entry[found.walk] = np.arange(found.n)
    depth = found.depth[found.walk]
    for k, head in enumerate(found.clades[:CLADES]):
        start = entry[head]
        above = np.flatnonzero(depth[start + 1 :] <= depth[start])
        end = start + 1 + above[0] if len(above) else found.n
        clade[found.walk[start:end]] = k
    return clade


def _put(pixels: npt.NDArray[np.uint8], places: FloatArray, colours: IntArray, side: int) -> None:
    at = np.rint(places * (_SIDE / 2 * _SCALE) * [1, -1] + (_SIDE - 1) / 2).astype(np.int64)
    for dy in range(side):
        for dx in range(side):
            x, y = np.clip(at + np.array([dx - side // 2, dy - side // 2]), 0, _SIDE - 1).T
            pixels[y, x] = colours


def _encoded(pixels: npt.NDArray[np.uint8]) -> bytes:
    """An indexed PNG (ISO/IEC 15948) whose first colour is transparent."""
    height, width = pixels.shape

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    rows = np.pad(pixels, ((0, 0), (1, 0)))  # each row begins with its filter, none
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", bytes.fromhex("".join(_PALETTE))),
            chunk(b"tRNS", b"\0"),
            chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            chunk(b"IEND", b""),
        )
    )
