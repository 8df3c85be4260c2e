"""The names that pickled checkpoints may use, each with something inert in its place."""

from __future__ import annotations

import re
from collections.abc import Callable

from taxcheck.sources.checkpoints.stored import PickledArray, from_raw
from taxcheck.sources.checkpoints.tree import Inert, Placed, stand_in
from taxcheck.sources.files import one_line
from taxcheck.sources.safe_pickle import (
    ALLOWED,
    Function,
    PlainUnpickler,
    RefusedError,
)

# Classes whose objects are looked at, never built: the attributes that their pickles carry.
_KNOWN_CLASSES = re.compile(
    r"gensim\.(models|utils|corpora)(\.\w+)* (\w+\.)?\w+"
    r"|geoopt\.(manifolds|tensor)(\.\w+)* [A-Z]\w+"
    r"|(argparse Namespace|types SimpleNamespace)"
    r"|numpy\.random(\.\w+)* \w+"
)
_MARKERS = {  # types and functions that are only pointed at
    "int", "float", "bool", "str", "bytes", "list", "dict", "tuple", "object", "complex", "hash",
}  # fmt: skip
_BUILTINS = ("builtins", "__builtin__")
_PROGRAMS = {
    "os", "posix", "nt", "sys", "subprocess", "builtins", "__builtin__", "importlib", "socket",
    "ctypes", "types", "pickle", "threading", "multiprocessing", "http", "urllib", "logging",
}  # fmt: skip

WHOLE_MODEL = (
    "it is a pickled model, not its weights; where you trust it, load it where it was made and "
    "torch.save(model.state_dict(), path)"
)
_PYKEEN = (
    "it is a whole PyKEEN model; where you trust it, load it where it was made and "
    "torch.save(model.entity_representations[0](indices=None).detach(), path)"
)
_NO_CHECKPOINT = "no checkpoint needs that; do not load this file with anything else"


def _dict(*args: object) -> dict[object, object]:
    """A dict of some kind; what it was made from beside its items is of no interest."""
    pairs = args[0] if args and isinstance(args[0], list) else []
    return Plain((key, value) for key, value in pairs)


class Plain(dict[object, object]):
    """A dict that ignores attributes; an OrderedDict would let a pickle overwrite its methods."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


class _Partial:
    """A function with arguments set aside; only what is inert itself can be inside."""

    __slots__ = ("function", "keywords")

    def __init__(self, function: object) -> None:
        self.function = function
        self.keywords: dict[object, object] = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 4 or not isinstance(state[2], dict):
            raise RefusedError("holds a damaged function")
        self.function, self.keywords = state[0], dict(state[2])

    def __call__(self, *args: object) -> object:
        # geoopt's rebuild function: the tensor's own arguments, then class and manifold.
        build = self.keywords.get("build_fn")
        if not isinstance(build, Function) or len(args) < 4:
            raise RefusedError("holds a damaged function")
        inside = Placed()
        inside.state = {"tensor": build(*args[:-4]), "manifold": args[-2]}
        return inside


def _collection(*args: object) -> list[object]:
    return list(args[0]) if args and isinstance(args[0], list | tuple | set) else []


def _nothing(*_: object) -> None:
    return None


def _path(*parts: object) -> str:
    return "/".join(part for part in parts if isinstance(part, str))


NAMES: dict[tuple[str, str], Callable[..., object]] = {
    **ALLOWED,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: PickledArray(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: PickledArray(),
    ("numpy.core.numeric", "_frombuffer"): from_raw,
    ("numpy._core.numeric", "_frombuffer"): from_raw,
    ("collections", "OrderedDict"): _dict,
    ("collections", "defaultdict"): _dict,
    ("collections", "Counter"): _dict,
    ("datetime", "datetime"): _nothing,
    ("datetime", "date"): _nothing,
    ("datetime", "timedelta"): _nothing,
    ("functools", "partial"): _Partial,
    ("geoopt.tensor", "_rebuild_manifold_tensor"): _nothing,
    **{
        (module, f"{kind}Path"): _path
        for module in ("pathlib", "pathlib._local")  # the latter in what Python 3.13 wrote
        for kind in ("", "Pure", "Posix", "Windows", "PurePosix", "PureWindows")
    },
    **{(module, kind): _collection for module in _BUILTINS for kind in ("set", "frozenset")},
    **{(module, "bytearray"): _nothing for module in _BUILTINS},
}


class CheckpointUnpickler(PlainUnpickler):
    """Plain values, NumPy arrays, and stand-ins for the classes of known engines."""

    def __init__(self, stream: object) -> None:
        super().__init__(stream, encoding="latin1")  # type: ignore[arg-type]
        self._classes: dict[str, type[Inert]] = {}

    def find_class(self, module: str, name: str, /) -> object:
        """Something inert for a known name; any other ends the reading unseen."""
        if (known := NAMES.get((module, name))) is not None:
            return Function(known)
        if (module in _BUILTINS and name in _MARKERS) or (module, name) == ("numpy", "ndarray"):
            return f"{module}.{name}"
        whole = f"{module} {name}"
        if _KNOWN_CLASSES.fullmatch(whole):
            return self._classes.setdefault(whole, stand_in(whole.replace(" ", ".")))
        if module == "numpy" and re.fullmatch(r"(u?int|float)\d+|bool_?|dtypes\.\w+", name):
            return f"{module}.{name}"
        raise RefusedError(
            f"would import {one_line(f'{module}.{name}', 80)}", remedy_for(module, name)
        )


def remedy_for(module: str, name: str) -> str:
    """What to do about a pickle that asks for a name: a class is a model's, a function a trick."""
    if module.split(".")[0] == "pykeen":
        return _PYKEEN
    is_class = name[:1].isupper() and module.split(".")[0] not in _PROGRAMS
    return WHOLE_MODEL if is_class else _NO_CHECKPOINT
