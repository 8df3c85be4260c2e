"""Corruptions that leave rows of a table without training (EMB006), by every kind of evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, touching
from taxcheck.selftest.corruptions.pair_rows import gap
from taxcheck.selftest.corruptions.registry import SKIPPED, Corrupted, Verdict, corruption
from taxcheck.selftest.corruptions.table_rows import species
from taxcheck.selftest.corruptions.trained import (
    random_rows,
    small_family,
    table_of,
    with_rows,
    with_updates,
    without_updates,
)


@corruption("EMB006", base="table")
def rows_never_updated(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """The engine counted no update of 8 rows; that is less than 5 % for TRAIN006."""
    damaged = with_updates(frame, species(frame, generator, 8), 0)
    return Corrupted(damaged, {"EMB006": ("fail", 8)})


@corruption("EMB006", base="table")
def rows_as_they_were_initialised(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """6 rows equal those of the table before training; no update was counted."""
    table, rows = table_of(frame), species(frame, generator, 6)
    initial = random_rows(177, 0.001, generator).astype(np.float32)
    initial[rows] = table.vectors[rows]
    damaged = replace(frame, table=replace(table, updates=None, initial=initial))
    return Corrupted(damaged, {"EMB006": ("fail", 6), "TRAIN006": SKIPPED})


@corruption("EMB006", base="table")
def rows_that_the_optimizer_never_saw(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """6 rows have no second moment, which any gradient would have left."""
    moments = np.full((177, 10), 1e-4, dtype=np.float32)
    moments[species(frame, generator, 6)] = 0
    damaged = replace(frame, table=replace(table_of(frame), updates=None, optimizer=moments))
    return Corrupted(damaged, {"EMB006": ("fail", 6), "TRAIN006": SKIPPED})


@corruption("EMB006", "HIER007", base="table")
def rows_in_the_init_box(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """2 rows, more than 1 %, stayed within .001, where they are nearer the origin than the root."""
    rows = species(frame, generator, 2)
    box = generator.uniform(-1e-3, 1e-3, (2, 10))
    expected: dict[str, Verdict] = {
        "EMB006": ("fail", 2),
        "HIER007": ("info", 2),
        "TRAIN006": SKIPPED,
    }
    return Corrupted(with_rows(without_updates(frame), rows, box), expected)


@corruption("EMB006", "PAIR003", base="table")
def rows_in_no_pair(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The pairs lack a family: the data's defect is the cause of the table's."""
    family = small_family(Tree(frame.pairs))
    damaged = without_updates(frame).only(~touching(frame.pairs, family))
    expected: dict[str, Verdict] = {
        **gap(frame, family),
        "EMB006": ("fail", 12),
        "TRAIN006": SKIPPED,
    }
    return Corrupted(damaged, expected, frozenset({"PAIR003"}))
