"""Corruptions whose cause is that a line or a column that is no data was read as data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted
from taxcheck.commands.selftest.frame import DatasetFrame

from .library import corruption, fail


@corruption("TREE005", base="genus")
def header_of_numbers(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A frame whose columns have no names, saved: its header is 0,1,2.

    The genus has the last idx, so that no row below says that 0 is not above 1.
    """
    last = len(frame.mapping) - 1
    pairs = frame.pairs[["ancestor_idx", "descendant_idx", "depth_diff"]].astype(object)
    for end in ("ancestor_idx", "descendant_idx"):
        pairs[end] = pairs[end].replace({0: last, last: 0})
    pairs.columns = pd.Index(["0", "1", "2"])
    mapping = frame.mapping.assign(idx=frame.mapping["idx"].replace({0: last, last: 0}))
    return Corrupted(
        replace(frame, mapping=mapping, pairs=pairs),
        fail(TREE005=1) | {"TREE006": SKIPPED},
        causes={"header_as_data": {"TREE005": (1, 1)}},
    )


@corruption("PAIR002", base="genus")
def header_of_other_words(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The pairs hold names, under a header of words that are no known names of columns."""
    names = [f"Strain {k}" for k in frame.mapping["idx"]]
    mapping = pd.DataFrame({"identifier": names, "idx": frame.mapping["idx"]})
    pairs = pd.DataFrame(
        {
            "Gattung": [names[k] for k in frame.pairs["ancestor_idx"]],
            "Stamm": [names[k] for k in frame.pairs["descendant_idx"]],
        }
    )
    skipped = dict.fromkeys(("PAIR008", "PAIR009", "PAIR014", "TREE006", "TREE007"), SKIPPED)
    return Corrupted(
        replace(frame, mapping=mapping, pairs=pairs),
        fail(PAIR002=1) | skipped | {"PAIR017": ("pass", 0)},
        causes={"header_as_data": {"PAIR002": (1, 1)}},
    )


@corruption("PAIR002", "PAIR003", base="genus")
def row_numbers_before_the_pairs(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The index of a shuffled part of a larger table stands before each pair; there is no header.

    The names of the columns are the first row. No number of a row is an idx, so that nothing is
    left to judge.
    """
    rows = frame.pairs[["ancestor_idx", "descendant_idx"]].astype(object)
    numbers = generator.permutation(np.arange(1_000, 1_000 + len(rows)))
    rows.insert(0, "row", numbers.astype(object))
    rows.columns = pd.Index([str(cell) for cell in rows.iloc[0]])
    n, count = len(frame.mapping), len(rows)
    skipped = [f"PAIR{k:03}" for k in (5, 6, 7, 8, 9, 13, 14, 15)]
    skipped += [f"TREE{k:03}" for k in range(1, 8)]
    counts = {"PAIR002": count, "PAIR003": n, "PAIR004": n}
    return Corrupted(
        replace(frame, pairs=rows.iloc[1:]),
        fail(**counts) | dict.fromkeys(skipped, SKIPPED),
        causes={"row_number_column": {rule: (found, found) for rule, found in counts.items()}},
    )
