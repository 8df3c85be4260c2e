"""Pickles read without running anything from them: containers, numbers, texts, NumPy scalars.

A pickle is a program. This reader knows the few names that plain data needs and gives each its
own harmless function; any other name ends the reading before it is looked up. Nor may building one
cost more bytes, memory or stack than its size explains.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import mmap
import pickle
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import IO, TypeVar

import numpy as np

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.files import InputFile
from taxcheck.sources.pickle_work import DamagedError, TooMuchWorkError, end_of_pickle

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


class _Limit:
    """The limit of this process's memory, which several threads may want lower at one time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders, self._most, self._before = 0, 0, (0, 0)

    def lower(self, more: int) -> None:
        """To what is used and so many bytes more; it stays what the most generous holder asked."""
        import resource

        with self._lock:
            if not self._holders:
                self._before, self._most = resource.getrlimit(resource.RLIMIT_AS), 0
            self._holders += 1
            with contextlib.suppress(OSError, ValueError):
                with open("/proc/self/statm", encoding="ascii") as status:  # noqa: PTH123
                    used = int(status.read().split()[0]) * resource.getpagesize()
                self._most = max(self._most, used + more)
                soft, hard = self._before
                if soft == resource.RLIM_INFINITY or self._most < soft:
                    resource.setrlimit(resource.RLIMIT_AS, (self._most, hard))

    def restore(self) -> None:
        """As it was before the first of those who hold it lowered it, once none does."""
        import resource

        with self._lock:
            self._holders -= 1
            if not self._holders:
                resource.setrlimit(resource.RLIMIT_AS, self._before)


_LIMIT = _Limit()


@contextlib.contextmanager
def bounded_memory(size: int) -> Iterator[None]:
    """Make a small file that asks for terabytes fail, where the system can do that."""
    if importlib.util.find_spec("resource") is None:
        yield
        return
    _LIMIT.lower(_MEMORY_FLOOR + _MEMORY_FACTOR * size)
    try:
        yield
    finally:
        _LIMIT.restore()


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


SIZE_LIMIT = 2 << 30  # bytes; a pickle is loaded whole, at some ten times its size


class RefusedError(Exception):
    """The pickle asks for something that plain data does not need; ``remedy`` says what to do."""

    def __init__(self, what: str, remedy: str | None = None) -> None:
        super().__init__(what)
        self.remedy = remedy


class Sealed:
    """What a pickle may point at, and not change."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise RefusedError("would change what it may only point at")


class Function(Sealed):
    """A function that a pickle may call; without attributes that it could set."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call

    def __call__(self, *args: object) -> object:  # noqa: D102
        return self._call(*args)


class InertDtype:
    """What a pickle says of a NumPy dtype: its code, and its byte order as a state."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: object) -> None:
        if not isinstance(code, str):
            raise RefusedError(f"holds NumPy values of a {type(code).__name__} for a type")
        if not re.fullmatch(r"[iufb][1248]|U\d{1,6}|O8?", code[:20]):
            raise RefusedError(f"holds NumPy values of type {one_line(repr(code[:40]), 40)}")
        self._code, self._order = code, "="

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self._order = state[1]

    @property
    def objects(self) -> bool:
        """Whether the values are objects of their own in the pickle."""
        return str(self._code).startswith("O")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The NumPy dtype that is meant: integers, floats, booleans or texts.

        RefusedError for objects, which have no bytes.
        """
        if self.objects:
            raise RefusedError("holds NumPy values of type 'O8'")
        return np.dtype(self._order + self._code)

    def value(self, raw: bytes) -> object:
        """The one number or text in ``raw``."""
        return np.frombuffer(raw, dtype=self.dtype, count=1)[0].item()


def _make_dtype(code: object, *_: object) -> InertDtype:
    return InertDtype(code)


def _make_scalar(kind: object, raw: object = b"") -> object:
    if not isinstance(kind, InertDtype) or not isinstance(raw, bytes):
        raise RefusedError("holds a damaged NumPy value")
    return kind.value(raw)


