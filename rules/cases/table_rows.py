"""Corruptions of a table's rows, which it takes no data to see (EMB001 to EMB010)."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted, Verdict
from taxcheck.commands.selftest.folder import Folder, trained_carnivores
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, pick
from taxcheck.commands.selftest.table import CLIP, leaves, radii, unit

from .bases import starfish, starfish_folder
from .library import bad, corruption, fail, warn
from .trained import (
    dimensions_used,
    far_pairs,
    moved_to,
    random_rows,
    reconstruction,
    table_of,
    with_radii,
    with_rows,
    with_table,
)

_SPECIES = slice(7, 15)  # of the fifteen carnivores
CLIP_RADIUS = float(np.log((1 + CLIP) / (1 - CLIP)))

_bad = partial(bad, ok=trained_carnivores)


def species(frame: DatasetFrame, generator: Generator, count: int) -> list[int]:
    """Some of the 125 leaves; a dozen at most, since a thirtieth of the edges may point inwards."""
    return pick(generator, Tree(frame.pairs).leaves(), count)


def cut(frame: DatasetFrame, rows: int) -> DatasetFrame:
    """The dataset whose table lacks its last rows."""
    vectors, updates = table_of(frame).vectors, np.array(table_of(frame).updates)
    return with_table(frame, vectors=vectors[:-rows], updates=updates[:-rows])


@corruption("EMB001", base="table")
def row_cut_off(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The last row is missing, so nothing trained it; the gap is the cause that leads."""
    return Corrupted(cut(frame, 1), fail(EMB001=1, EMB006=1), {"EMB001"})


