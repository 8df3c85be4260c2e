"""Plain pickles of arrays, and gensim's: a pickle with its larger arrays in files beside it."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping
from pathlib import Path

from taxcheck.errors import InputError
from taxcheck.sources.checkpoints.archive import Archive
from taxcheck.sources.checkpoints.arrays import read_npy, read_npz
from taxcheck.sources.checkpoints.names import CheckpointUnpickler
from taxcheck.sources.checkpoints.stored import Stored
from taxcheck.sources.checkpoints.tree import Contents, Inert, Unreadable
from taxcheck.sources.files import InputFile
from taxcheck.sources.pickle_limits import Bounded, deep, nesting
from taxcheck.sources.safe_pickle import check_size, guarded

_REMEDY = "save the table with numpy.save, or the model with torch.save(model.state_dict(), path)"
_KNOWN = "only arrays, containers, numbers and texts are read"
_DEPTH = 4  # of objects inside of a gensim model that have arrays of their own


def read_pickle(file: InputFile) -> Contents:
    """Arrays, containers and plain values; gensim's objects by their attributes.

    Raises InputError where the pickle asks for anything else, or an array beside it is missing.
    """
    check_size(file.shown, file.bytes)
    with file.path.open("rb") as stream, guarded(file.shown, file.bytes, _KNOWN, _REMEDY):
        levels = nesting(stream)
        stream.seek(0)
        buffered = io.BufferedReader(Bounded(stream, file.bytes), 1 << 16)
        tree = deep(levels, CheckpointUnpickler(buffered).load)
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
