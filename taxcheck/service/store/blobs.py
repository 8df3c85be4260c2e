"""Files by their content: written whole, once, and found by the BLAKE3 of what they hold.

They lie in a folder, or wherever Arrow reaches (``s3://``, ``gs://``). Equal content is one file.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from blake3 import blake3

from taxcheck.files import whole_file
from taxcheck.model.errors import OutputError, UsageError
from taxcheck.service.store.errors import AwayError, NoRoomError, NotThereError

_FULL = (errno.ENOSPC, errno.EDQUOT)


class _Place(Protocol):
    """Where files lie; names have the form ``aa/aabb....zst``."""

    def size(self, name: str) -> int | None: ...

    def write(self, name: str, content: bytes) -> None: ...

    def read(self, name: str) -> bytes: ...

    def remove(self, name: str) -> None: ...

    def remove_unfinished(self, before: float) -> None: ...

    def names(self) -> Iterator[tuple[str, int]]: ...


class Blobs:
    """The files of a server; ``where`` is a folder or a URI that Arrow knows."""

    def __init__(self, where: str | Path) -> None:
        text = str(where)
        self._place: _Place = _Bucket(text) if "://" in text else _Folder(Path(text).absolute())

    def put(self, content: bytes) -> str:
        """Keep it; the digest by which it is found.

        Raises NoRoomError where the disk is full, OutputError where nothing can be written.
        """
        digest = blake3(content).hexdigest()
        if self._place.size(_name(digest)) is None:
            self._place.write(_name(digest), pa.compress(content, codec="zstd", asbytes=True))
        return digest

    def size(self, digest: str) -> int | None:
        """The bytes that it takes; None where it is not there."""
        return self._place.size(_name(digest))

    def get(self, digest: str) -> bytes:
        """What was kept; NotThereError where there is no such file."""
        packed = self._place.read(_name(digest))
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            content: bytes = stream.read()
        return content

    def remove(self, digest: str) -> None:
        """Remove it, if it is there."""
        self._place.remove(_name(digest))

    def remove_unfinished(self, before: float) -> None:
        """Remove what a process that was killed left half-written before a moment (seconds)."""
        self._place.remove_unfinished(before)

    def all(self) -> Iterator[tuple[str, int]]:
        """Digest and bytes on disk of every file."""
        for name, size in self._place.names():
            yield Path(name).name.removesuffix(".zst"), size


def _name(digest: str) -> str:
    return f"{digest[:2]}/{digest}.zst"


class _Folder:
    """A folder of this machine; a file is forced onto the disk before it gets its name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def size(self, name: str) -> int | None:
        try:
            return (self.root / name).stat().st_size
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as partial:
                partial.write_bytes(content)
        except (OSError, OutputError) as error:
            cause = error.__context__ if isinstance(error, OutputError) else error
            if isinstance(cause, OSError) and cause.errno in _FULL:
                raise NoRoomError(f"{self.root}: the disk is full; nothing was kept") from None
            raise OutputError(f"{self.root}: cannot be written: {cause}") from None

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            raise NotThereError(f"{self.root}: holds no {name}") from None

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def remove_unfinished(self, before: float) -> None:
        for path in self.root.glob("[0-9a-f][0-9a-f]/.*.partial"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()

    def names(self) -> Iterator[tuple[str, int]]:
        for path in self.root.glob("[0-9a-f][0-9a-f]/*.zst"):
            with suppress(FileNotFoundError):
                yield path.name, path.stat().st_size


class _Bucket:
    """What Arrow reaches by a URI; an object appears when all of it is there."""

    def __init__(self, uri: str) -> None:
        from pyarrow import fs

        try:
            self.files, self.root = fs.FileSystem.from_uri(uri)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise UsageError(f"reports {uri!r}: {str(error).splitlines()[0]}") from None
        self.uri = uri

    def size(self, name: str) -> int | None:
        size: int | None = self._told(lambda: self.files.get_file_info(self._path(name))).size
        return size

    def write(self, name: str, content: bytes) -> None:
        def write() -> None:
            path = self._path(name)
            self.files.create_dir(path.rpartition("/")[0], recursive=True)
            with self.files.open_output_stream(path) as stream:
                stream.write(content)

        self._told(write)

    def read(self, name: str) -> bytes:
        def read() -> bytes:
            with self.files.open_input_stream(self._path(name)) as stream:
                content: bytes = stream.read()
            return content

        try:
            content: bytes = self._told(read)
        except FileNotFoundError:
            raise NotThereError(f"{self.uri}: holds no {name}") from None
        return content

    def remove(self, name: str) -> None:
        if self.size(name) is not None:
            self._told(lambda: self.files.delete_file(self._path(name)))

    def remove_unfinished(self, before: float) -> None:
        """A bucket shows no object before all of it is there."""

    def names(self) -> Iterator[tuple[str, int]]:
        from pyarrow import fs

        chosen = fs.FileSelector(self.root, recursive=True, allow_not_found=True)
        for found in self._told(lambda: self.files.get_file_info(chosen)):
            if found.type == fs.FileType.File and found.base_name.endswith(".zst"):
                yield found.base_name, found.size

    def _path(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"

    def _told(self, what: Any) -> Any:
        try:
            return what()
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise NoRoomError(f"{self.uri}: no room is left; nothing was kept") from None
            said = str(error).splitlines()[0]
            raise AwayError(f"{self.uri}: does not answer: {said}") from None
