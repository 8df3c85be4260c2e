"""Plain pickles of arrays, and gensim's: a pickle with its larger arrays in files beside it.

Each name that such a pickle may use has something inert in its place.
"""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.archive import Archive
from taxcheck.sources.checkpoints.arrays import read_npy, read_npz
from taxcheck.sources.checkpoints.contents import (
    Contents,
    Inert,
    PickledArray,
    Placed,
    Stored,
    Unreadable,
    from_raw,
    stand_in,
)
from taxcheck.sources.files import InputFile
from taxcheck.sources.safe_pickle import (
    ALLOWED,
    Bounded,
    Function,
    PlainUnpickler,
    RefusedError,
    check_size,
    unpickled,
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


_REMEDY = "save the table with numpy.save, or the model with torch.save(model.state_dict(), path)"
_KNOWN = "only arrays, containers, numbers and texts are read"
_DEPTH = 4  # of objects inside of a gensim model that have arrays of their own


def read_pickle(file: InputFile) -> Contents:
    """Arrays, containers and plain values; gensim's objects by their attributes.

    Raises InputError where the pickle asks for anything else, or an array beside it is missing.
    """
    check_size(file.shown, file.bytes)

    def build(stream: IO[bytes]) -> object:
        buffered = io.BufferedReader(Bounded(stream, file.bytes), 1 << 16)
        return CheckpointUnpickler(buffered).load()

    with file.path.open("rb") as opened:
        tree = unpickled(file.shown, opened, file.bytes, build, _KNOWN, _REMEDY)
    if not isinstance(tree, Inert) or not tree.name.startswith("gensim."):
        return Contents("pickle", tree)
    _bring_in(tree, Path(file.shown), file, 0)
    kind = tree.name.rsplit(".", 1)[-1]
    model = tree.state.get("kv") or tree.state.get("wv")
    if isinstance(model, Inert):
        inside = "kv" if "kv" in tree.state else "wv"
        return Contents(f"gensim {kind}", tree, (f"{inside}.vectors",))
    return Contents(f"gensim {kind}", tree, ("vectors", "vectors_", "syn0"))


def _bring_in(model: Inert, base: Path, file: InputFile, depth: int) -> None:
    """Put the arrays that lie in ``<base>.<attribute>.npy`` in their places, as gensim does."""
    for name in _listed(model.state, "__numpys"):
        model.state[name] = _beside(Path(f"{base}.{name}.npy"), file)
    for name in _listed(model.state, "__scipys"):
        model.state[name] = Unreadable("a sparse matrix")
    for name in _listed(model.state, "__recursive_saveloads"):
        inside = model.state.get(name)
        if isinstance(inside, Inert) and depth < _DEPTH:
            _bring_in(inside, Path(f"{base}.{name}"), file, depth + 1)


def _listed(state: Mapping[object, object], key: str) -> list[str]:
    names = state.get(key)
    # A name with a separator would lead out of the folder.
    return [
        name
        for name in (names if isinstance(names, list) else [])
        if isinstance(name, str) and name.isidentifier()
    ]


def _beside(path: Path, file: InputFile) -> Stored | Unreadable:
    packed = path.with_name(f"{path.name}z") if not path.exists() else path
    try:
        regular = stat.S_ISREG(packed.stat().st_mode)
    except OSError:
        regular = False
    if not regular:
        raise InputError(
            f"{file.shown}: its array {path.name!r} is missing; gensim saves a model in several "
            "files: keep them in one folder"
        )
    opened = InputFile(str(packed))
    tree = read_npz(opened, Archive(opened)).tree if packed.suffix == ".npz" else {}
    found = tree.get("val") if isinstance(tree, dict) and tree else read_npy(opened).tree
    return found if isinstance(found, Stored) else Unreadable("an array of objects")
