"""A checkpoint from its path: sniffed, read, and understood."""

from __future__ import annotations

import math
import zipfile
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from taxcheck.errors import InputError, UsageError
from taxcheck.sources.checkpoints import pickles, tabular, word2vec
from taxcheck.sources.checkpoints.archive import Archive
from taxcheck.sources.checkpoints.arrays import NPY_MAGIC, read_npy, read_npz, read_safetensors
from taxcheck.sources.checkpoints.choose import choose, find_labels, other_tables
from taxcheck.sources.checkpoints.facts import facts_of
from taxcheck.sources.checkpoints.geometry import reading_of
from taxcheck.sources.checkpoints.hdf5 import read_hdf5
from taxcheck.sources.checkpoints.layouts import layout_of, stated_of
from taxcheck.sources.checkpoints.torch_files import LEGACY_HEADS, read_archive, read_legacy
from taxcheck.sources.checkpoints.tree import Contents, flatten
from taxcheck.sources.checkpoints.value import Checkpoint, Geometry, TensorInfo
from taxcheck.sources.files import InputFile, one_line

_HEAD = 1 << 14
_NOTED = 3  # unreadable arrays that are named in a note
_FORMATS = (
    "torch (.pt, .pth, .bin), npy, npz, safetensors, gensim, word2vec, Parquet, Feather or HDF5"
)


def open_checkpoint(
    path: str,
    *,
    key: str | None = None,
    geometry: Geometry | str | None = None,
    curvature: float | None = None,
) -> Checkpoint:
    """Open the embedding table of any engine; nothing in the file is run.

    ``key`` names the array, ``geometry`` and ``curvature`` (c > 0 of curvature -c) say what its
    rows are: what is given is certain, the rest is stated by the file or guessed from the numbers.
    The vectors are memory-mapped where the format allows. Raises InputError, in one line, for what
    cannot be read or has several tables; UsageError for a geometry or curvature that is none.
    """
    given = _geometry(geometry)
    if curvature is not None and not (math.isfinite(curvature) and curvature > 0):
        raise UsageError(f"--curvature {curvature}: give c > 0, the space has curvature -c")
    file = InputFile(path)
    file.start_fingerprint()
    contents = _read(file)
    flat = flatten(contents.tree)
    layout = layout_of(flat, contents)
    name, stored = choose(flat, replace(contents, keys=layout.keys), key, file.shown)
    vectors: npt.NDArray[np.floating] = stored.array()  # type: ignore[assignment]
    rows, width = vectors.shape
    facts = facts_of(flat, (rows, width), all_configured=layout.format.startswith("gensim"))
    stated = stated_of(flat, layout, facts, name, stored.dtype)
    if given is not None:
        stated = replace(stated, geometry=given, source="Given.")
    if curvature is not None:
        stated = replace(stated, curvature=curvature, curvature_source=f"c = {curvature:g}, given.")
    if stated.geometry is Geometry.LORENTZ and width < 2:
        raise InputError(f"{file.shown}: {name} has one column; a Lorentz row has time and space")
    reading = reading_of(vectors, stored.dtype, stated)
    notes = list(contents.notes)
    labels = contents.labels
    if labels is None and (found := find_labels(flat, rows, name)) is not None:
        labels = found[1]
        notes.append(f"Rows are named by {found[0]}.")
    if others := other_tables(flat, name, stored):
        notes.append(f"Not taken as the table: {others}; --key takes another.")
    for place, kind in list(flat.unreadable.items())[:_NOTED]:
        notes.append(f"{one_line(place, 60)} is {kind}, which is not read.")
    tensors = tuple(
        TensorInfo(place, array.shape, array.dtype, array.bytes)
        for place, array in flat.arrays.items()
    )
    return Checkpoint(
        path=file.shown,
        format=layout.format,
        bytes=file.bytes,
        fingerprint=file.fingerprint(),
        tensors=tensors,
        key=name,
        vectors=vectors,
        dtype=stored.dtype,
        reading=reading,
        labels=labels,
        facts=facts,
        notes=tuple(notes),
    )


def _geometry(geometry: Geometry | str | None) -> Geometry | None:
    if geometry is None:
        return None
    try:
        return Geometry(geometry)
    except ValueError as error:
        known = ", ".join(Geometry)
        raise UsageError(f"--geometry {geometry}: is none of {known}") from error


def _read(file: InputFile) -> Contents:
    with file.open() as stream:
        head = stream.read(_HEAD)
    if head.startswith(NPY_MAGIC):
        return read_npy(file)
    if head.startswith(b"\x89HDF\r\n"):
        return read_hdf5(file)
    if head.startswith(b"PAR1"):
        return tabular.read_table(file, parquet=True)
    if head.startswith(b"ARROW1\0\0"):
        return tabular.read_table(file, parquet=False)
    if head.startswith(b"\x1f\x8b"):
        return word2vec.read_text(file, zipped=True)
    if head.startswith(LEGACY_HEADS):
        return read_legacy(file)
    if head[257:262] == b"ustar":
        raise InputError(
            f"{file.shown}: is a tar archive, as torch wrote before 0.4; load it with the torch "
            "that wrote it and save it again with torch.save"
        )
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= file.bytes:
        return read_safetensors(file)
    # A pickle may begin like a zip and a zip may have a prefix: the first bytes decide first.
    if head[:1] == b"\x80" and head[1:2] in b"\2\3\4\5":
        return pickles.read_pickle(file)
    if head.startswith(b"PK") or zipfile.is_zipfile(file.path):
        return _read_zip(file)
    if (header := word2vec.header_of(head)) is not None:
        if word2vec.looks_binary(head):
            return word2vec.read_binary(file, *header)
        return word2vec.read_text(file, zipped=False)
    if head[:1] in b"(]}cl" and head[:2] != b"{\n" and b"\n" in head:
        return pickles.read_pickle(file)
    if b"\0" not in head and b"\n" in head:
        raise InputError(
            f"{file.shown}: is text without a word2vec header; write rows and width as its first "
            "line, or save the table as .npy or Parquet"
        )
    raise InputError(f"{file.shown}: is no checkpoint that taxcheck knows; give {_FORMATS}")


def _read_zip(file: InputFile) -> Contents:
    archive = Archive(file)
    if any(name == "data.pkl" or name.endswith("/data.pkl") for name in archive.names):
        return read_archive(file, archive)
    if any(name.endswith(".npy") for name in archive.names):
        return read_npz(file, archive)
    raise InputError(
        f"{file.shown}: is a zip archive with neither torch's data.pkl nor NumPy's .npy in it; "
        f"give {_FORMATS}"
    )
