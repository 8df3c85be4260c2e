"""Damage that a file may have suffered, or that someone did to it on purpose.

All of it is drawn from a given generator, so hypothesis can repeat and shrink it.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pyarrow as pa

from tests.trust.seeds import Seed

LARGEST = 1 << 20  # bytes of a damaged file; what is larger shows nothing new and takes longer
NUMBERS = (
    b"-1", b"-0", b"0", b"1.5", b"1e400", b"1e-400", b"nan", b"-nan", b"inf", b"-inf", b"0x1F",
    b"1_000", b"+1", b" 1 ", b"1" + b"0" * 400, b"9" * 5000, b"2147483648", b"4294967296",
    b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809",
    b"18446744073709551616", "１２".encode(), "²".encode(), b"true", b"null", b"",
)  # fmt: skip
WORDS = (
    b"\0", b"\r", b"\n", b"\r\n", b"\t", b",", b'"', b"'", b"\\", b"\x1a", b"\xff\xfe", b"\xff",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", "\u2028".encode(), "\x85".encode(),
    "\u202e".encode(), b"\x1b[31m", b"{", b"}", b"[", b"]", b"(", b")", b"#", b"\t|\t", b"\t|\n",
    b"../../x", b"<script>", b"=1+1", b"a" * 70_000, b"PAR1", b"ARROW1", b"PK\3\4",
)  # fmt: skip
_BYTES = (b"\0", b"\1", b"\x7f", b"\x80", b"\xfe", b"\xff")
_LENGTHS = (0, 1, 255, 1 << 15, (1 << 16) - 1, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
            1 << 40, (1 << 62) + 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**25, 10**400, float("nan"), float("inf"), "", "nan", "\ud800", "\0",
    "a\nb", "x" * 70_000, [], {}, [[]], {"": {}}, [None], [1, 2], "<script>", -(2**63), 2**64,
)  # fmt: skip

Data = bytes


def damaged(random: Random, seeds: Sequence[Seed]) -> Seed:
    """A seed with one to four damages, in its bytes or beneath its packing."""
    seed = random.choice(seeds)
    if random.randrange(4) == 0:
        return Seed(seed.suffix, bitten(random, seed, seeds))
    data = seed.data
    for layer in _LAYERS:
        found = layer(random, data, lambda inner: bitten(random, Seed("", inner, seed.words), ()))
        if found is not None:
            return Seed(seed.suffix, found[:LARGEST])
    return Seed(seed.suffix, bitten(random, seed, seeds))


def bitten(random: Random, seed: Seed, others: Sequence[Seed]) -> bytes:
    """Bytes with one to four damages."""
    data = seed.data
    for _ in range(random.randrange(1, 5)):
        if others and random.randrange(12) == 0:
            other = random.choice(others).data
            data = data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]
        else:
            data = random.choice(_DAMAGES)(random, data, seed.words)[:LARGEST]
    return data


def _place(random: Random, data: Data) -> int:
    """Anywhere, and a third of the time near an end, where headers and footers are."""
    near = min(len(data), 64)
    kind = random.randrange(6)
    if kind == 0:
        return random.randint(0, near)
    return len(data) - random.randint(0, near) if kind == 1 else random.randint(0, len(data))


def _flip(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    at = _place(random, data)
    if at >= len(data):
        return data
    return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]


def _set(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    at = _place(random, data)
    return data[:at] + random.choice(_BYTES) + data[at + 1 :]


def _insert(random: Random, data: Data, words: Sequence[bytes]) -> Data:
    at, word = _place(random, data), random.choice((*words, *WORDS, *NUMBERS))
    return data[:at] + word + data[at:]


def _repeat(random: Random, data: Data, words: Sequence[bytes]) -> Data:
    at, word = _place(random, data), random.choice((*words, *WORDS[:30]))
    return data[:at] + word * min(random.choice((2, 100, 2_000, 100_000)), 1 + (1 << 19) // max(
        1, len(word))) + data[at:]  # fmt: skip


def _delete(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    at = _place(random, data)
    return data[:at] + data[at + random.choice((1, 2, 4, 8, 64, 1000)) :]


def _double(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    at = _place(random, data)
    part = data[at : at + random.choice((1, 4, 16, 200))]
    return data[:at] + part * random.choice((2, 3, 50)) + data[at + len(part) :]


def _cut(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    return data[: _place(random, data)]


def _number(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    """Another number in the place of a run of digits."""
    runs = list(re.finditer(rb"\d+", data[: 1 << 16]))
    if not runs:
        return data
    run = random.choice(runs)
    return data[: run.start()] + random.choice(NUMBERS) + data[run.end() :]


def _length(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    """Another length in the place of 1, 2, 4 or 8 bytes."""
    at, width = _place(random, data), random.choice("BHIQ")
    size = struct.calcsize(width)
    value = random.choice(_LENGTHS) % (1 << (8 * size))
    return data[:at] + struct.pack(random.choice("<>") + width, value) + data[at + size :]


def _lines(random: Random, data: Data, _: Sequence[bytes]) -> Data:
    """A line twice, gone, elsewhere, or without a cell."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    kind = random.randrange(4)
    if kind == 0:
        lines.insert(random.randint(0, len(lines)), lines[at])
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines.insert(random.randrange(len(lines)), lines.pop(at))
    else:
        comma = b"\t" if b"\t" in lines[at] else b","
        cells = lines[at].split(comma)
        del cells[random.randrange(len(cells))]
        lines[at] = comma.join(cells)
    return b"\n".join(lines)


