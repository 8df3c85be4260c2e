"""Zip archives whose members are looked at where they lie: nothing is ever extracted."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from collections import Counter

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import too_large
from taxcheck.sources.files import InputFile, damaged

UNPACK_LIMIT = 4 << 30  # bytes of all compressed members that are unpacked
_RATIO, _RATIO_FLOOR = 200, 64 << 20  # beyond the floor, data that packs better is no embedding
_LOCAL_HEADER = 30


def map_bytes(file: InputFile) -> npt.NDArray[np.uint8]:
    """The bytes of a file, memory-mapped."""
    try:
        return np.memmap(file.path, np.uint8, "r")
    except (OSError, ValueError) as error:
        raise InputError(f"{file.shown}: cannot be mapped ({one_line(error)})") from error


class Archive:
    """The members of a zip file, by name. Raises InputError where the directory is damaged."""

    def __init__(self, file: InputFile, part: npt.NDArray[np.uint8] | None = None) -> None:
        """Of a whole file, or of a ``part`` of it that is an archive of its own."""
        self._file, self._map = file, map_bytes(file) if part is None else part
        try:
            whole = file.path.open("rb") if part is None else io.BytesIO(part.tobytes())
            with whole as stream, zipfile.ZipFile(stream) as opened:
                infos = opened.infolist()
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            NotImplementedError,
            struct.error,
        ) as error:
            raise damaged(file.shown, "a zip archive", error) from error
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) < len(infos):
            (twice, _), *_ = Counter(info.filename for info in infos).most_common(1)
            raise InputError(
                f"{file.shown}: two members are named {one_line(repr(twice), 80)}, so nobody can "
                "tell which one is meant; save the checkpoint again"
            )
        self.names = tuple(self._infos)
        self._room = UNPACK_LIMIT

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def size(self, name: str) -> int:
        """Bytes of a member, unpacked, as the directory states them."""
        return self._infos[name].file_size

    def raw(self, name: str, first: int | None = None) -> npt.NDArray[np.uint8]:
        """The bytes of a member (only the first ones, if asked): mapped, or unpacked if packed.

        Raises InputError where they are not all there, are encrypted, or would unpack beyond what
        an embedding can.
        """
        info, shown = self._infos[name], self._file.shown
        member = f"member {one_line(repr(name), 80)}"
        if info.flag_bits & 1:
            raise InputError(f"{shown}: {member} is encrypted; save it without a password")
        packed = self._packed(info, member)
        if info.compress_type == zipfile.ZIP_STORED:
            if info.file_size != len(packed):
                raise InputError(
                    f"{shown}: {member} is damaged (its sizes disagree); save it again"
                )
            return packed[:first]
        if info.compress_type != zipfile.ZIP_DEFLATED:
            raise InputError(f"{shown}: {member} is compressed in an unusual way; save it again")
        if first is None:
            limit = min(self._room, max(_RATIO_FLOOR, _RATIO * len(packed)))
            if info.file_size > limit:
                remedy = "save it uncompressed (numpy.savez, torch.save)"
                raise too_large(shown, member, info.file_size, limit, remedy)
            self._room -= info.file_size
        wanted = info.file_size if first is None else min(first, info.file_size)
        try:
            inflater = zlib.decompressobj(-15)
            source = packed if first is None else packed[: first + 4096]
            data = inflater.decompress(source.tobytes(), wanted + (first is None))
        except zlib.error as error:
            raise InputError(f"{shown}: {member} is damaged ({one_line(error)})") from error
        if len(data) != wanted:
            raise InputError(f"{shown}: {member} is damaged (its sizes disagree); save it again")
        return np.frombuffer(data, np.uint8)

    @functools.cache  # noqa: B019 - an archive lives as long as one reading
    def unpacked(self, name: str) -> npt.NDArray[np.uint8]:
        """All bytes of a member, unpacked once."""
        return self.raw(name)

    def _packed(self, info: zipfile.ZipInfo, member: str) -> npt.NDArray[np.uint8]:
        # The local header has a name and an extra field of its own, torch pads with the latter.
        start = info.header_offset
        header = self._map[start : start + _LOCAL_HEADER].tobytes() if start >= 0 else b""
        if len(header) == _LOCAL_HEADER and header.startswith(b"PK\x03\x04"):
            name, extra = struct.unpack("<HH", header[26:30])
            begin = start + _LOCAL_HEADER + name + extra
            packed = self._map[begin : begin + info.compress_size]
            if len(packed) == info.compress_size:
                return packed
        raise InputError(
            f"{self._file.shown}: {member} is not all there; the file is truncated or damaged: "
            "save or copy it again"
        )
