"""Arrays as files hold them: described at once, read when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from taxcheck.errors import InputError
from taxcheck.sources.safe_pickle import InertDtype, RefusedError

NUMPY_NAMES = {
    **{f"float{bits}": f"f{bits // 8}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"u{bits // 8}" for bits in (8, 16, 32, 64)},
    "bool": "b1",
    "bfloat16": "u2",
    "complex64": "c8",
    "complex128": "c16",
}
FLOATS = ("float16", "float32", "float64", "bfloat16")
_SMALL = 1 << 26  # bytes that a view may unfold to whatever its storage holds


class Stored:
    """One array in a file. ``read`` gives it in its own dtype; bfloat16 arrives as its bits."""

    __slots__ = ("_read", "bytes", "dtype", "shape")

    def __init__(
        self,
        shape: Sequence[int],
        dtype: str,
        size: int,
        read: Callable[[], npt.NDArray[np.generic]],
    ) -> None:
        self.shape, self.dtype, self.bytes, self._read = tuple(shape), dtype, size, read

    def __setstate__(self, state: object) -> None:
        # A pickle may try to overwrite what the file really holds.
        raise RefusedError("would change an array")

    def array(self) -> npt.NDArray[np.generic]:
        """The values, memory-mapped where the format allows; bfloat16 is widened to float32.

        Raises InputError where the file is truncated or unpacks to too much.
        """
        values = self._read()
        if self.dtype != "bfloat16":
            return values
        return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)

    @property
    def is_table(self) -> bool:
        """Whether it could be an embedding table."""
        return len(self.shape) == 2 and self.dtype in FLOATS and min(self.shape) > 0


def in_memory(values: npt.NDArray[np.generic]) -> Stored:
    """An array that is read already."""
    name = values.dtype.name if values.dtype.kind in "fiubc" else values.dtype.str.lstrip("<>|=")
    return Stored(values.shape, name, values.nbytes, lambda: values)


def view(
    raw: Callable[[], npt.NDArray[np.uint8]],
    available: int,
    dtype: str,
    shape: Sequence[int],
    strides: Sequence[int],
    offset: int,
    order: str = "<",
) -> Stored:
    """A strided view of ``available`` bytes; strides and offset count elements.

    Raises ValueError where it reaches beyond the bytes, or unfolds to far more than they are.
    """
    size = math.prod(shape)
    kind = np.dtype(order + NUMPY_NAMES[dtype])
    if len(shape) != len(strides) or len(shape) > 32 or offset < 0:
        raise ValueError("a tensor with a damaged shape")
    if any(n < 0 for n in (*shape, *strides)):
        raise ValueError("a tensor with a negative shape or stride")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if size and (last + 1) * kind.itemsize > available:
        raise ValueError(f"a tensor of shape {tuple(shape)} that its storage is too small for")
    if size * kind.itemsize > max(available, _SMALL):
        raise ValueError(f"a tensor of shape {tuple(shape)} that repeats a far smaller storage")
    steps = [step * kind.itemsize for step in strides]

    def read() -> npt.NDArray[np.generic]:
        if not size:
            return np.empty(tuple(shape), kind)
        return np.ndarray(tuple(shape), kind, raw(), offset * kind.itemsize, steps)

    return Stored(shape, dtype, size * kind.itemsize, read)


class PickledArray:
    """A NumPy array inside of a pickle, known once its state has arrived."""

    __slots__ = ("stored",)

    def __init__(self) -> None:
        self.stored: Stored | None = None

    def __setstate__(self, state: object) -> None:
        if self.stored is not None or not isinstance(state, tuple) or len(state) != 5:
            raise RefusedError("holds a damaged NumPy array")
        _, shape, kind, fortran, raw = state
        self.stored = from_raw(raw, kind, shape, "F" if fortran else "C")


def from_raw(raw: object, kind: object, shape: object, order: object = "C") -> Stored:
    """An array whose bytes lie in a pickle; RefusedError where its parts do not fit together."""
    if isinstance(raw, str):  # how Python 2 wrote bytes
        raw = raw.encode("latin1")
    if (
        not isinstance(raw, bytes | bytearray)
        or not isinstance(kind, InertDtype)
        or not isinstance(shape, tuple)
        or len(shape) > 32
        or not all(isinstance(n, int) and 0 <= n < 1 << 48 for n in shape)
        or math.prod(shape) * kind.dtype.itemsize != len(raw)
    ):
        raise RefusedError("holds a damaged NumPy array")
    values = np.frombuffer(bytes(raw), kind.dtype)
    return in_memory(values.reshape(shape, order="F" if order == "F" else "C"))


def too_large(shown: str, what: str, size: int, limit: int, remedy: str) -> InputError:
    """The refusal of something that would not fit."""
    return InputError(
        f"{shown}: {what} unpacks to {size / 2**30:.1f} GiB, beyond the limit of "
        f"{limit / 2**30:.1f} GiB for compressed data; {remedy}"
    )