@corruption("EMB001", base="table")
def family_cut_off(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The last family has no row: 17 sources rank behind all others, and the mean rank with them.

    It is about (17 x 173 + 159) / 176 = 17.6 then, where popularity has 8.6; MAP loses a tenth
    only. Edges to a node without a radius are left out.
    """
    assert len(Tree(frame.pairs).below(160)) == 17
    expected = fail(EMB001=17, EMB006=17, HIER003=1) | warn(TRAIN006=17)
    return Corrupted(cut(frame, 17), expected, {"EMB001"})


@corruption("EMB001", base="table")
def rows_to_spare(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Three rows, trained like the others, stand for no node."""
    table, more = table_of(frame), random_rows(3, 2.8, generator).astype(np.float32)
    vectors, updates = np.r_[table.vectors, more], np.r_[np.array(table.updates), [200] * 3]
    return Corrupted(with_table(frame, vectors=vectors, updates=updates), fail(EMB001=3))


@corruption("EMB002", base="table")
def rows_that_are_no_numbers(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """One NaN in a row, or one infinity, is enough."""
    rows = species(frame, generator, 2)
    broken = table_of(frame).vectors[rows].copy()
    broken[:, 3] = [np.nan, -np.inf]
    return Corrupted(with_rows(frame, rows, broken), fail(EMB002=2))


@corruption("EMB002", base="table")
def many_rows_that_are_no_numbers(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A NaN has no neighbours: ancestors of 12 species rank behind the 172 rows that are none.

    The mean rank is about (12 x 173 + 164) / 176 = 12.7 then, where popularity has 8.6; MAP loses
    7 % only. Edges to a node without a radius are left out.
    """
    rows = species(frame, generator, 12)
    observed = {"HIER002": {"sources": 164, "edges left out": 12}}
    broken = np.full((12, 10), np.nan)
    damaged = with_rows(frame, rows, broken)
    return Corrupted(damaged, fail(EMB002=12, HIER003=1), {"EMB002"}, observed)


@corruption("EMB003", base="table")
def rows_on_and_beyond_the_boundary(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A norm of 1 is outside as well."""
    rows = species(frame, generator, 2)
    beyond = np.eye(10)[:2] * [[1.0], [1.2]]
    return Corrupted(with_rows(frame, rows, beyond), fail(EMB003=2))


@corruption("EMB004", base="table")
def a_few_rows_at_the_clip(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """12 of 177 are more than 5 % at the clip; the ranking is strong, so it is a warning."""
    rows = species(frame, generator, 12)
    return Corrupted(with_radii(frame, rows, CLIP_RADIUS - 0.01), warn(EMB004=12))


def at_the_clip(frame: DatasetFrame) -> tuple[DatasetFrame, dict[str, Verdict]]:
    """Every other species at the clip, 63 of 177 rows, and what follows whatever the cause.

    More than a quarter of the norms are above 0.9, and more than 5 % at the clip: both readings are
    bad, and a strong ranking makes it a warning. Their far pairs are at the largest distance that
    there is.
    """
    damaged = with_radii(frame, Tree(frame.pairs).leaves()[::2], CLIP_RADIUS - 0.01)
    at = far_pairs(table_of(damaged).vectors, 0.98 * 2 * CLIP_RADIUS)
    assert at > 0.01 * 177 * 176 / 2
    return damaged, {
        "EMB004": ("warn", len(Tree(frame.pairs).leaves()[::2])),
        "EMB010": ("warn", at),
        "TRAIN002": ("warn", 0),
    }


@corruption("EMB004", "EMB010", "TRAIN002", base="table")
def many_rows_at_the_clip(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The clip is the cause; the crowd and the ceiling are what it leads to."""
    return Corrupted(*at_the_clip(frame), {"TRAIN002"})


@corruption("EMB005", "HIER003", base="table")
def table_near_the_origin(frame: DatasetFrame, _: Generator) -> Corrupted:
    """All radii are a hundredth: in order still, but in flat space sisters hide the root."""
    small = radii(table_of(frame).vectors) / 100
    damaged = with_radii(frame, list(range(177)), small)
    expected = warn(EMB005=177) | {"HIER003": reconstruction(damaged)}
    assert expected["HIER003"][0] == "fail"
    return Corrupted(damaged, expected, {"EMB005"})


def sister_species(frame: DatasetFrame, count: int) -> tuple[list[int], list[int]]:
    """Species of different families, and a sister of each, of the same genus."""
    tree = Tree(frame.pairs)
    families = [x for x in tree.nodes if tree.depth(x) == 2][:count]
    first, second = ([tree.children[tree.children[x][0]][k] for x in families] for k in (0, 1))
    return first, second


@corruption("EMB007", base="table")
def rows_copied(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Four species have the row of a sister."""
    first, second = sister_species(frame, 4)
    return Corrupted(with_rows(frame, second, table_of(frame).vectors[first]), warn(EMB007=4))


@corruption("EMB007", base="table")
def rows_on_one_ray(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Three species, more than 1 %, have the direction of a sister at half her norm."""
    first, second = sister_species(frame, 3)
    return Corrupted(with_rows(frame, second, table_of(frame).vectors[first] / 2), warn(EMB007=3))


@corruption("EMB008", base="table")
def dimensions_that_nothing_uses(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The same points in 60 dimensions, of which they still fill ten: distances are as before."""
    vectors = table_of(frame).vectors
    used = dimensions_used(vectors)
    assert (used - 1) / 59 < 0.2
    damaged = with_table(frame, vectors=np.pad(vectors, ((0, 0), (0, 50))))
    return Corrupted(damaged, warn(EMB008=60 - round(used)))


@corruption("EMB009", base="table")
def rows_too_far_out_for_half_precision(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """In float16 a row at radius 7 is known to 2^-11 e^7 / 2 = 0.27, one at 2.9 to 0.004.

    That they were saved as float32 afterwards brings nothing back.
    """
    far = with_radii(frame, species(frame, generator, 10), 7.0)
    half = table_of(far).vectors.astype(np.float16).astype(np.float32)
    return Corrupted(with_table(far, vectors=half), warn(EMB009=10))


@_bad("EMB001", "fail", 2, "the table ends with the 13th of 15 rows")
def _(folder: Folder) -> None:
    folder.trained.vectors = folder.trained.vectors[:13]


@_bad("EMB002", "fail", 3, "a step without burn-in made the lion NaN, and with it the two foxes")
def _(folder: Folder) -> None:
    folder.trained.vectors[[9, 10, 13]] = np.nan


@_bad("EMB003", "fail", 2, "nothing projected the wolf and the coyote, whose norms are 1 and 1.02")
def _(folder: Folder) -> None:
    table = folder.trained
    table.vectors[7] = (0, 1, 0, 0, 0)
    table.vectors[8] = (0, 0, 1.02, 0, 0)


@bad(
    "EMB004",
    "fail",
    125,
    "all 125 species, 71 % of 177 rows, were cut at the clip, in each other's directions",
    ok=starfish_folder,
)
def _(folder: Folder) -> None:
    table, parents = folder.trained, starfish()
    species = leaves(parents)
    towards = unit(table.vectors[species].astype(np.float64))[::-1]
    table.vectors[species] = np.round(towards * CLIP, 6)


@_bad("EMB005", "warn", 15, "hardly a learning rate: all 15 rows are within 0.005 of the origin")
def _(folder: Folder) -> None:
    table = folder.trained
    rng = np.random.default_rng(0)
    table.vectors = np.round(rng.uniform(-1e-3, 1e-3, (15, 5)), 6).astype(np.float32)


@_bad("EMB007", "warn", 2, "the coyote's row is the wolf's, and the tiger's is the lion's")
def _(folder: Folder) -> None:
    table = folder.trained
    table.vectors[[8, 14]] = table.vectors[[7, 13]]


@_bad("EMB008", "warn", 4, "all rows lie on one axis, the canids to its left, so 4 of 5 are empty")
def _(folder: Folder) -> None:
    table = folder.trained
    radius = radii(table.vectors)
    canids = np.isin(np.arange(15), [1, 3, 4, 7, 8, 9, 10])
    norms = np.tanh(radius / 2) * np.where(canids, -1, 1)
    table.vectors[:] = 0
    table.vectors[:, 0] = np.round(norms, 4)


@_bad("EMB009", "warn", 8, "in float16, where 2^-11 e^7.5 / 2 = 0.44 for the 8 species at 7.5")
def _(folder: Folder) -> None:
    table = folder.trained
    moved_to(table, _SPECIES, 7.5)
    table.vectors = table.vectors.astype(np.float16)


@_bad(
    "EMB010",
    "warn",
    16,
    "trained to part two families, which it did: 4 x 4 pairs of their species are at the clip "
    "on opposite sides, 16 of 105",
)
def _(folder: Folder) -> None:
    table = folder.trained
    spread = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]]) * 0.2
    for rows, side in ((range(7, 11), -1), (range(11, 15), 1)):
        towards = unit(np.column_stack([np.full(4, side), spread, np.zeros((4, 2))]))
        table.vectors[list(rows)] = np.round(towards * (CLIP - 1e-6), 6)
