"""The pickle inside of a torch file: tensors become views of storages, nothing else is built."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from taxcheck.sources.checkpoints.names import WHOLE_MODEL, CheckpointUnpickler
from taxcheck.sources.checkpoints.stored import NUMPY_NAMES, Stored, view
from taxcheck.sources.checkpoints.tree import Unreadable
from taxcheck.sources.safe_pickle import Function, RefusedError

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "UntypedStorage": "uint8",
    "QUInt8Storage": "quint8",
    "QInt8Storage": "qint8",
    "QInt32Storage": "qint32",
}
_WIDTHS = {"quint8": 1, "qint8": 1, "qint32": 4}  # of what NumPy does not know
_CONSTANTS = re.compile(
    r"(u?int|float|complex|bfloat)\d+\w*|bool|q\w+\d+|half|float|double|long|int|short"
    r"|strided|sparse_[a-z]+|per_[a-z]+_affine\w*|[a-z]+_format"
)
_ALIASES = {"double": "float64", "float": "float32", "half": "float16", "long": "int64"}
_TYPES = {"Tensor", "Parameter", "Buffer", "Storage", "TypedStorage"}


class Storage:
    """A run of elements in the file; in legacy files its bytes follow after the pickle."""

    __slots__ = ("dtype", "numel", "raw", "start")

    def __init__(self, dtype: str, numel: int) -> None:
        self.dtype, self.numel, self.start = dtype, numel, 0
        self.raw: Callable[[], npt.NDArray[np.uint8]] | None = None

    def __setstate__(self, state: object) -> None:
        raise RefusedError("would change a storage")

    @property
    def width(self) -> int:
        """Bytes of one element."""
        known = NUMPY_NAMES.get(self.dtype)
        return np.dtype(known).itemsize if known else _WIDTHS[self.dtype]

    @property
    def bytes(self) -> int:
        """Bytes of all elements."""
        return self.numel * self.width

    def data(self) -> npt.NDArray[np.uint8]:
        """The elements' bytes."""
        assert self.raw is not None
        return self.raw()[self.start : self.start + self.bytes]


class StorageType:
    """The name of a kind of storage."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __setstate__(self, state: object) -> None:
        raise RefusedError("would change a type")


Find = Callable[[str, Storage, object], Storage]


class TorchUnpickler(CheckpointUnpickler):
    """Knows what tensors are made of. ``find`` gives the storage of a key its bytes."""

    def __init__(self, stream: object, find: Find, order: str = "<") -> None:
        super().__init__(stream)
        self._find, self._order = find, order

    def find_class(self, module: str, name: str, /) -> object:
        """Something inert for a name of torch; the rest as in any checkpoint."""
        if module in ("torch", "torch.cuda", "torch.storage") and name in _STORAGES:
            return StorageType(_STORAGES[name])
        if module.split(".")[0] != "torch":
            return super().find_class(module, name)
        if module == "torch._utils" and re.fullmatch(r"_rebuild_\w+", name):
            known: dict[str, Callable[..., object]] = {
                "_rebuild_tensor": self._tensor,
                "_rebuild_tensor_v2": self._tensor_v2,
                "_rebuild_tensor_v3": self._tensor_v3,
                "_rebuild_parameter": _first,
                "_rebuild_parameter_with_state": _first,
            }
            return Function(known.get(name) or _unreadable(name))
        if (module, name) == ("torch._tensor", "_rebuild_from_type_v2"):
            return Function(_from_type)
        if (module, name) in (("torch", "device"), ("torch.serialization", "_get_layout")):
            return Function(_text)
        if (module, name) == ("torch", "Size"):
            return Function(_size)
        if name in _TYPES and module in ("torch", "torch._tensor", "torch.nn.parameter"):
            return f"torch.{name}"
        if module == "torch" and _CONSTANTS.fullmatch(name):
            return f"torch.{name}"
        return super().find_class(module, name)

    def persistent_load(self, pid: object) -> object:
        """The storage that a persistent id describes."""
        if isinstance(pid, tuple) and pid and pid[0] == "module":
            raise RefusedError("holds the source code of a model", WHOLE_MODEL)
        if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
            raise RefusedError("refers to something other than a storage")
        _, kind, key, _, numel, *views = pid
        if not isinstance(kind, StorageType) or not isinstance(key, str) or not _is_count(numel):
            raise RefusedError("refers to a damaged storage")
        return self._find(key, Storage(kind.dtype, numel), views[0] if views else None)

    def _tensor(self, storage: object, offset: object, size: object, stride: object) -> object:
        return self._build(storage, offset, size, stride, None, None)

    def _tensor_v2(
        self, storage: object, offset: object, size: object, stride: object, *rest: object
    ) -> object:
        return self._build(storage, offset, size, stride, None, rest[2] if len(rest) > 2 else None)

    def _tensor_v3(
        self, storage: object, offset: object, size: object, stride: object, *rest: object
    ) -> object:
        dtype = rest[2] if len(rest) > 2 else None
        if not isinstance(dtype, str):
            raise RefusedError("holds a tensor without a type")
        return self._build(storage, offset, size, stride, dtype, rest[3] if len(rest) > 3 else None)

    def _build(
        self,
        storage: object,
        offset: object,
        size: object,
        stride: object,
        dtype: str | None,
        flags: object,
    ) -> object:
        if (
            not isinstance(storage, Storage)
            or not _is_count(offset)
            or not isinstance(size, tuple)
            or not isinstance(stride, tuple)
            or not all(map(_is_count, (*size, *stride)))
        ):
            raise RefusedError("holds a damaged tensor")
        assert isinstance(offset, int)
        name = (dtype or storage.dtype).removeprefix("torch.")
        name = _ALIASES.get(name, name)
        if name not in NUMPY_NAMES:
            return Unreadable(f"a tensor of {name}")
        plain = view(storage.data, storage.bytes, name, size, stride, offset, self._order)
        if not isinstance(flags, dict) or not (flags.get("conj") or flags.get("neg")):
            return plain
        conj, neg = bool(flags.get("conj")), bool(flags.get("neg"))

        def read() -> npt.NDArray[np.generic]:
            values = plain.array()
            values = np.conjugate(values) if conj else values
            return np.negative(values) if neg else values

        # Torch marks conjugate and negative views by a bit, and stores what they are views of.
        return Stored(plain.shape, "float32" if name == "bfloat16" else name, plain.bytes, read)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def _first(tensor: object = None, *_: object) -> object:
    return tensor


def _from_type(function: object, _: object, args: object, *rest: object) -> object:  # noqa: ARG001
    if not isinstance(function, Function) or not isinstance(args, tuple) or len(args) > 16:
        raise RefusedError("holds a damaged tensor")
    return function(*args)


def _text(value: object = "", *_: object) -> str:
    return value if isinstance(value, str) else ""


def _size(value: object = ()) -> object:
    if not isinstance(value, tuple | list) or not all(map(_is_count, value)):
        raise RefusedError("holds a damaged shape")
    return tuple(value)


def _unreadable(name: str) -> Callable[..., object]:
    kinds = {
        "qtensor": "a quantised tensor",
        "sparse_tensor": "a sparse tensor",
        "sparse_csr_tensor": "a sparse tensor",
        "meta_tensor_no_storage": "a tensor without values",
        "nested_tensor": "a nested tensor",
    }
    kind = kinds.get(name.removeprefix("_rebuild_"), f"a tensor made by {name[:60]}")
    return lambda *_: Unreadable(kind)
