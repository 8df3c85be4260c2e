"""Plain pickles of arrays, and gensim's: a pickle with its larger arrays in files beside it.

What stands there for the names that such a pickle uses is in ``inert``.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.archive import Archive
from taxcheck.sources.checkpoints.arrays import read_npy, read_npz
from taxcheck.sources.checkpoints.contents import Contents, Inert, Stored, Unreadable
from taxcheck.sources.checkpoints.inert import CheckpointUnpickler, refuse_object
from taxcheck.sources.checkpoints.pandas_pickles import of_frames
from taxcheck.sources.files import InputFile
from taxcheck.sources.safe_pickle import Bounded, check_size, unpickled

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
        loaded = CheckpointUnpickler(buffered).load()
        refuse_object(loaded)
        return of_frames(loaded, file.shown) or loaded

    with file.path.open("rb") as opened:
        tree = unpickled(file.shown, opened, file.bytes, build, _KNOWN, _REMEDY)
    if isinstance(tree, Contents):
        return tree
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
