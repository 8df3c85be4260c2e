"""Corruptions of the record of a run (TRAIN001 to TRAIN009)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted
from taxcheck.commands.selftest.folder import Folder, hierarchy, trained_carnivores
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, pick, touching
from taxcheck.commands.selftest.table import Table, healthy_history, leaves, on_a_spiral

from .bases import starfish, starfish_folder
from .library import bad, corruption, fail, info, warn
from .pair_rows import gap
from .table_rows import at_the_clip, cut
from .trained import moved_to, table_of, with_settings, with_table, with_updates

Record = dict[str, float]


def with_history(frame: DatasetFrame, change: Callable[[int, Record], Record]) -> DatasetFrame:
    """The dataset with another history: each record, numbered, is changed."""
    records = enumerate(table_of(frame).history or [])
    return with_table(frame, history=[change(number, dict(record)) for number, record in records])


@corruption("TRAIN001", base="table")
def strong_regularizer(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The regularizer weighs as much as in the incident."""
    return Corrupted(with_settings(frame, lambda_reg=0.1), warn(TRAIN001=0))


@corruption("TRAIN003", base="table")
def initialised_near_the_boundary(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The table starts at norms up to 0.95, as in the incident."""
    return Corrupted(with_settings(frame, init_max_radius=0.95), warn(TRAIN003=0))


@corruption("TRAIN001", "TRAIN002", "TRAIN003", base="table")
def the_incidents_settings(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Regularizer and initialisation explain the crowd, the ceiling and what the clip let pass."""
    damaged, expected = at_the_clip(frame)
    expected |= {"TRAIN001": ("warn", 0), "TRAIN003": ("warn", 0)}
    damaged = with_settings(damaged, lambda_reg=0.1, init_max_radius=0.95)
    return Corrupted(damaged, expected, {"TRAIN001", "TRAIN003"})


@corruption("TRAIN004", base="table")
def stopped_without_patience(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Patience 0 means never, and yet the run stopped early."""
    damaged = with_settings(frame, early_stopping=0, stopped_early=True, epoch=37)
    return Corrupted(damaged, fail(TRAIN004=0))


@corruption(base="table")
def patience_of_zero_that_never_stopped(frame: DatasetFrame, _: Generator) -> Corrupted:
    """0 means never, and the run went to its end."""
    return Corrupted(with_settings(frame, early_stopping=0))


@corruption("TRAIN005", "PAIR003", base="table")
def table_sized_by_the_pairs(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The last genus and its one species are in no pair, and so have no row.

    The gap in the coverage explains the rest: that the pairs end early, and all of the table's.
    """
    last = Tree(frame.pairs).below(175)
    assert sorted(last) == [175, 176]
    damaged = cut(frame.only(~touching(frame.pairs, last)), 2)
    return Corrupted(damaged, gap(frame, last) | fail(EMB001=2, EMB006=2, TRAIN005=2), {"PAIR003"})


@corruption("TRAIN006", base="table")
def hardly_updated(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """20 rows, 11 %, had three updates each."""
    damaged = with_updates(frame, pick(generator, Tree(frame.pairs).leaves(), 20), 3)
    return Corrupted(damaged, warn(TRAIN006=20))


@corruption("TRAIN007", base="table")
def more_dimensions_than_the_nodes_need(frame: DatasetFrame, _: Generator) -> Corrupted:
    """177 nodes in 10 dimensions, 18 for each, where the policy does not call it a trial."""
    return Corrupted(replace(frame, policy={}), info(TRAIN007=0))


@corruption("TRAIN008", base="table")
def chosen_by_loss(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The best epoch was chosen by the loss, and no ranking was recorded."""

    def without_map(_: int, record: Record) -> Record:
        return {name: value for name, value in record.items() if name != "map"}

    damaged = with_settings(with_history(frame, without_map), best_by="loss")
    return Corrupted(damaged, info(TRAIN008=0))


@corruption(base="table")
def chosen_by_loss_with_map_beside_it(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Where MAP was recorded as well, anyone can see what was lost by it."""
    return Corrupted(with_settings(frame, best_by="loss"))


@corruption("TRAIN009", base="table")
def loss_that_stands_still(frame: DatasetFrame, _: Generator) -> Corrupted:
    """It falls from 4 to 3.9."""
    damaged = with_history(frame, lambda k, record: {**record, "loss": 4 - 0.005 * k})
    return Corrupted(damaged, warn(TRAIN009=1))


@corruption("TRAIN009", base="table")
def run_that_ends_badly(frame: DatasetFrame, _: Generator) -> Corrupted:
    """From the 13th record on the loss rises, norms are at the clip, and a step gave NaN: three."""

    def worse(k: int, record: Record) -> Record:
        if k < 12:
            return record
        return {**record, "loss": 0.2 + 0.01 * k, "norm_p90": 0.99999, "nan_steps": int(k == 15)}

    return Corrupted(with_history(frame, worse), warn(TRAIN009=3))


def _counted() -> Folder:
    folder = starfish_folder()
    folder.trained.updates = np.full(len(folder.trained.vectors), 200)
    return folder


def _many_rows() -> Folder:
    folder = hierarchy([-1] * 300)
    folder.pairs, folder.table = [], Table(on_a_spiral(300))
    return folder


def _recorded() -> Folder:
    folder = trained_carnivores()
    folder.trained.history = healthy_history()
    return folder


_carnivores = partial(bad, ok=trained_carnivores)


@_carnivores("TRAIN001", "warn", 0, "lambda_reg is 0.1, where 0.01 is the most")
def _(folder: Folder) -> None:
    folder.trained.settings["lambda_reg"] = 0.1


@bad(
    "TRAIN002",
    "warn",
    0,
    "the clip of 1 - 1e-5 let the species, 71 % of the rows, lie at 0.99999",
    ok=starfish_folder,
)
def _(folder: Folder) -> None:
    parents = starfish()
    moved_to(folder.trained, leaves(parents), 12.1)


@_carnivores("TRAIN003", "warn", 0, "the deepest level started at 0.95")
def _(folder: Folder) -> None:
    folder.trained.settings["init_max_radius"] = 0.95


@_carnivores("TRAIN004", "fail", 0, "--early-stopping 0 stopped the run at epoch 37 of 10,000")
def _(folder: Folder) -> None:
    run = {"early_stopping": 0, "stopped_early": True, "epoch": 37, "epochs": 10_000}
    folder.trained.settings |= run


@bad(
    "TRAIN005",
    "fail",
    4,
    "no pair names the last 4 nodes, and the table ends with the others",
    ok=starfish_folder,
)
def _(folder: Folder) -> None:
    table = folder.trained
    last = len(table.vectors) - 4
    folder.pairs = [row for row in folder.pairs if max(row[0], row[1]) < last]
    table.vectors = table.vectors[:last]


@bad(
    "TRAIN006",
    "warn",
    125,
    "the run ended in its burn-in: a species has 4 updates, one a pair",
    ok=_counted,
)
def _(folder: Folder) -> None:
    table, parents = folder.trained, starfish()
    assert table.updates is not None
    table.updates[leaves(parents)] = 4


@bad("TRAIN007", "info", 0, "5 dimensions for 15 nodes, 3 for each", ok=_many_rows)
def _(_folder: Folder) -> Folder:
    return trained_carnivores()


@bad(
    "TRAIN008",
    "info",
    0,
    "the best epoch is that of the least loss; no ranking was recorded",
    ok=_recorded,
)
def _(folder: Folder) -> None:
    table = folder.trained
    assert table.history is not None
    table.settings["best_by"] = "loss"
    for record in table.history:
        del record["map"]


@bad(
    "TRAIN009",
    "warn",
    3,
    "the loss rises by half from its least value, a tenth of the norms is at the clip, and 2 steps "
    "gave NaN",
    ok=_recorded,
)
def _(folder: Folder) -> None:
    table = folder.trained
    assert table.history is not None
    for record in table.history[10:]:
        record["loss"] = round(0.11 + 0.006 * (record["epoch"] / 10 - 10), 6)
    for record in table.history[14:]:
        record["norm_p90"] = 0.99999
    table.history[17]["nan_steps"] = 2
