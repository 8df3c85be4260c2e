"""Corruptions that leave rows of a table without training (EMB006), by every kind of evidence."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted
from taxcheck.commands.selftest.folder import Folder
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, touching
from taxcheck.commands.selftest.table import below, in_ball, unit

from .bases import starfish, starfish_folder
from .library import bad, corruption, fail, info
from .pair_rows import gap
from .table_rows import species
from .trained import (
    FAMILY,
    random_rows,
    small_family,
    table_of,
    with_rows,
    with_table,
    with_updates,
)


@corruption("EMB006", base="table")
def rows_never_updated(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The engine counted no update of 8 rows; that is less than 5 % for TRAIN006."""
    damaged = with_updates(frame, species(frame, generator, 8), 0)
    return Corrupted(damaged, fail(EMB006=8))


@corruption("EMB006", base="table")
def rows_as_they_were_initialised(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """6 rows equal those of the table before training; no update was counted."""
    rows = species(frame, generator, 6)
    initial = random_rows(177, 0.001, generator).astype(np.float32)
    initial[rows] = table_of(frame).vectors[rows]
    damaged = with_table(frame, updates=None, initial=initial)
    return Corrupted(damaged, fail(EMB006=6) | {"TRAIN006": SKIPPED})


@corruption("EMB006", base="table")
def rows_that_the_optimizer_never_saw(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """6 rows have no second moment, which any gradient would have left."""
    moments = np.full((177, 10), 1e-4, dtype=np.float32)
    moments[species(frame, generator, 6)] = 0
    damaged = with_table(frame, updates=None, optimizer=moments)
    return Corrupted(damaged, fail(EMB006=6) | {"TRAIN006": SKIPPED})


@corruption("EMB006", "HIER007", base="table")
def rows_in_the_init_box(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """2 rows, more than 1 %, stayed within 0.001 and so nearer the origin than the root."""
    rows = species(frame, generator, 2)
    box = generator.uniform(-1e-3, 1e-3, (2, 10))
    expected = fail(EMB006=2) | info(HIER007=2) | {"TRAIN006": SKIPPED}
    return Corrupted(with_rows(with_table(frame, updates=None), rows, box), expected)


@corruption("EMB006", "PAIR003", base="table")
def rows_in_no_pair(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The pairs lack a family: the data's defect is the cause of the table's."""
    family = small_family(Tree(frame.pairs))
    damaged = with_table(frame, updates=None).only(~touching(frame.pairs, family))
    expected = gap(frame, family) | fail(EMB006=12) | {"TRAIN006": SKIPPED}
    return Corrupted(damaged, expected, {"PAIR003"})


@bad(
    "EMB006",
    "fail",
    12,
    "the pairs lack a family with its 4 genera and 7 species",
    ok=starfish_folder,
)
def _(folder: Folder) -> None:
    table, parents = folder.trained, starfish()
    lost = [FAMILY, *below(parents, FAMILY)]
    folder.pairs = [row for row in folder.pairs if not {row[0], row[1]} & {*lost}]
    towards = unit(np.random.default_rng(0).standard_normal((12, 10)))
    table.vectors[lost] = np.round(in_ball(towards, np.full(12, 2.8)), 4)
