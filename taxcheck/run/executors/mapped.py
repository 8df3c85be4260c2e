"""Values that the processes of one machine read from one file, each array mapped, not copied."""

from __future__ import annotations

import mmap
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Generic, cast

from taxcheck.model.errors import EngineError
from taxcheck.statistics.passes import T

_ALIGNED = 64  # bytes
_AT_ONCE = 4  # mapped values that a process keeps open


@dataclass(frozen=True, slots=True)
class Mapped(Generic[T]):
    """Where a value lies: its arrays one after the other, then what holds them together."""

    path: str
    buffers: tuple[tuple[int, int], ...]  # (where it begins, bytes) of each
    head: tuple[int, int]

    @property
    def value(self) -> T:
        """It; its arrays are read only."""
        return cast("T", _opened(self))


@lru_cache(_AT_ONCE)
def _opened(mapped: Mapped[Any]) -> object:
    with Path(mapped.path).open("rb") as stream:
        whole = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    head, *buffers = (whole[at : at + size] for at, size in (mapped.head, *mapped.buffers))
    return pickle.loads(head, buffers=buffers)


@contextmanager
def mapped(value: T, folder: Path) -> Iterator[Mapped[T]]:
    """Write a value into a file, which is gone when the block ends.

    EngineError where the disk is full.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    placed: list[tuple[int, int]] = []
    try:
        with NamedTemporaryFile(dir=folder, delete=False) as stream:
            path = Path(stream.name)
            for raw in (*(buffer.raw() for buffer in buffers), memoryview(head)):
                stream.write(bytes(-stream.tell() % _ALIGNED))
                placed.append((stream.tell(), raw.nbytes))
                stream.write(raw)
    except OSError as error:
        raise EngineError(
            f"no room in {folder.parent} for what the workers share: {error.strerror}; set TMPDIR "
            "to a folder with more space"
        ) from None
    try:
        yield Mapped(str(path), tuple(placed[:-1]), placed[-1])
    finally:
        path.unlink(missing_ok=True)