_DAMAGES: tuple[Callable[[Random, Data, Sequence[bytes]], Data], ...] = (
    _flip, _set, _insert, _insert, _repeat, _delete, _double, _cut, _number, _number, _length,
    _length, _lines,
)  # fmt: skip

Bite = Callable[[bytes], bytes]


def _gzip(_: Random, data: Data, bite: Bite) -> Data | None:
    return (
        gzip.compress(bite(gzip.decompress(data)), 1, mtime=0) if data[:2] == b"\x1f\x8b" else None
    )


def _zstd(_: Random, data: Data, bite: Bite) -> Data | None:
    if data[:4] != b"\x28\xb5\x2f\xfd":
        return None
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(pa.compress(bite(stream.read()), "zstd", asbytes=True))


def _zip(random: Random, data: Data, bite: Bite) -> Data | None:
    """One member bitten, with sizes and checksum that fit; torch's too."""
    if data[:4] != b"PK\3\4":
        return None
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(sink, "w") as new:
        infos = old.infolist()
        victim = random.randrange(len(infos))
        for k, info in enumerate(infos):
            content = old.read(info)
            if k == victim:
                inner = _npy(random, content, bite)
                content = inner if inner is not None else bite(content)
            new.writestr(info, content)
    return sink.getvalue()


def _npy(random: Random, data: Data, bite: Bite) -> Data | None:
    """The header bitten, its length mended."""
    if data[:6] != b"\x93NUMPY" or random.randrange(2):
        return None
    length = struct.unpack("<H", data[8:10])[0]
    header = bite(data[10 : 10 + length])[:65_000]
    return data[:8] + struct.pack("<H", len(header)) + header + data[10 + length :]


def _safetensors(random: Random, data: Data, bite: Bite) -> Data | None:
    if len(data) < 10 or data[8:9] != b"{" or data[:1] == b"{":
        return None
    length = struct.unpack("<Q", data[:8])[0]
    text = data[8 : 8 + length]
    header = _json(random, text, bite) or bite(text)
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def _json(random: Random, data: Data, _: Bite) -> Data | None:
    """Another value somewhere in the tree, or a key that is gone or called otherwise."""
    if data[:1] != b"{" or random.randrange(4) == 0:
        return None
    try:
        tree = json.loads(data)
    except ValueError:  # of lines each is one
        return None
    for _k in range(random.randrange(1, 3)):
        holder: Any = tree
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = random.choice(keys)
            if isinstance(holder[key], dict | list) and holder[key] and random.randrange(4):
                holder = holder[key]
                continue
            kind = random.randrange(8)
            if kind == 0:
                del holder[key]
            elif kind == 1 and isinstance(holder, dict):
                holder[str(random.choice(VALUES))[:50]] = holder.pop(key)
            else:
                # A copy: the next damage may go on inside of it.
                holder[key] = copy.deepcopy(random.choice(VALUES))
            break
    return _dumped(tree)


def _dumped(tree: object) -> bytes:
    # Python's own limit on digits stands in the way of writing 10**5000, and not of NUMBERS.
    return json.dumps(tree, indent=random_indent(tree)).encode("ascii")


def random_indent(tree: object) -> int | None:
    """Lines where the document is small, so that damages of lines have something to do."""
    return 1 if len(str(tree)) < 20_000 else None


_LAYERS = (_gzip, _zstd, _zip, _npy, _safetensors, _json)


def bomb(kind: str, size: int) -> bytes:
    """So many zeros, packed to a thousandth."""
    if kind == "gzip":
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        parts = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
        return b"".join([*parts, packer.flush()])
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("nodes.dmp", "names.dmp", "vectors.npy"):
            made.writestr(name, bytes(size // 3))
    return sink.getvalue()
