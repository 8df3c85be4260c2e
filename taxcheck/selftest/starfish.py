"""The shape of a part of the starfish, and a sound table of it: 177 nodes, enough to rank."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.layout import in_ball, laid_out, unit
from taxcheck.selftest.shape import HEADER, closure
from taxcheck.selftest.table import Table, healthy_history

# Valvatacea: of its two orders the families, of each family the species of its genera.
_ORDERS = (
    (
        (4, 4, 4, 4), (4, 3, 3, 3), (2, 1, 1, 1), (4, 4, 4, 3),
        (4, 4, 4, 3), (8,), (4, 3, 2, 1), (4, 1, 1, 1),
    ),
    ((4, 4, 4, 4), (8,), (4, 4, 3, 1)),
)  # fmt: skip


def starfish() -> tuple[int, ...]:
    """Parents by idx, -1 of the root; parents come before their children."""
    parents = [-1]

    def enter(parent: int) -> int:
        parents.append(parent)
        return len(parents) - 1

    for families in _ORDERS:
        order = enter(0)
        for genera in families:
            family = enter(order)
            for species in genera:
                genus = enter(family)
                for _ in range(species):
                    enter(genus)
    return tuple(parents)


def trained_starfish(taxids: Iterable[int], parents: tuple[int, ...]) -> DatasetFrame:
    """The laid-out table with a whole record of its training: 200 updates a row, 20 epochs.

    177 nodes are few for 10 dimensions; the policy says that it is a trial.
    """
    table = Table(laid_out(parents, 10))
    table.updates = np.full(len(parents), 200)
    table.history = healthy_history()
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": list(taxids), "idx": range(len(parents))}),
        pairs=pd.DataFrame(closure(parents), columns=list(HEADER)),
        policy={"rules": {"TRAIN007": {"fewest": 2}}},
        table=table,
    )


def one_genus() -> DatasetFrame:
    """A genus of 600 strains in 30 groups: the nearest rows of a strain are those of its group.

    Popularity names the genus for every strain, so that no table can rank any better. The skew of
    601 rows is 24.5 at most, so the policy asks for less than it would of a large table.
    """
    rng = np.random.default_rng(0)
    groups = unit(rng.standard_normal((30, 10)))
    towards = unit(np.repeat(groups, 20, axis=0) + 0.05 * rng.standard_normal((600, 10)))
    radius = np.r_[0.05, rng.uniform(2.7, 2.93, 600)]
    rows = in_ball(np.concatenate([groups[:1], towards]), radius)
    idx = range(601)
    pairs: list[tuple[Any, ...]] = closure([-1] + [0] * 600)
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": [3_000_000 + k for k in idx], "idx": idx}),
        pairs=pd.DataFrame(pairs, columns=list(HEADER)),
        policy={"rules": {"HIER008": {"skew": 15}}},
        table=Table(np.round(rows, 4).astype(np.float32)),
    )
