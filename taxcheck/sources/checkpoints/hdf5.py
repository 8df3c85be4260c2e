"""HDF5: any file with a dataset of vectors, and the names of its rows in the file or beside it.

PyTorch-BigGraph writes the names into a file beside; AnnData (.h5ad) has them in ``obs``, and
pandas keeps a frame in blocks (``frames_in``).
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.archive import map_bytes
from taxcheck.sources.checkpoints.contents import Contents, Stored, Unreadable
from taxcheck.sources.checkpoints.frame import frames_together
from taxcheck.sources.checkpoints.hdf5_layouts import (
    annotated_contents,
    frames_of,
    is_anndata,
    with_categories,
)
from taxcheck.sources.files import InputFile, damaged
from taxcheck.sources.safe_pickle import bounded_memory

_OBJECTS_LIMIT = 10_000
_RATIO, _FLOOR = 200, 64 << 20  # of packed chunks; beyond, data that packs better is no embedding
_FILTERS = {1, 2, 3}  # deflate, shuffle, fletcher32: anything else may load a plugin
_NAMES_LIMIT = 1 << 30
_TEXTS, _TEXTS_LIMIT = 1 << 12, 100_000_000  # at once, and in all


def read_hdf5(file: InputFile) -> Contents:
    """The datasets of numbers and texts in the file; contiguous numbers are memory-mapped.

    External links and external storage are never followed: they would read other files. HDF5 is
    too intricate for a reader of our own, so h5py is needed; InputError says how to install it.
    """
    try:
        import h5py  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise InputError(
            f"{file.shown}: is HDF5, which needs h5py: pip install 'taxcheck[checkpoints]'"
        ) from error
    tree: dict[object, object] = {}
    try:
        with h5py.File(file.path, "r", locking=False) as opened:
            annotated = is_anndata(opened)
            frames = {} if annotated else frames_of(opened, file, h5py)
            for name, dataset in _datasets(opened, h5py):
                place = name.replace("/", ".")
                if not any(place.startswith(f"{frame}.") for frame in frames):
                    tree[place] = _read_dataset(dataset, name, file, h5py)
    except InputError:
        raise
    except Exception as error:  # h5py raises almost anything for a damaged file
        raise damaged(file.shown, "HDF5", error) from error
    with file.open() as stream:
        matlab = stream.read(10) == b"MATLAB 7.3"
    if matlab:  # which stores columns one after the other
        return Contents("MATLAB 7.3", {p: _turned(value) for p, value in tree.items()})
    if annotated:
        return annotated_contents(with_categories(tree))
    if frames:
        return frames_together(frames, tree, "pandas HDF5", file.shown)
    tree = with_categories(tree)
    if "embeddings" not in tree:
        return Contents("hdf5", tree)
    notes: tuple[str, ...] = ()
    if (names := _entity_names(file)) is not None:
        tree["entities"], notes = names[1], (f"Labels are those of {names[0]}.",)
    return Contents("PyTorch-BigGraph HDF5", tree, ("embeddings",), notes)


def _turned(value: object) -> object:
    """A dataset whose axes are exchanged; anything else as it is."""
    if not isinstance(value, Stored) or len(value.shape) != 2:
        return value
    return Stored(value.shape[::-1], value.dtype, value.bytes, lambda: value.array().T)


def _datasets(group: Any, h5py: Any) -> Iterator[tuple[str, Any]]:
    pending, seen = [("", group)], 0
    while pending:
        path, node = pending.pop()
        for name in node:
            seen += 1
            # Hard links alone: soft ones may form cycles, external ones lead out of the file.
            if seen > _OBJECTS_LIMIT or path.count("/") > 16:
                return
            if not isinstance(node.get(name, getlink=True), h5py.HardLink):
                continue
            child = node.get(name)
            whole = f"{path}/{name}" if path else name
            if isinstance(child, h5py.Group):
                pending.append((whole, child))
            elif isinstance(child, h5py.Dataset):
                yield whole, child


def _read_dataset(dataset: Any, name: str, file: InputFile, h5py: Any) -> object:
    """A dataset: numbers where they lie, texts of one dimension as a list."""
    if h5py.check_string_dtype(dataset.dtype) is None or len(dataset.shape or ()) != 1:
        return _stored(dataset, name, file, h5py)
    if dataset.external or dataset.is_virtual:
        return Unreadable("a dataset whose values lie in other files")
    if len(dataset) > _TEXTS_LIMIT:
        return Unreadable(f"a dataset of {len(dataset):,} texts")
    texts: list[str] = []
    left = _FLOOR + _RATIO * file.bytes
    with bounded_memory(file.bytes):
        for start in range(0, len(dataset), _TEXTS):
            block = dataset[start : start + _TEXTS]
            plain = (t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in block)
            texts += map(str, plain)
            left -= sum(map(len, texts[start:]))
            if left < 0:
                raise InputError(f"{file.shown}: {one_line(name, 60)} unpacks to more than names")
    return texts


def _stored(dataset: Any, name: str, file: InputFile, h5py: Any) -> Stored | Unreadable:
    if dataset.shape is None or dataset.dtype.kind not in "fiu":
        return Unreadable(f"a dataset of {one_line(str(dataset.dtype), 40)}")
    properties = dataset.id.get_create_plist()
    if dataset.external or dataset.is_virtual:
        return Unreadable("a dataset whose values lie in other files")
    filters = {properties.get_filter(n)[0] for n in range(properties.get_nfilters())}
    if not filters <= _FILTERS:
        return Unreadable("a dataset packed by a filter that is no standard one")
    size, there = int(dataset.nbytes), int(dataset.id.get_storage_size())
    if there > file.bytes or size > max(there, _FLOOR if filters else 0) * _RATIO:
        raise InputError(
            f"{file.shown}: {one_line(name, 60)} of shape {dataset.shape} has {there:,} bytes for "
            f"{size:,}; the file is truncated or damaged, or the table was never written"
        )
    offset = dataset.id.get_offset()
    shape, dtype = dataset.shape, dataset.dtype
    if offset is not None and there == size and offset + size <= file.bytes:

        def mapped() -> npt.NDArray[np.generic]:
            return np.ndarray(shape, dtype, map_bytes(file), offset)

        return Stored(shape, dtype.name, size, mapped)
    return Stored(shape, dtype.name, size, functools.partial(_read, file, name, h5py))


def _read(file: InputFile, name: str, h5py: Any) -> npt.NDArray[np.generic]:
    try:
        with h5py.File(file.path, "r", locking=False) as opened:
            values: npt.NDArray[np.generic] = opened[name][()]
            return values
    except Exception as error:
        raise damaged(file.shown, "HDF5", error) from error


def _entity_names(file: InputFile) -> tuple[str, list[object]] | None:
    """The names in ``entity_names_<type>_<part>.json``, for ``embeddings_<type>_<part>...h5``."""
    match = re.match(r"embeddings_(.+?_\d+)\.", Path(file.shown).name)
    if match is None:
        return None
    for folder in (Path(file.shown).parent, Path(file.shown).parent.parent):
        beside = folder / f"entity_names_{match[1]}.json"
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if beside.stat().st_size <= _NAMES_LIMIT:
                names = json.loads(beside.read_text(encoding="utf-8-sig"))
                if isinstance(names, list):
                    return beside.name, names
    return None
