"""Corruptions of which row is whose (TRAIN010): numbers that are sound, under others' names."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, About, Corrupted
from taxcheck.commands.selftest.folder import Folder
from taxcheck.commands.selftest.frame import DatasetFrame, Tree
from taxcheck.commands.selftest.table import radii

from .bases import starfish_folder
from .library import bad, corruption, fail, info, warn, wholly
from .trained import NOTHING_LEARNT, table_of, with_table

_SKIPPED_SCORES = {f"HIER{k:03}": SKIPPED for k in (1, 2, 5, 6, 7, 8)}


def _inward(frame: DatasetFrame, read: np.ndarray) -> int:
    """Nodes that are read nearer to the centre than their parents are, one after the other."""
    radius, parent = radii(read), Tree(frame.pairs).parent
    return sum(bool(radius[child] < radius[above]) for child, above in parent.items())


def _updates(frame: DatasetFrame) -> np.ndarray:
    return np.array(table_of(frame).updates)


def renamed(frame: DatasetFrame, taxids: np.ndarray) -> DatasetFrame:
    """The dataset with other identifiers, which nothing but the mapping holds."""
    mapping = pd.DataFrame({"taxid": taxids, "idx": frame.mapping.idx.to_numpy()})
    return DatasetFrame(**{**vars(frame), "mapping": mapping})


@corruption("TRAIN010", base="table")
def padding_row(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A row of zeros stands before all others, as padding_idx = 0 makes it."""
    vectors = np.vstack([np.zeros((1, 10), np.float32), table_of(frame).vectors])
    updates = np.r_[0, _updates(frame)]
    damaged = with_table(frame, vectors=vectors, updates=updates)
    inward = _inward(frame, vectors[:177])
    # leaves that follow a sister have kin beside them; the others, and inner nodes, do not
    expected = fail(TRAIN010=177, EMB001=1, EMB006=1, HIER003=2, HIER010=About(50, 90))
    expected |= warn(HIER001=0, HIER002=inward, HIER004=2)
    return Corrupted(damaged, expected, causes={"shifted_rows": wholly(expected)})


@corruption("TRAIN010", base="table")
def rows_in_the_order_of_text(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Identifiers have other numbers of digits, and the rows stand in their order as text."""
    taxids = generator.choice(np.arange(200, 2_000_000, 7), 177, replace=False)
    order = np.argsort(taxids.astype(str))
    damaged = with_table(renamed(frame, taxids), vectors=table_of(frame).vectors[order])
    read = table_of(damaged).vectors
    nearer = int((radii(read) < radii(read[:1])).sum())
    expected = NOTHING_LEARNT | fail(TRAIN010=177, HIER010=About(150, 176)) | info(HIER007=nearer)
    expected |= warn(HIER001=0, HIER002=_inward(frame, read))
    return Corrupted(damaged, expected, causes={"other_row_order": wholly(expected)})


@corruption("TRAIN010", base="table")
def labels_that_are_idx(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The rows were dealt, each labelled by its idx; three of these are identifiers as well."""
    taxids = frame.mapping.taxid.to_numpy().copy()
    taxids[[20, 40, 60]] = [5, 6, 7]
    dealt = generator.permutation(177)
    damaged = with_table(
        renamed(frame, taxids), vectors=table_of(frame).vectors[dealt], labels=dealt
    )
    expected = fail(TRAIN010=177, EMB006=174, HIER003=2) | _SKIPPED_SCORES | {"HIER010": SKIPPED}
    expected |= warn(TRAIN006=174, HIER004=3, HIER009=1)
    return Corrupted(damaged, expected, causes={"idx_labels": wholly(expected)})


@corruption("TRAIN010", base="table")
def columns_for_rows(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The table is written with a row for each dimension, and no word of its updates."""
    vectors = np.ascontiguousarray(table_of(frame).vectors.T)
    damaged = with_table(frame, vectors=vectors, updates=None)
    expected = fail(TRAIN010=177, EMB001=167, EMB003=10, EMB006=167, HIER003=2)
    expected |= {"HIER010": SKIPPED}
    expected |= warn(HIER004=3, HIER009=1) | info(TRAIN007=0) | _SKIPPED_SCORES
    unjudged = ("EMB004", "EMB005", "EMB008", "EMB009", "EMB010", "TRAIN002", "TRAIN006")
    expected |= dict.fromkeys(unjudged, SKIPPED)
    return Corrupted(damaged, expected, causes={"transposed_table": wholly(expected)})


@bad("TRAIN010", "fail", 177, "a row of zeros stands before the 177 rows", ok=starfish_folder)
def _(folder: Folder) -> None:
    table = folder.trained
    table.vectors = np.vstack([np.zeros((1, 10), np.float32), table.vectors])
