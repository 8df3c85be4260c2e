"""What expectations about a table are derived from: textbook formulas, nothing of the product."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import About, Verdict
from taxcheck.commands.selftest.frame import DatasetFrame, Tree
from taxcheck.commands.selftest.table import Setting, Table, in_ball, radii, unit

FAMILY = 116  # of the starfish, with 4 genera and 7 species
# What a table that learnt nothing, and only that, makes the rules find: MAP and mean rank, hits@1,
# 5 and 10, the separation of classes and the nearness of siblings are those of a null.
NOTHING_LEARNT: dict[str, Verdict] = {
    "HIER003": ("fail", 2),
    "HIER004": ("warn", 3),
    "HIER006": ("warn", 1),
    "HIER009": ("warn", 1),
    "HIER010": ("fail", About(165, 176)),  # all of 177 but those that nothing can be told of
}


def table_of(frame: DatasetFrame) -> Table:
    """The table, which the base has."""
    assert frame.table is not None
    return frame.table


def with_table(frame: DatasetFrame, **changes: Any) -> DatasetFrame:
    """The dataset whose table has other fields."""
    return replace(frame, table=replace(table_of(frame), **changes))


def with_rows(frame: DatasetFrame, rows: list[int], vectors: np.ndarray) -> DatasetFrame:
    """The dataset with other vectors in some rows of its table."""
    changed = table_of(frame).vectors.copy()
    changed[rows] = vectors
    return with_table(frame, vectors=changed)


def with_radii(frame: DatasetFrame, rows: list[int], radius: float | np.ndarray) -> DatasetFrame:
    """The same rows in their own directions, at other hyperbolic radii."""
    towards = unit(table_of(frame).vectors[rows].astype(np.float64))
    return with_rows(frame, rows, in_ball(towards, np.broadcast_to(radius, len(rows))))


def with_settings(frame: DatasetFrame, **settings: Setting) -> DatasetFrame:
    """The dataset whose run was set otherwise."""
    return with_table(frame, settings={**table_of(frame).settings, **settings})


def with_updates(frame: DatasetFrame, rows: list[int], count: int) -> DatasetFrame:
    """The dataset in whose training some rows were updated so often."""
    updates = np.array(table_of(frame).updates)
    updates[rows] = count
    return with_table(frame, updates=updates)


def random_rows(count: int, radius: float, generator: Generator) -> np.ndarray:
    """Rows (count, 10) in random directions."""
    towards = unit(generator.standard_normal((count, 10)))
    return in_ball(towards, np.full(count, radius))


def small_family(tree: Tree) -> list[int]:
    """A family with its 4 genera and 7 species: 12 rows, 6.8 % of 177."""
    return sorted(tree.below(FAMILY))


def reconstruction(frame: DatasetFrame) -> Verdict:
    """HIER003 by its definition, one source after the other; only where it is plain to see.

    A score that does not even reach popularity exceeds no null; one that is far above it does.
    """
    tree, x = Tree(frame.pairs), table_of(frame).vectors.astype(np.float64)
    room = 1 - (x**2).sum(axis=1)
    popularity = np.array([len(tree.below(k)) for k in range(len(x))], dtype=np.float64)
    scores: dict[str, tuple[list[float], list[int]]]
    scores = {"table": ([], []), "popularity": ([], [])}
    for source in tree.parent:
        apart = np.arccosh(1 + 2 * ((x - x[source]) ** 2).sum(axis=1) / (room * room[source]))
        for name, values in (("table", apart), ("popularity", -popularity)):
            others = np.delete(np.arange(len(x)), source)
            order = others[np.argsort(values[others], kind="stable")]
            at = np.flatnonzero(np.isin(order, tree.above(source)))
            scores[name][0].append(float(np.mean(np.arange(1, len(at) + 1) / (at + 1))))
            scores[name][1].extend(at + 1 - np.arange(len(at)))
    (own, popular), ranks = (np.mean(s[0]) for s in scores.values()), scores.values()
    own_rank, popular_rank = (np.mean(s[1]) for s in ranks)
    assert abs(own - popular) > 0.05
    assert abs(own_rank - popular_rank) > 0.3
    weak = int(own < popular) + int(own_rank > popular_rank)
    return ("fail", weak) if weak else ("pass", 0)


def far_pairs(vectors: np.ndarray, least: float) -> int:
    """Pairs of rows whose distance is at least so much, one after the other."""
    x = vectors.astype(np.float64)
    room = 1 - (x**2).sum(axis=1)
    found = 0
    for k in range(len(x) - 1):
        apart = ((x[k + 1 :] - x[k]) ** 2).sum(axis=1)
        found += int((np.arccosh(1 + 2 * apart / (room[k] * room[k + 1 :])) >= least).sum())
    return found


def dimensions_used(vectors: np.ndarray) -> float:
    """The smaller effective rank of log-map and directions: the entropy of the singular values."""
    towards = unit(vectors.astype(np.float64))
    ranks = []
    for rows in (towards * radii(vectors)[:, None], towards):
        values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
        part = values[values > 1e-9] / values.sum()
        ranks.append(float(np.exp(-(part * np.log(part)).sum())))
    return min(ranks)


def moved_to(table: Table, rows: list[int] | slice, radius: float) -> None:
    """Rows in their own directions at a hyperbolic radius."""
    towards = unit(table.vectors[rows].astype(np.float64))
    there = in_ball(towards, np.full(len(towards), radius))
    table.vectors[rows] = np.round(there, 6)
