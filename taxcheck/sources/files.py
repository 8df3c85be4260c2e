"""One input file: opened, watched for change, fingerprinted in passing; streams are spooled."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from blake3 import blake3

from taxcheck.model.errors import InputError, one_line
from taxcheck.model.paths import INSIDE, split_part
from taxcheck.sources.packed import DAMAGES

_CHUNK = 1 << 22
_OPENED = "/proc/self/fd"  # files without a name, by the number under which they are open
_NEEDS_NAME = b"SQLite format 3\0"  # what begins like this is opened by its name alone


def damaged(shown: str, what: str, error: BaseException | str) -> InputError:
    """What a reader of some format complains of, as one line."""
    return InputError(
        f"{shown}: cannot be read as {what} ({one_line(error)}); it may be truncated or damaged: "
        "write or copy it again"
    )


@contextlib.contextmanager
def reading(shown: str, what: str = "table") -> Iterator[None]:
    """Turn whatever a reader raises for a bad file into one line; what is ours passes through."""
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(
            f"{shown}: one block of this {what} does not fit into memory; rewrite it as Parquet "
            "with row groups of about a million rows"
        ) from error
    except DAMAGES as error:
        if "launch worker thread" in str(error):  # Arrow's words; the file is not to blame
            raise RuntimeError("can't start new thread") from error
        raise damaged(shown, what, error) from error


class InputFile:
    """A regular file on disk; standard input and pipes are first copied to a temporary file.

    Raises InputError where the file does not exist, is a folder, is empty or may not be read.
    """

    part = ""  # inside of it, which is meant
    here_only = ""  # why no other process can read it: it is a stream, or unpacked here

    def __init__(self, path: str) -> None:
        file, self.part = split_part(path)
        self.shown = "standard input" if path == "-" else path
        self.path = self._regular(file)
        self.hint = Path(file).name.lower()
        self._stat = self._look()
        self.bytes = self._stat.st_size
        self._thread: threading.Thread | None = None
        self._digest: str | InputError | MemoryError | None = None
        self.refuse_empty()

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: it opens the same path, and finds the same file there."""
        left: dict[str, Any] = {"_thread": None, "_digest": None, "_cleanup": None}
        if "path" in self.__dict__:
            left["path"] = self.path.absolute()  # it may run in another folder
        return {name: left.get(name, value) for name, value in self.__dict__.items()}

    def refuse_empty(self) -> None:
        """InputError where there is not a byte."""
        if not self.bytes:
            raise InputError(f"{self.shown}: the file is empty; there is nothing to judge")

    def _regular(self, path: str) -> Path:
        if path == "-":
            return self._spool(sys.stdin.buffer)
        try:
            mode = Path(path).stat().st_mode
            if stat.S_ISDIR(mode):
                raise InputError(f"{path}: is a folder; give one table file")
            if stat.S_ISFIFO(mode):
                with Path(path).open("rb") as stream:
                    return self._spool(stream)
            if not stat.S_ISREG(mode):
                raise InputError(f"{path}: is a device, not a file; give a table, or - to pipe")
            with Path(path).open("rb"):
                return Path(path)
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file; check the path") from error
        except PermissionError as error:
            raise InputError(f"{path}: permission denied; make it readable (chmod +r)") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path!r}: cannot be opened ({one_line(error)})") from error

    def _spool(self, stream: BinaryIO) -> Path:
        # Two passes over the data need a file that can be opened twice.
        self.here_only = f"{self.shown} is a stream"
        return self._keep(iter(lambda: stream.read(_CHUNK), b""))

    def _keep(self, pieces: Iterable[bytes]) -> Path:
        """A temporary file of these bytes, which is there as long as this.

        It has no name where it needs none, so that it goes with the process, however that ends.
        """
        given = iter(pieces)
        first = next(given, b"")
        handle, name = tempfile.mkstemp(prefix="taxcheck-")
        path, cleanup = Path(name), weakref.finalize(self, Path(name).unlink, missing_ok=True)
        self._cleanup: weakref.finalize[Any, Any] = cleanup
        opened = Path(f"{_OPENED}/{handle}")
        if not first.startswith(_NEEDS_NAME) and opened.exists():
            path = opened
            self._cleanup = weakref.finalize(self, os.close, handle)
            cleanup()
        with os.fdopen(handle, "wb", closefd=path != opened) as spooled:
            for piece in itertools.chain((first,), given):
                self._write(spooled, piece)
        return path

    def _write(self, spooled: IO[bytes], piece: bytes) -> None:
        try:
            spooled.write(piece)
            spooled.flush()
        except OSError as error:
            with contextlib.suppress(OSError):
                spooled.close()
            self._cleanup()
            raise InputError(
                f"{self.shown}: cannot be spooled to {tempfile.gettempdir()} ({one_line(error)}); "
                "set TMPDIR to a folder with room, or give a file"
            ) from error

    def _look(self) -> os.stat_result:
        try:
            return self.path.stat()
        except OSError as error:
            raise InputError(
                f"{self.shown}: vanished while being read ({one_line(error)})"
            ) from error

    def open(self) -> BinaryIO:
        """A fresh handle at the start of the file."""
        try:
            return self.path.open("rb", buffering=0)
        except OSError as error:
            raise InputError(f"{self.shown}: cannot be opened ({one_line(error)})") from error

    def check_unchanged(self) -> None:
        """Raise InputError where the file is no longer the one that was opened."""
        now, then = self._look(), self._stat
        if (now.st_size, now.st_mtime_ns, now.st_ino) != (
            then.st_size,
            then.st_mtime_ns,
            then.st_ino,
        ):
            raise InputError(
                f"{self.shown}: changed while it was read; wait until its writer is done, run again"
            )

    def start_fingerprint(self) -> None:
        """Begin to hash the raw bytes in a thread of its own, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._hash, daemon=True)
            self._thread.start()

    def _hash(self) -> None:
        try:
            self._digest = self.digest()
        except (InputError, MemoryError) as error:  # raised where it is asked for, as one line
            self._digest = error

    def digest(self) -> str:
        """``blake3:<hex>`` of the raw bytes, hashed here and now."""
        hasher, buffer = blake3(), bytearray(_CHUNK)
        view = memoryview(buffer)
        try:
            with self.open() as stream:
                while count := stream.readinto(buffer):  # type: ignore[attr-defined]
                    hasher.update(view[:count])
        except OSError as error:
            raise InputError(f"{self.shown}: cannot be read ({one_line(error)})") from error
        return f"blake3:{hasher.hexdigest()}"

    def fingerprint(self) -> str:
        """``blake3:<hex>`` of the raw bytes of the file, as they lie on disk."""
        self.start_fingerprint()
        assert self._thread is not None
        self._thread.join()
        if isinstance(self._digest, Exception):
            raise self._digest
        assert self._digest is not None
        self.check_unchanged()
        return self._digest


class Unpacked(InputFile):
    """What a file holds inside, written to a temporary file, so that it can be read like any other.

    ``name`` is the part by which one would ask for it, except where it is all that there is, and
    ``part`` what is meant inside of it. What the pieces raise passes through.
    """

    def __init__(
        self,
        outer: InputFile,
        name: str,
        pieces: Iterable[bytes],
        part: str = "",
        *,
        whole: bool = False,
    ) -> None:
        self.outer, self.part = outer, part
        self.depth: int = getattr(outer, "depth", 0) + 1
        self.shown = outer.shown if whole or outer.part else f"{outer.shown}{INSIDE}{name}"
        self.here_only = outer.here_only = f"{outer.shown} is unpacked on this machine"
        self.hint = Path(name).name.lower()
        self.path = self._keep(pieces)
        self._stat = self._look()
        self.bytes = self._stat.st_size
        self._thread, self._digest = None, None
        self.refuse_empty()


def on_disk(file: InputFile) -> InputFile:
    """The file itself where it is on this machine, or a copy that is."""
    if "path" in file.__dict__:
        return file

    def pieces() -> Iterator[bytes]:
        with file.open() as stream:
            yield from iter(lambda: stream.read(_CHUNK), b"")

    return Unpacked(file, file.hint, pieces(), file.part, whole=True)
