"""Corruptions of what a table tells of pairs that it was not trained on (HIER011)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted
from taxcheck.commands.selftest.folder import Folder, Row
from taxcheck.commands.selftest.frame import DatasetFrame

from .bases import starfish_folder
from .library import CASES, bad, base, corruption, warn
from .trained import table_of, with_rows

_FAMILIES = 3  # of the first order; 34 species are below them


def _held(rows: Iterable[Row]) -> tuple[set[int], list[bool]]:
    """The families, and which rows of pairs are of one of them with its species."""
    families = sorted({row[1] for row in rows if row[2] == 1 and row[4] == 2})[:_FAMILIES]
    return set(families), [row[0] in families and row[2] == 2 for row in rows]


@base("table with held-out pairs")
def held_out_starfish() -> DatasetFrame:
    """Three families are held out from their species, whose genera and order are trained on."""
    frame = CASES.bases["table"]()
    held = np.array(_held(list(frame.pairs.itertuples(index=False)))[1])
    return replace(frame.only(~held), held_out=frame.pairs[held])


@corruption("HIER011", base="table with held-out pairs")
def families_that_species_were_not_trained_on(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Each of the three has the row of another one: it is far from species it was not told of.

    34 held-out pairs are ranked as if nothing were known; of 596 others 45 suffer.
    """
    families = sorted(_held(list(frame.pairs.itertuples(index=False)))[0])
    moved = table_of(frame).vectors[np.roll(families, 1)]
    return Corrupted(with_rows(frame, families, moved), warn(HIER011=0))


def _held_out() -> Folder:
    folder = starfish_folder()
    held = _held(folder.pairs)[1]
    folder.held_out = [row for row, out in zip(folder.pairs, held, strict=True) if out]
    folder.pairs = [row for row, out in zip(folder.pairs, held, strict=True) if not out]
    return folder


@bad(
    "HIER011",
    "warn",
    0,
    "34 species were not trained with their families, and these stand in each other's places",
    ok=_held_out,
)
def _(folder: Folder) -> None:
    families = sorted(_held(folder.pairs)[0])
    vectors = folder.trained.vectors
    vectors[families] = vectors[np.roll(families, 1)]
