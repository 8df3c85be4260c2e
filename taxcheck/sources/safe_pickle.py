"""Pickles read without running anything from them: containers, numbers, texts, NumPy scalars.

A pickle is a program. This reader knows the few names that plain data needs and gives each its
own harmless function; any other name ends the reading before it is looked up.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from taxcheck.errors import InputError
from taxcheck.sources.files import InputFile, one_line

SIZE_LIMIT = 2 << 30  # bytes; a pickle is loaded whole, at some ten times its size
_MEMORY_FACTOR, _MEMORY_FLOOR = 40, 1 << 30


class _RefusedError(Exception):
    """The pickle asks for something that plain data does not need."""


class _Function:
    """A function that a pickle may call; without attributes that it could set."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call

    def __call__(self, *args: object) -> object:
        return self._call(*args)

    def __setstate__(self, state: object) -> None:
        raise _RefusedError("would change a function")


class _Dtype:
    """What a pickle says of a NumPy dtype: its code, and its byte order as a state."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: object) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[iufb][1248]|U\d{1,6}", code):
            raise _RefusedError(f"holds NumPy values of type {one_line(repr(code), 40)}")
        self._code, self._order = code, "="

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self._order = state[1]

    def value(self, raw: bytes) -> object:
        return np.frombuffer(raw, dtype=np.dtype(self._order + self._code), count=1)[0].item()


def _make_dtype(code: object, *_: object) -> _Dtype:
    return _Dtype(code)


def _make_scalar(kind: object, raw: object = b"") -> object:
    if not isinstance(kind, _Dtype) or not isinstance(raw, bytes):
        raise _RefusedError("holds a damaged NumPy value")
    return kind.value(raw)


def _encode(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":  # how protocol 2 writes bytes
        raise _RefusedError("holds damaged bytes")
    return text.encode("latin1")


def _ordered_dict(*args: object) -> OrderedDict[object, object]:
    if args:
        raise _RefusedError("holds a damaged dict")
    return OrderedDict()


_ALLOWED: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "dtype"): _make_dtype,
    ("numpy.core.multiarray", "scalar"): _make_scalar,
    ("numpy._core.multiarray", "scalar"): _make_scalar,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered_dict,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> object:
        allowed = _ALLOWED.get((module, name))
        if allowed is None:
            raise _RefusedError(f"would import {one_line(f'{module}.{name}', 80)}")
        return _Function(allowed)

    def persistent_load(self, pid: object) -> object:  # noqa: ARG002
        raise _RefusedError("refers to objects outside of the file")


class _Bounded(io.RawIOBase):
    """Reads no more than the file holds, whatever length an opcode states."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, size: int = -1) -> bytes:
        if size > self._left:
            raise EOFError("a length beyond the end of the file")
        data = self._stream.read(size)
        self._left -= len(data)
        return data

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1) -> bytes:  # noqa: ARG002
        data = self._stream.readline(self._left)
        self._left -= len(data)
        return data


@contextlib.contextmanager
def _bounded_memory(size: int) -> Iterator[None]:
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


def load(file: InputFile) -> object:
    """The object in a pickle: containers, numbers, texts and None, nothing else.

    Raises InputError where the file is larger than SIZE_LIMIT, damaged, or asks for a name that
    plain data does not need; that name is never imported.
    """
    if file.bytes > SIZE_LIMIT:
        raise InputError(
            f"{file.shown}: is a pickle of {file.bytes / 2**30:.1f} GiB, the limit is "
            f"{SIZE_LIMIT / 2**30:.0f} GiB because a pickle is loaded whole; convert it to Parquet"
        )
    try:
        with file.path.open("rb") as stream, _bounded_memory(file.bytes):
            return _Unpickler(_Bounded(stream, file.bytes)).load()
    except _RefusedError as error:
        raise InputError(
            f"{file.shown}: refused, this pickle {error}; only lists, dicts, numbers and texts are "
            "read: save the table as Parquet"
        ) from None
    except MemoryError:
        raise InputError(
            f"{file.shown}: this pickle asks for more memory than its size explains; save the "
            "table as Parquet"
        ) from None
    except Exception as error:  # a damaged pickle raises almost anything
        raise InputError(
            f"{file.shown}: damaged pickle ({one_line(error) or type(error).__name__}); save the "
            "table as Parquet"
        ) from None
