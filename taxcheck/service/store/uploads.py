"""Files that are sent piece by piece, as inputs of jobs: ``data/uploads``, each by its own id.

How much of a file is there, the file itself says, so that a piece which a crash cut off is simply
sent again from there. A name that a client gave is kept for people and never leads to a path.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from blake3 import blake3
from msgspec import Struct
from sqlalchemy import delete, select, update

from taxcheck.files import unwritten
from taxcheck.service.store import tables
from taxcheck.service.store.database import now
from taxcheck.service.store.errors import (
    ConflictError,
    NoRoomError,
    NotThereError,
    RefusedError,
    TooLargeError,
)
from taxcheck.service.store.names import checked, project_key
from taxcheck.service.store.store import Store

_ID = re.compile(r"[0-9a-f]{32}")
_SPARE = 64 << 20  # bytes of the disk that an upload leaves free


class Upload(Struct, frozen=True, kw_only=True):
    """A file that is being sent, or is there."""

    id: str
    project: str
    name: str  # as the client called it, for people
    size: int  # bytes that it shall have
    offset: int  # bytes that are there: where the next piece begins
    digest: str | None  # blake3 in hexadecimal digits, once it is complete
    created: int  # milliseconds since 1970, UTC


def begin(store: Store, project: str, name: str, size: int) -> Upload:
    """A new upload of nothing yet.

    Raises RefusedError for a name that cannot be, TooLargeError, and NoRoomError where the disk
    has no place for all of it.
    """
    name, limit = checked("file name", name, 255), store.settings.upload_bytes
    if size < 0:
        raise RefusedError(f"size {size}: is negative")
    if size > limit:
        raise TooLargeError(f"{name}: {size:,} bytes are more than the {limit:,} that are taken")
    id = secrets.token_hex(16)
    folder = _folder(store)
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < size + _SPARE:
            raise NoRoomError(f"{name}: the disk has no place for {size:,} bytes")
        (folder / id).touch()
    with store.database.writing() as connection:
        connection.execute(
            tables.upload.insert().values(
                id=id,
                project=project_key(connection, project),
                name=name,
                size=size,
                created=now(),
            )
        )
    return status(store, id)


def status(store: Store, id: str) -> Upload:
    """What is there of an upload; NotThereError."""
    if not _ID.fullmatch(id):
        raise _missing(id)
    table = tables.upload
    asked = (
        select(
            table.c.id,
            tables.project.c.name.label("project"),
            table.c.name,
            table.c.size,
            table.c.digest,
            table.c.created,
        )
        .join_from(table, tables.project, table.c.project == tables.project.c.key)
        .where(table.c.id == id)
    )
    with store.database.reading() as connection:
        row = connection.execute(asked).first()
    if row is None:
        raise _missing(id)
    return _upload(store, row)


def sent(
    store: Store, projects: Collection[str] | None = None, limit: int = 50
) -> tuple[Upload, ...]:
    """Complete uploads of some projects, or of all, the newest first."""
    table = tables.upload
    asked = (
        select(table.c.id, tables.project.c.name.label("project"), table.c.name, table.c.size,
               table.c.digest, table.c.created)
        .join_from(table, tables.project, table.c.project == tables.project.c.key)
        .where(table.c.digest.is_not(None))
        .order_by(table.c.created.desc(), table.c.id)
        .limit(limit)
    )  # fmt: skip
    if projects is not None:
        asked = asked.where(tables.project.c.name.in_(projects))
    with store.database.reading() as connection:
        return tuple(Upload(offset=r.size, **r._asdict()) for r in connection.execute(asked))


class Piece:
    """A piece of an upload that is being written; nobody else writes to it meanwhile."""

    def __init__(self, file: BinaryIO, upload: Upload) -> None:
        self._file = file
        self._upload = upload
        self._left = upload.size - upload.offset

    def write(self, data: bytes) -> None:
        """Add bytes; TooLargeError beyond the size that was told, NoRoomError on a full disk."""
        if len(data) > self._left:
            name, size = self._upload.name, self._upload.size
            raise TooLargeError(f"{name}: more came than the {size:,} bytes that were told")
        rest = memoryview(data)
        with _told(self._upload.name):
            while rest:
                rest = rest[self._file.write(rest) :]
        self._left -= len(data)


@contextmanager
def appending(store: Store, id: str, offset: int) -> Iterator[Piece]:
    """Add a piece at ``offset``, which must be where the last one ended.

    What was written before an error stays. Raises NotThereError, ConflictError where the offset is
    another, the upload is complete, or another piece is being written.
    """
    upload = status(store, id)
    if upload.digest is not None:
        raise ConflictError(f"{upload.name}: is complete already")
    with _held(store, upload) as file:
        there = file.seek(0, os.SEEK_END)
        if offset != there:
            raise ConflictError(f"{upload.name}: goes on at byte {there}, not at {offset}")
        yield Piece(file, status(store, id))
        with _told(upload.name):
            os.fsync(file.fileno())


class Arrival(Piece):
    """A file of a size that nobody told; what it is called afterwards is its digest."""

    def __init__(self, file: BinaryIO, upload: Upload) -> None:
        super().__init__(file, upload)
        self.id = upload.id
        self.size, self.digest = 0, blake3()

    def write(self, data: bytes) -> None:
        """Add bytes, as of a piece."""
        super().write(data)
        self.size += len(data)
        self.digest.update(data)


@contextmanager
def arriving(store: Store, project: str, name: str, most: int) -> Iterator[Arrival]:
    """A new upload that is complete when the block ends well, and else is removed.

    ``most`` bytes it has at most. Raises what ``begin`` does, and Arrival what a Piece does.
    """
    upload = begin(store, project, name, most)
    try:
        with _held(store, upload) as file:
            arrival = Arrival(file, upload)
            yield arrival
            with _told(upload.name):
                os.fsync(file.fileno())
    except BaseException:
        remove(store, upload.id)
        raise
    told = {"size": arrival.size, "digest": arrival.digest.hexdigest()}
    with store.database.writing() as connection:
        chosen = tables.upload.c.id == upload.id
        connection.execute(update(tables.upload).where(chosen).values(**told))


def complete(store: Store, id: str, digest: str) -> Upload:
    """Close an upload whose bytes have this blake3 digest; the same again is no error.

    Raises NotThereError, ConflictError where bytes are missing, RefusedError where it is another
    file than the client sent: the upload is then removed.
    """
    upload, digest = status(store, id), digest.lower().removeprefix("blake3:")
    if upload.digest is not None:
        if upload.digest != digest:
            raise ConflictError(f"{upload.name}: is complete with another digest")
        return upload
    with _held(store, upload) as file:
        there = file.seek(0, os.SEEK_END)
        if there < upload.size:
            raise ConflictError(f"{upload.name}: has {there:,} of its {upload.size:,} bytes")
        found = blake3(max_threads=2).update_mmap(_path(store, id)) if there else blake3()
        if found.hexdigest() != digest:
            remove(store, id)
            raise RefusedError(
                f"{upload.name}: arrived with digest {found.hexdigest()}, not the one that was "
                "told; it was removed, send it again"
            )
        with store.database.writing() as connection:
            chosen = tables.upload.c.id == id
            connection.execute(update(tables.upload).where(chosen).values(digest=digest))
    return status(store, id)


@dataclass(frozen=True, slots=True)
class CompleteFile:
    """An upload that a job may read."""

    path: Path
    name: str  # as the client called it


def complete_file(store: Store, project: str, id: str) -> CompleteFile:
    """Where a complete upload lies, which now stays for as long again.

    Raises RefusedError where it is not complete, or is another project's.
    """
    try:
        upload = status(store, id)
    except NotThereError as error:
        raise RefusedError(str(error)) from None
    if upload.project != project:
        raise RefusedError(str(_missing(id)))
    if upload.digest is None:
        raise RefusedError(f"upload {id}: has {upload.offset:,} of its {upload.size:,} bytes")
    file = _path(store, id)
    os.utime(file)
    return CompleteFile(file, upload.name)


def remove(store: Store, id: str) -> None:
    """Remove an upload and its file; NotThereError."""
    if not _ID.fullmatch(id):
        raise _missing(id)
    with store.database.writing() as connection:
        done = connection.execute(delete(tables.upload).where(tables.upload.c.id == id))
    _path(store, id).unlink(missing_ok=True)
    if not done.rowcount:
        raise _missing(id)


def sweep(store: Store) -> int:
    """Remove files that nobody wrote to or asked a job of for too long; how many."""
    oldest = time.time() - store.settings.upload_hours * 3600
    removed = 0
    for id in _stale(_folder(store), oldest):
        with suppress(NotThereError):
            remove(store, id)
        removed += 1
    return removed


def _stale(folder: Path, oldest: float) -> Iterator[str]:
    with suppress(FileNotFoundError):
        for file in list(folder.iterdir()):
            with suppress(FileNotFoundError):
                if _ID.fullmatch(file.name) and file.stat().st_mtime < oldest:
                    yield file.name


def _upload(store: Store, row: Any) -> Upload:
    try:
        there = _path(store, row.id).stat().st_size
    except FileNotFoundError:
        raise _missing(row.id) from None
    return Upload(offset=there, **row._asdict())


def _folder(store: Store) -> Path:
    return store.settings.data / "uploads"


def _path(store: Store, id: str) -> Path:
    return _folder(store) / id


def _missing(id: str) -> NotThereError:
    return NotThereError(f"upload {id[:64]!r}: is not here")


@contextmanager
def _held(store: Store, upload: Upload) -> Iterator[BinaryIO]:
    """The file, open for writing, and nobody else's: a lock that the kernel lets go of."""
    try:
        file = _path(store, upload.id).open("r+b", buffering=0)
    except FileNotFoundError:
        raise _missing(upload.id) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(f"{upload.name}: another piece is being written") from None
        yield file


@contextmanager
def _told(what: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoomError(f"{what}: the disk is full; send the rest later") from None
        raise unwritten(what, error) from None