def _encode(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":  # how protocol 2 writes bytes
        raise RefusedError("holds damaged bytes")
    return text.encode("latin1")


class Plain(dict[object, object]):
    """A dict that ignores attributes; an OrderedDict would let a pickle overwrite its methods."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


def _ordered_dict(*args: object) -> Plain:
    if args:
        raise RefusedError("holds a damaged dict")
    return Plain()


Names = Mapping[tuple[str, str], Callable[..., object]]

ALLOWED: Names = {
    ("numpy", "dtype"): _make_dtype,
    ("numpy.core.multiarray", "scalar"): _make_scalar,
    ("numpy._core.multiarray", "scalar"): _make_scalar,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered_dict,
}


class PlainUnpickler(pickle.Unpickler):
    """Builds plain values; other formats add their own inert names by overriding the lookups."""

    def find_class(self, module: str, name: str, /) -> object:
        """The harmless function that stands for a name, which itself is never imported."""
        allowed = ALLOWED.get((module, name))
        if allowed is None:
            raise RefusedError(f"would import {one_line(f'{module[:80]}.{name[:80]}', 80)}")
        return Function(allowed)

    def persistent_load(self, pid: object) -> object:  # noqa: ARG002
        """Plain data refers to nothing outside of the file."""
        raise RefusedError("refers to objects outside of the file")


def unpickled(
    shown: str,
    stream: IO[bytes],
    size: int,
    build: Callable[[IO[bytes]], T],
    known: str = "only lists, dicts, numbers and texts are read",
    remedy: str = "save the table as Parquet",
    pickles: int = 1,
) -> T:
    """What ``build`` makes of the pickle in a stream, of a file of ``size`` bytes.

    There may be several ``pickles``, one after the other. It has bounded memory and a stack that is
    deep enough; whatever it raises becomes one line.
    """
    try:
        with bounded_memory(size), unprinted():
            levels = nesting(stream)
            stream.seek(0)
            whole = _looked_through(stream, size, pickles)
            return deep(levels, lambda: build(whole))
    except InputError:
        raise
    except RefusedError as error:
        raise InputError(
            f"{shown}: refused, this pickle {error}; {known}: {error.remedy or remedy}"
        ) from None
    except (MemoryError, TooMuchWorkError) as error:
        what = "memory" if isinstance(error, MemoryError) else "work"
        raise InputError(
            f"{shown}: this pickle asks for more {what} than its size explains; {remedy}"
        ) from None
    except Exception as error:  # a damaged pickle raises almost anything
        raise InputError(
            f"{shown}: damaged pickle ({one_line(error) or type(error).__name__}); {remedy}"
        ) from None


def _looked_through(stream: IO[bytes], size: int, pickles: int) -> IO[bytes]:
    """The stream, or what comes before the place from which on it is no pickle.

    TooMuchWorkError where hashing what is in it takes more work than its size explains.
    """
    end = 0
    try:
        if isinstance(stream, io.BytesIO):
            for _ in range(pickles):
                end = end_of_pickle(stream.getbuffer(), end, size)
            return stream
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            for _ in range(pickles):
                end = end_of_pickle(mapped, end, size)
    except DamagedError as error:  # the rest was not looked at, so nobody may read it
        return io.BytesIO(stream.read(error.place))
    return stream


def check_size(shown: str, size: int) -> None:
    """Raise InputError where a pickle of ``size`` bytes is larger than SIZE_LIMIT."""
    if size > SIZE_LIMIT:
        raise InputError(
            f"{shown}: is a pickle of {size / 2**30:.1f} GiB, the limit is "
            f"{SIZE_LIMIT / 2**30:.0f} GiB because a pickle is loaded whole; convert it to Parquet"
        )


def load(file: InputFile) -> object:
    """The object in a pickle: containers, numbers, texts and None, nothing else.

    Raises InputError where the file is larger than SIZE_LIMIT, damaged, or asks for a name that
    plain data does not need; that name is never imported.
    """
    check_size(file.shown, file.bytes)
    with file.path.open("rb") as opened:
        return unpickled(
            file.shown,
            opened,
            file.bytes,
            lambda stream: PlainUnpickler(Bounded(stream, file.bytes)).load(),
        )
