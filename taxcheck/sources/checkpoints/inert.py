"""What stands in a checkpoint's pickle for the names that it uses: none is imported, none run.

Names of plain data have a harmless function of their own. Any other class is stood for by an object
that keeps what the pickle says of it and does nothing. Any other function may be pointed at, and
ends the reading where it would be called.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from taxcheck.model.errors import one_line
from taxcheck.sources.checkpoints import pandas_pickles
from taxcheck.sources.checkpoints.contents import (
    UNORDERED,
    Inert,
    PickledArray,
    Placed,
    Unreadable,
    from_raw,
    stand_in,
)
from taxcheck.sources.safe_pickle import (
    ALLOWED,
    Function,
    Plain,
    PlainUnpickler,
    RefusedError,
    unpickled,
)

_MARKERS = {  # types and functions that are only pointed at
    "int", "float", "bool", "str", "bytes", "list", "dict", "tuple", "object", "complex", "hash",
    "long", "unicode", "type", "set", "frozenset",
}  # fmt: skip
_BUILTINS = ("builtins", "__builtin__")
# Modules from which no checkpoint needs anything but what is named here.
_PROGRAMS = {
    "os", "posix", "nt", "sys", "subprocess", "builtins", "__builtin__", "importlib", "socket",
    "ctypes", "types", "pickle", "threading", "multiprocessing", "http", "urllib", "logging",
    "shutil", "pty", "commands", "runpy", "code", "webbrowser", "asyncio", "operator", "copyreg",
    "copy_reg", "_pickle", "cPickle", "marshal", "imp", "pkgutil", "zipimport", "tempfile", "io",
    "_io", "platform", "signal", "atexit", "gc", "inspect", "timeit", "cProfile", "profile",
    "pdb", "bdb", "trace", "nturl2path", "ftplib", "smtplib", "telnetlib", "xmlrpc", "sqlite3",
    "itertools", "_operator", "dill", "cloudpickle", "joblib",
}  # fmt: skip
_LONGEST = 200  # of a name

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
    first = args[-1] if args and isinstance(args[-1], list | dict) else []
    pairs = first.items() if isinstance(first, dict) else first
    return Plain(
        pair
        for pair in pairs
        if isinstance(pair, tuple) and len(pair) == 2 and type(pair[0]) in (str, int, float, bool)
    )


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
    return list(args[0]) if args and isinstance(args[0], list | tuple | set | frozenset) else []


def _unordered(*_: object) -> Unreadable:
    return Unreadable(UNORDERED)


def _nothing(*_: object) -> None:
    return None


def _path(*parts: object) -> str:
    return "/".join(part for part in parts if isinstance(part, str))


def _first_text(*parts: object) -> str:
    return next((part for part in parts if isinstance(part, str)), "")


def _attribute(of: object = None, name: object = None) -> str:
    """A member of an enumeration, as Python 3.11 pickles it, or a method of what is inert."""
    inert = isinstance(of, Inert) or (isinstance(of, type) and issubclass(of, Inert))
    if inert and isinstance(name, str):
        return name
    raise RefusedError("would import builtins.getattr", _NO_CHECKPOINT)


def _reconstructed(kind: object = None, _: object = None, state: object = None) -> object:
    """An object of a class, as protocols 0 and 1 make it."""
    if not (isinstance(kind, type) and issubclass(kind, Inert)):
        raise RefusedError("would import copyreg._reconstructor", _NO_CHECKPOINT)
    made = kind()
    if state is not None:
        made.state["value"] = state
    return made


NAMES: dict[tuple[str, str], Callable[..., object]] = {
    **ALLOWED,
    **pandas_pickles.NAMES,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: PickledArray(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: PickledArray(),
    ("numpy.core.numeric", "_frombuffer"): from_raw,
    ("numpy._core.numeric", "_frombuffer"): from_raw,
    ("collections", "OrderedDict"): _dict,
    ("collections", "defaultdict"): _dict,
    ("collections", "Counter"): _dict,
    ("collections", "deque"): _collection,
    ("datetime", "datetime"): _nothing,
    ("datetime", "date"): _nothing,
    ("datetime", "time"): _nothing,
    ("datetime", "timedelta"): _nothing,
    ("datetime", "timezone"): _nothing,
    ("functools", "partial"): _Partial,
    ("geoopt.tensor", "_rebuild_manifold_tensor"): _nothing,
    ("torch.torch_version", "TorchVersion"): _first_text,
    **{
        (module, f"{kind}Path"): _path
        for module in ("pathlib", "pathlib._local")  # the latter in what Python 3.13 wrote
        for kind in ("", "Pure", "Posix", "Windows", "PurePosix", "PureWindows")
    },
    **{(module, kind): _unordered for module in _BUILTINS for kind in ("set", "frozenset")},
    **{(module, kind): _nothing for module in _BUILTINS for kind in ("complex", "range")},
    **{(module, "getattr"): _attribute for module in _BUILTINS},
    **{(module, "_reconstructor"): _reconstructed for module in ("copyreg", "copy_reg")},
}
# Of these, too, the object is made without a call (NEWOBJ), which takes a class.
_TEXTS = {("torch.torch_version", "TorchVersion")}
_OBJECTS = {
    ("argparse", "Namespace"), ("types", "SimpleNamespace"), ("numpy.random", "RandomState"),
}  # fmt: skip


class _Text(Inert):
    """Stands for a class of texts, and makes the text itself."""

    __slots__ = ()

    def __new__(cls, *args: object) -> str:  # type: ignore[misc]
        return _first_text(*args)


class _Pointed(type):
    """A name that may be pointed at. A call of it ends the reading."""

    asked: str
    remedy: str

    def __call__(cls, *_: object, **__: object) -> object:
        raise RefusedError(f"would import {cls.asked}", cls.remedy)


class CheckpointUnpickler(PlainUnpickler):
    """Plain values, NumPy arrays, and stand-ins for objects of any class."""

    def __init__(self, stream: object) -> None:
        super().__init__(stream, encoding="latin1")  # type: ignore[arg-type]
        self._classes: dict[str, type] = {}

    def find_class(self, module: str, name: str, /) -> object:
        """Something inert for a name; one that is a program ends the reading unseen."""
        if len(module) > _LONGEST or len(name) > _LONGEST:
            raise RefusedError(f"would import {one_line(module[:40] + '.' + name[:40], 80)}")
        if (module, name) in _TEXTS:
            return _Text
        if (known := NAMES.get((module, name))) is not None:
            return Function(known)
        if (module in _BUILTINS and name in _MARKERS) or (module, name) == ("numpy", "ndarray"):
            return f"{module}.{name}"
        if module == "numpy" and re.fullmatch(r"(u?int|float)\d{1,3}|bool_?|dtypes\.\w+", name):
            return f"{module}.{name}"
        whole = one_line(f"{module}.{name}", 2 * _LONGEST)
        if whole not in self._classes:
            self._classes[whole] = self._stand_in(module, name, whole)
        return self._classes[whole]

    def _stand_in(self, module: str, name: str, whole: str) -> type:
        if (module, name) in _OBJECTS:
            return stand_in(whole)
        if module == "numpy.random" or module.startswith("numpy.random."):
            return stand_in(whole)  # the state of a generator, made by functions of its own
        dunder = any(part.startswith("__") for part in name.split("."))
        if module.split(".")[0] in _PROGRAMS or dunder or not name.isascii():
            raise RefusedError(f"would import {one_line(whole, 80)}", remedy_for(module, name))
        last = name.rsplit(".", 1)[-1]
        if last.lstrip("_")[:1].isupper() or module.startswith("gensim."):
            return stand_in(whole)
        said = {"__slots__": (), "asked": one_line(whole, 80), "remedy": remedy_for(module, name)}
        return _Pointed("Pointed", (Inert,), {**said, "name": whole})


def remedy_for(module: str, name: str) -> str:
    """What to do about a pickle that asks for a name: a class is a model's, a function a trick."""
    if module.split(".")[0] == "pykeen":
        return _PYKEEN
    is_class = name[:1].isupper() and module.split(".")[0] not in _PROGRAMS
    return WHOLE_MODEL if is_class else _NO_CHECKPOINT


def refuse_object(tree: object) -> None:
    """RefusedError where all of the file is one object of a class that nobody knows here."""
    if isinstance(tree, type) and issubclass(tree, Inert):
        module, _, name = tree.name.rpartition(".")
        raise RefusedError(f"holds nothing but {one_line(tree.name, 80)}", remedy_for(module, name))
    if not isinstance(tree, Inert) or isinstance(tree, Placed) or tree.points is not None:
        return
    module, _, name = tree.name.rpartition(".")
    if module.startswith("gensim.") or (module, name) in _OBJECTS:
        return
    if module.split(".")[0] == "pykeen":
        raise RefusedError(f"is one object of {one_line(tree.name, 80)}", _PYKEEN)
    if "_parameters" in tree.state or "_modules" in tree.state:
        raise RefusedError(f"is one object of {one_line(tree.name, 80)}", WHOLE_MODEL)


def objects_in(data: bytes) -> object:
    """The object in a pickle that lies inside of another file; InputError where it is refused."""
    return unpickled(
        "objects",
        io.BytesIO(data),
        len(data),
        lambda stream: CheckpointUnpickler(stream).load(),
    )
