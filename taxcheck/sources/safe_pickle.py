"""Pickles read without running anything from them: containers, numbers, texts, NumPy scalars.

A pickle is a program. This reader knows the few names that plain data needs and gives each its
own harmless function; any other name ends the reading before it is looked up.
"""

from __future__ import annotations

import contextlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from taxcheck.errors import InputError
from taxcheck.sources.files import InputFile, one_line
from taxcheck.sources.pickle_limits import Bounded, bounded_memory, deep, nesting, unprinted

SIZE_LIMIT = 2 << 30  # bytes; a pickle is loaded whole, at some ten times its size


class RefusedError(Exception):
    """The pickle asks for something that plain data does not need; ``remedy`` says what to do."""

    def __init__(self, what: str, remedy: str | None = None) -> None:
        super().__init__(what)
        self.remedy = remedy


class Function:
    """A function that a pickle may call; without attributes that it could set."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]) -> None:
        self._call = call

    def __call__(self, *args: object) -> object:  # noqa: D102
        return self._call(*args)

    def __setstate__(self, state: object) -> None:
        raise RefusedError("would change a function")


class InertDtype:
    """What a pickle says of a NumPy dtype: its code, and its byte order as a state."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: object) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[iufb][1248]|U\d{1,6}", code):
            raise RefusedError(f"holds NumPy values of type {one_line(repr(code), 40)}")
        self._code, self._order = code, "="

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self._order = state[1]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The NumPy dtype that is meant: integers, floats, booleans or texts, never objects."""
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


def _ordered_dict(*args: object) -> OrderedDict[object, object]:
    if args:
        raise RefusedError("holds a damaged dict")
    return OrderedDict()


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
            raise RefusedError(f"would import {one_line(f'{module}.{name}', 80)}")
        return Function(allowed)

    def persistent_load(self, pid: object) -> object:  # noqa: ARG002
        """Plain data refers to nothing outside of the file."""
        raise RefusedError("refers to objects outside of the file")


@contextlib.contextmanager
def guarded(
    shown: str,
    size: int,
    known: str = "only lists, dicts, numbers and texts are read",
    remedy: str = "save the table as Parquet",
) -> Iterator[None]:
    """Build a pickle of ``size`` bytes in bounded memory; whatever it raises becomes one line."""
    try:
        with bounded_memory(size), unprinted():
            yield
    except InputError:
        raise
    except RefusedError as error:
        raise InputError(
            f"{shown}: refused, this pickle {error}; {known}: {error.remedy or remedy}"
        ) from None
    except MemoryError:
        raise InputError(
            f"{shown}: this pickle asks for more memory than its size explains; {remedy}"
        ) from None
    except Exception as error:  # a damaged pickle raises almost anything
        raise InputError(
            f"{shown}: damaged pickle ({one_line(error) or type(error).__name__}); {remedy}"
        ) from None


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
    with file.path.open("rb") as stream, guarded(file.shown, file.bytes):
        levels = nesting(stream)
        stream.seek(0)
        return deep(levels, PlainUnpickler(Bounded(stream, file.bytes)).load)
