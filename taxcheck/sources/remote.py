"""Files behind an address, through fsspec: s3, gs, hf, http and whatever else is installed.

Nothing is copied to this machine. Credentials are those that the file system finds by itself, in
its environment variables and files; taxcheck never asks for any.
"""

from __future__ import annotations

import contextlib
import io
import posixpath
from collections.abc import Iterator
from functools import cached_property
from typing import Any, BinaryIO

from taxcheck.model.errors import InputError, one_line
from taxcheck.model.paths import split_part
from taxcheck.sources.files import InputFile

_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub"}
_WEB = ("http", "https")
# What an object is known by, beside its size: the first that its file system tells.
_MARKS = ("ETag", "etag", "generation", "blob_id", "LastModified", "last_modified", "mtime")
_DENIED = ("credential", "access denied", "forbidden", "unauthorized", "permission", "not authori")
_ABSENT = ("nosuchbucket", "nosuchkey", "not found", "does not exist", "404")


@contextlib.contextmanager
def telling(shown: str) -> Iterator[None]:
    """Turn whatever a file system raises into one line; what is ours passes through."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # each file system has its own
        raise _told(shown, error) from error


def _told(shown: str, error: BaseException) -> InputError:
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        error = error.__cause__  # fsspec says so of a server that is not there, too
    said = one_line(error) or type(error).__name__
    known = f"{type(error).__name__} {said}".lower()
    if isinstance(error, PermissionError) or any(word in known for word in _DENIED):
        return InputError(
            f"{shown}: access is refused ({said}); check the credentials that this machine has for "
            "it, and what they allow"
        )
    if isinstance(error, FileNotFoundError) or any(word in known for word in _ABSENT):
        return InputError(f"{shown}: no such file or bucket; check the address")
    if "range request" in known:
        return InputError(
            f"{shown}: its server gives no parts of files (ranges), which a table is read by; give "
            "a copy on this machine"
        )
    return InputError(f"{shown}: cannot be reached ({said}); check address and network, run again")


def _system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there; InputError where its package is not."""
    scheme = address.partition("://")[0]
    try:
        from fsspec.core import url_to_fs

        with telling(address):
            fs, path = url_to_fs(address)
    except (ImportError, InputError) as error:
        cause = error if isinstance(error, ImportError) else error.__cause__
        if isinstance(cause, ImportError):
            package = _PACKAGES.get(scheme, "fsspec and aiohttp")
            raise InputError(
                f"{address}: needs {package}, which is not installed: pip install 'taxcheck[cloud]'"
            ) from error
        if isinstance(cause, ValueError):
            raise InputError(
                f"{address}: taxcheck reads no {scheme}:// addresses; give s3, gs, hf or https, or "
                "a file"
            ) from error
        raise
    return fs, path


class RemotePlace:
    """A path behind an address. Errors of its file system are InputError, in one line."""

    def __init__(self, address: str) -> None:
        self.shown = address
        self._scheme = address.partition("://")[0]
        self._fs, self.path = _system(address)

    @property
    def whole(self) -> str:
        """The address, as it would be without superfluous parts."""
        if "://" in self.path:
            return self.path
        return f"{self._scheme}://{posixpath.normpath(self.path).lstrip('/')}"

    def at(self, path: str) -> RemotePlace:
        """Another path of the same file system."""
        other = object.__new__(RemotePlace)
        other._fs, other._scheme, other.path = self._fs, self._scheme, path
        other.shown = path if "://" in path else f"{self._scheme}://{path.lstrip('/')}"
        return other

    def exists(self) -> bool:
        """Whether there is anything of this very name; the web is not asked."""
        if self._scheme in _WEB:
            return "*" not in self.path
        with telling(self.shown):
            return bool(self._fs.exists(self.path))

    def is_folder(self) -> bool:
        """Whether it is a folder; on the web, whether its address ends like one."""
        if self._scheme in _WEB:
            return self.path.endswith("/")
        with telling(self.shown):
            return bool(self._fs.isdir(self.path))

    def find(self) -> list[str]:
        """The paths of all files in the folder and below."""
        with telling(self.shown):
            return [str(path) for path in self._fs.find(self.path)]

    def matches(self) -> list[str]:
        """The paths that match the pattern."""
        with telling(self.shown):
            return [str(path) for path in self._fs.glob(self.path)]

    def read(self) -> bytes:
        """A small file, whole."""
        with telling(self.shown):
            return bytes(self._fs.cat_file(self.path))


class RemoteFile(InputFile):
    """A file behind an address, read piece by piece; it is known by its size and its mark (ETag).

    Raises InputError where there is none, it is empty, or may not be read.
    """

    def __init__(self, address: str) -> None:
        self.shown = address
        self._address, self.part = split_part(address)
        self.hint = posixpath.basename(self._address).lower()
        self._thread, self._digest = None, None
        self._known = self._standing()
        if self._known[0] is None:
            raise InputError(
                f"{address}: its server tells no size; download it, or serve it plainly"
            )
        self.bytes = int(self._known[0])
        self.refuse_empty()

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs; it has connections of its own."""
        return {k: v for k, v in super().__getstate__().items() if k != "_system"}

    @cached_property
    def _system(self) -> tuple[Any, str]:
        return _system(self._address)

    def _standing(self) -> tuple[int | None, str]:
        fs, path = self._system
        with telling(self.shown):
            fs.invalidate_cache()
            info = fs.info(path)
        if info.get("type") == "directory":
            raise InputError(f"{self.shown}: is a folder; give one table file")
        mark = next((str(info[key]) for key in _MARKS if info.get(key)), "")
        return info.get("size"), mark

    def open(self) -> BinaryIO:
        """A fresh handle at the start of the file."""
        fs, path = self._system
        with telling(self.shown):
            # Readers ask for large pieces themselves, of several columns in turn: no cache helps.
            handle = fs.open(path, "rb", cache_type="none")
        return _Pieces(handle, self.shown)  # type: ignore[return-value]

    def check_unchanged(self) -> None:
        """Raise InputError where the file is no longer the one that was opened."""
        if self._standing() != self._known:
            raise InputError(
                f"{self.shown}: changed while it was read; wait until its writer is done, run again"
            )


class _Pieces(io.RawIOBase):
    """The bytes of a file elsewhere; what goes wrong there is told as InputError."""

    def __init__(self, handle: Any, shown: str) -> None:
        self._handle, self._shown = handle, shown

    def read(self, size: int = -1, /) -> bytes:
        with telling(self._shown):
            return bytes(self._handle.read(size))

    def readinto(self, buffer: Any, /) -> int:
        with telling(self._shown):
            data = self._handle.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return int(self._handle.seek(offset, whence))

    def tell(self) -> int:
        return int(self._handle.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._handle.close()
        super().close()
