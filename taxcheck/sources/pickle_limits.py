"""What building a pickle may cost: no more bytes, memory and stack than its size explains."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, TypeVar

_MEMORY_FACTOR, _MEMORY_FLOOR = 40, 1 << 30
_LEVELS, _LEVEL_BYTES = 2_000, 192  # what any stack holds; measured: 64 bytes a level

T = TypeVar("T")


class Bounded(io.RawIOBase):
    """Reads no more than the file holds, whatever length an opcode states."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        """As of a file."""
        return True

    def read(self, size: int = -1) -> bytes:
        """As of a file; EOFError for a length beyond its end."""
        if size > self._left:
            raise EOFError("a length beyond the end of the file")
        data = self._stream.read(size)
        self._left -= len(data)
        return data

    def readinto(self, buffer: object) -> int:
        """As of a file."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(min(len(view), self._left))
        view[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1) -> bytes:  # noqa: ARG002
        """As of a file."""
        data = self._stream.readline(self._left)
        self._left -= len(data)
        return data


@contextlib.contextmanager
def bounded_memory(size: int) -> Iterator[None]:
    """Make a small file that asks for terabytes fail, where the system can do that."""
    try:
        import resource
    except ImportError:
        yield
        return
    old = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm", encoding="ascii") as status:  # noqa: PTH123
            used = int(status.read().split()[0]) * resource.getpagesize()
        limit = used + _MEMORY_FLOOR + _MEMORY_FACTOR * size
        if old[0] == resource.RLIM_INFINITY or limit < old[0]:
            resource.setrlimit(resource.RLIMIT_AS, (limit, old[1]))
    except (OSError, ValueError):
        pass
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, old)


@contextlib.contextmanager
def unprinted() -> Iterator[None]:
    """Keep CPython from printing of a bytearray that it could not make; it raises as well.

    The count of its exports is unset there, and is complained of where it is not 0 by chance.
    """
    old = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if kind is not SystemError or "bytearray" not in str(error):
            old(kind, error, trace)

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = old


def nesting(stream: IO[bytes]) -> int:
    """How deep tuples can at most nest in a pickle: one level takes at least one opcode."""
    counts = dict.fromkeys((b"\x85", b"\x86", b"\x87", b"(", b"t"), 0)
    while block := stream.read(1 << 22):
        for opcode in counts:
            counts[opcode] += block.count(opcode)
    marked = min(counts.pop(b"("), counts.pop(b"t"))
    return marked + sum(counts.values())


def deep(levels: int, call: Callable[[], T]) -> T:
    """Call with a stack on which tuples of so many levels can be hashed.

    CPython hashes nested tuples by recursion in C that nothing bounds: as the key of a dict, one
    of a few hundred thousand levels would end the process.
    """
    if levels <= _LEVELS:
        return call()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def inside() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # is raised again where it is awaited
            failure.append(error)

    thread = threading.Thread(target=inside, daemon=True)
    try:
        old = threading.stack_size((levels * _LEVEL_BYTES + (1 << 20)) & ~0xFFFF)
    except ValueError as error:
        raise MemoryError("no stack is large enough") from error
    try:
        thread.start()
    except RuntimeError as error:
        raise MemoryError("no stack is large enough") from error
    finally:
        threading.stack_size(old)
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
