"""A checkpoint from its path: sniffed, read, and understood."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from taxcheck.model.errors import InputError, UsageError, one_line
from taxcheck.model.paths import is_folder
from taxcheck.sources.checkpoints.checkpoint import (
    Checkpoint,
    Geometry,
    Reading,
    TensorInfo,
)
from taxcheck.sources.checkpoints.contents import UNORDERED, Contents, Flat, Stored, flatten
from taxcheck.sources.checkpoints.engines import layout_of, stated_of
from taxcheck.sources.checkpoints.facts import facts_of
from taxcheck.sources.checkpoints.find_table import find_table, other_tables
from taxcheck.sources.checkpoints.geometry import Stated, reading_of, time_is_last
from taxcheck.sources.checkpoints.pieces import put_together
from taxcheck.sources.checkpoints.row_names import entries_of, picked
from taxcheck.sources.checkpoints.sharded import file_in, refuse_shard
from taxcheck.sources.files import InputFile
from taxcheck.sources.many_files import together
from taxcheck.sources.readers import Candidate, reader_of

_NOTED = 3  # unreadable arrays that are named in a note


def open_checkpoint(
    path: str,
    *,
    key: str | None = None,
    geometry: Geometry | str | None = None,
    curvature: float | None = None,
    labels: str | None = None,
) -> Checkpoint:
    """Open the embedding table of any engine; nothing in the file is run.

    ``key`` names the array, ``geometry`` and ``curvature`` (c > 0 of curvature -c) say what its
    rows are: what is given is certain, the rest is stated by the file or guessed from the numbers.
    ``labels`` says what names the rows; see ``row_names.picked``.
    The vectors are memory-mapped where the format allows. Raises InputError, in one line, for what
    cannot be read or has several tables; UsageError for a geometry or curvature that is none.
    """
    given = _geometry(geometry)
    if curvature is not None and not (math.isfinite(curvature) and curvature > 0):
        raise UsageError(f"`curvature` {curvature}: give c > 0, the space has curvature -c")
    candidate = Candidate(path, file_in(path) if is_folder(path) else None)
    file = candidate.file
    file.start_fingerprint()
    if key is None:
        refuse_shard(file)
    contents: Contents = reader_of(candidate, "checkpoint").read(candidate)
    flat = flatten(contents.tree)
    if not any(array.is_table for array in flat.arrays.values()):
        contents = put_together(contents, file.shown)
        flat = flatten(contents.tree)
    layout = layout_of(flat, contents)
    name, stored = find_table(flat, replace(contents, keys=layout.keys), key, file.shown)
    vectors: npt.NDArray[np.floating] = stored.array()  # type: ignore[assignment]
    rows, width = vectors.shape
    facts = facts_of(flat, (rows, width), all_configured=layout.one_object)
    stated = stated_of(flat, layout, facts, name, stored.dtype)
    if given is not None:
        stated = replace(stated, geometry=given, source="Given.")
    if curvature is not None:
        stated = replace(stated, curvature=curvature, curvature_source=f"c = {curvature:g}, given.")
    if stated.geometry is Geometry.LORENTZ and width < 2:
        raise InputError(f"{file.shown}: {name} has one column; a Lorentz row has time and space")
    reading = reading_of(vectors, stored.dtype, stated)
    _refuse_space(file.shown, stated, reading, given)
    _refuse_time_last(file.shown, vectors, stored.dtype, reading, given)
    notes, guesses = _told(flat, contents, name, stored, key)
    names, misfits, unfit = entries_of(flat, contents, rows, name)
    if labels is not None:
        names, misfits = picked(names, labels), ()
    elif unfit and not names:
        guesses.append(f"{unfit[0]} and names none of them.")
    tensors = tuple(
        TensorInfo(place, array.shape, array.dtype, array.bytes)
        for place, array in flat.arrays.items()
    )
    return Checkpoint(
        path=file.shown,
        format=layout.format,
        bytes=file.bytes + sum(one.bytes for _, one in contents.files),
        fingerprint=_fingerprint(file, contents),
        tensors=tensors,
        key=name,
        vectors=vectors,
        dtype=stored.dtype,
        reading=reading,
        names=names,
        said=labels,
        misfits=misfits,
        facts=facts,
        notes=tuple(notes),
        guesses=tuple(guesses),
    )


def _told(
    flat: Flat, contents: Contents, name: str, stored: Stored, key: str | None
) -> tuple[list[str], list[str]]:
    """Notes on what a file holds beside its table, and what was guessed in choosing that."""
    notes, guesses = list(contents.notes), list(contents.guesses)
    rivals, others = other_tables(flat, name, stored)
    if rivals and key is None:
        guesses.append(
            f"{one_line(name, 60)} was taken by its name; as many rows have {rivals}: `key` takes "
            "another."
        )
    elif rivals:
        others = f"{rivals}, {others}" if others else rivals
    if others:
        notes.append(f"Not taken as the table: {others}; `key` takes another.")
    unread = {p: kind for p, kind in flat.unreadable.items() if kind != UNORDERED}
    for place, kind in list(unread.items())[:_NOTED]:
        notes.append(f"{one_line(place, 60)} is {kind}, which is not read.")
    return notes, guesses


def _fingerprint(file: InputFile, contents: Contents) -> str:
    if not contents.files:
        return file.fingerprint()
    files = [(one.path.name, one.bytes, one.fingerprint()) for _, one in contents.files]
    return together([(file.path.name, file.bytes, file.fingerprint()), *files])


def _refuse_space(shown: str, stated: Stated, reading: Reading, given: Geometry | None) -> None:
    """InputError for a space that is not measured here, unless the user says what it is."""
    told = stated.refused
    if not told and reading.geometry is not Geometry.LORENTZ:
        told = stated.only_sheet
    if told and given is None:
        known = ", ".join(Geometry)
        raise InputError(
            f"{shown}: {told}, a space that taxcheck does not measure; it knows {known}: where the "
            "rows are one of these all the same, say so with `geometry`"
        )


def _refuse_time_last(
    shown: str,
    vectors: npt.NDArray[np.floating],
    dtype: str,
    reading: Reading,
    given: Geometry | None,
) -> None:
    """InputError for a Lorentz table whose time is the last coordinate: no space has it there."""
    told = reading.geometry is not Geometry.LORENTZ and reading.confidence == "certain"
    if not told and time_is_last(vectors, dtype, None):
        asked = (
            " or say with `geometry` what they are"
            if given is None
            else " or give another `geometry`"
        )
        raise InputError(
            f"{shown}: its rows lie on a hyperboloid whose time is their last coordinate, and "
            f"taxcheck takes the first: write numpy.roll(table, 1, axis=1),{asked}"
        )


def _geometry(geometry: Geometry | str | None) -> Geometry | None:
    if geometry is None:
        return None
    try:
        return Geometry(geometry)
    except ValueError as error:
        known = ", ".join(Geometry)
        raise UsageError(f"`geometry` {geometry}: is none of {known}") from error
