"""Corruptions of the record of a run (TRAIN001 to TRAIN009)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, pick, touching
from taxcheck.selftest.corruptions.pair_rows import gap
from taxcheck.selftest.corruptions.registry import Corrupted, Verdict, corruption
from taxcheck.selftest.corruptions.table_rows import at_the_clip, cut
from taxcheck.selftest.corruptions.trained import table_of, with_settings, with_updates

Record = dict[str, float]


def with_history(frame: DatasetFrame, change: Callable[[int, Record], Record]) -> DatasetFrame:
    """The dataset with another history: each record, numbered, is changed."""
    table = table_of(frame)
    assert table.history is not None
    history = [change(number, dict(record)) for number, record in enumerate(table.history)]
    return replace(frame, table=replace(table, history=history))


@corruption("TRAIN001", base="table")
def strong_regularizer(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The regularizer weighs as much as in the incident."""
    return Corrupted(with_settings(frame, lambda_reg=0.1), {"TRAIN001": ("warn", 0)})


@corruption("TRAIN003", base="table")
def initialised_near_the_boundary(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The table starts at norms up to .95, as in the incident."""
    return Corrupted(with_settings(frame, init_max_radius=0.95), {"TRAIN003": ("warn", 0)})


@corruption("TRAIN001", "TRAIN002", "TRAIN003", base="table")
def the_incidents_settings(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Regularizer and initialisation explain the crowd, the ceiling and what the clip let pass."""
    damaged, expected = at_the_clip(frame)
    expected |= {"TRAIN001": ("warn", 0), "TRAIN003": ("warn", 0)}
    damaged = with_settings(damaged, lambda_reg=0.1, init_max_radius=0.95)
    return Corrupted(damaged, expected, frozenset({"TRAIN001", "TRAIN003"}))


@corruption("TRAIN004", base="table")
def stopped_without_patience(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Patience 0 means never, and yet the run stopped early."""
    damaged = with_settings(frame, early_stopping=0, stopped_early=True, epoch=37)
    return Corrupted(damaged, {"TRAIN004": ("fail", 0)})


@corruption(base="table")
def patience_of_zero_that_never_stopped(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """0 means never, and the run went to its end."""
    return Corrupted(with_settings(frame, early_stopping=0))


@corruption("TRAIN005", "PAIR003", base="table")
def table_sized_by_the_pairs(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The last genus and its one species are in no pair, and so have no row.

    The gap in the coverage explains the rest: that the pairs end early, and all of the table's.
    """
    last = Tree(frame.pairs).below(175)
    assert sorted(last) == [175, 176]
    damaged = cut(frame.only(~touching(frame.pairs, last)), 2)
    expected: dict[str, Verdict] = {
        **gap(frame, last),
        "EMB001": ("fail", 2),
        "EMB006": ("fail", 2),
        "TRAIN005": ("fail", 2),
    }
    return Corrupted(damaged, expected, frozenset({"PAIR003"}))


@corruption("TRAIN006", base="table")
def hardly_updated(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """20 rows, 11 %, had three updates each."""
    damaged = with_updates(frame, pick(generator, Tree(frame.pairs).leaves(), 20), 3)
    return Corrupted(damaged, {"TRAIN006": ("warn", 20)})


@corruption("TRAIN007", base="table")
def more_dimensions_than_the_nodes_need(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """177 nodes in 10 dimensions, 18 for each, where the policy does not call it a trial."""
    return Corrupted(replace(frame, policy={}), {"TRAIN007": ("info", 0)})


@corruption("TRAIN008", base="table")
def chosen_by_loss(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The best epoch was chosen by the loss, and no ranking was recorded."""

    def without_map(_: int, record: Record) -> Record:
        return {name: value for name, value in record.items() if name != "map"}

    damaged = with_settings(with_history(frame, without_map), best_by="loss")
    return Corrupted(damaged, {"TRAIN008": ("info", 0)})


@corruption(base="table")
def chosen_by_loss_with_map_beside_it(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Where MAP was recorded as well, anyone can see what was lost by it."""
    return Corrupted(with_settings(frame, best_by="loss"))


@corruption("TRAIN009", base="table")
def loss_that_stands_still(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """It falls from 4 to 3.9."""
    damaged = with_history(frame, lambda k, record: {**record, "loss": 4 - 0.005 * k})
    return Corrupted(damaged, {"TRAIN009": ("warn", 1)})


@corruption("TRAIN009", base="table")
def run_that_ends_badly(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """From the 13th record on the loss rises, norms are at the clip, and a step gave NaN: three."""

    def worse(k: int, record: Record) -> Record:
        if k < 12:
            return record
        return {**record, "loss": 0.2 + 0.01 * k, "norm_p90": 0.99999, "nan_steps": int(k == 15)}

    return Corrupted(with_history(frame, worse), {"TRAIN009": ("warn", 3)})
