"""Corruptions of a table's rows, which it takes no data to see (EMB001 to EMB010)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, pick
from taxcheck.selftest.corruptions.registry import Corrupted, Verdict, corruption
from taxcheck.selftest.corruptions.trained import (
    dimensions_used,
    far_pairs,
    random_rows,
    reconstruction,
    table_of,
    with_radii,
    with_rows,
)
from taxcheck.selftest.layout import CLIP, radii

CLIP_RADIUS = float(np.log((1 + CLIP) / (1 - CLIP)))


def species(frame: DatasetFrame, generator: np.random.Generator, count: int) -> list[int]:
    """Some of the 125 leaves; a dozen at most, since a thirtieth of the edges may point inwards."""
    return pick(generator, Tree(frame.pairs).leaves(), count)


def cut(frame: DatasetFrame, rows: int) -> DatasetFrame:
    """The dataset whose table lacks its last rows."""
    table = table_of(frame)
    assert table.updates is not None
    shorter = replace(table, vectors=table.vectors[:-rows], updates=table.updates[:-rows])
    return replace(frame, table=shorter)


@corruption("EMB001", base="table")
def row_cut_off(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The last row is missing, so nothing trained it; the gap is the cause that leads."""
    expected: dict[str, Verdict] = {"EMB001": ("fail", 1), "EMB006": ("fail", 1)}
    return Corrupted(cut(frame, 1), expected, frozenset({"EMB001"}))


@corruption("EMB001", base="table")
def family_cut_off(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The last family has no row: 17 sources rank behind all others, and the mean rank with them.

    It is about (17 x 173 + 159) / 176 = 17.6 then, where popularity has 8.6; MAP loses a tenth
    only. Edges to a node without a radius are left out.
    """
    assert len(Tree(frame.pairs).below(160)) == 17
    expected: dict[str, Verdict] = {
        "EMB001": ("fail", 17),
        "EMB006": ("fail", 17),
        "HIER003": ("fail", 1),
        "TRAIN006": ("warn", 17),
    }
    return Corrupted(cut(frame, 17), expected, frozenset({"EMB001"}))


@corruption("EMB001", base="table")
def rows_to_spare(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Three rows, trained like the others, stand for no node."""
    table = table_of(frame)
    assert table.updates is not None
    more = random_rows(3, 2.8, generator).astype(np.float32)
    longer = replace(
        table, vectors=np.r_[table.vectors, more], updates=np.r_[table.updates, [200] * 3]
    )
    return Corrupted(replace(frame, table=longer), {"EMB001": ("fail", 3)})


@corruption("EMB002", base="table")
def rows_that_are_no_numbers(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """One NaN in a row, or one infinity, is enough."""
    rows = species(frame, generator, 2)
    broken = table_of(frame).vectors[rows].copy()
    broken[:, 3] = [np.nan, -np.inf]
    return Corrupted(with_rows(frame, rows, broken), {"EMB002": ("fail", 2)})


@corruption("EMB002", base="table")
def many_rows_that_are_no_numbers(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A NaN has no neighbours: ancestors of 12 species rank behind the 172 rows that are none.

    The mean rank is about (12 x 173 + 164) / 176 = 12.7 then, where popularity has 8.6; MAP loses
    7 % only. Edges to a node without a radius are left out.
    """
    rows = species(frame, generator, 12)
    expected: dict[str, Verdict] = {"EMB002": ("fail", 12), "HIER003": ("fail", 1)}
    observed = {"HIER002": {"sources": 164, "edges left out": 12}}
    broken = np.full((12, 10), np.nan)
    damaged = with_rows(frame, rows, broken)
    return Corrupted(damaged, expected, frozenset({"EMB002"}), observed)


@corruption("EMB003", base="table")
def rows_on_and_beyond_the_boundary(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """A norm of 1 is outside as well."""
    rows = species(frame, generator, 2)
    beyond = np.eye(10)[:2] * [[1.0], [1.2]]
    return Corrupted(with_rows(frame, rows, beyond), {"EMB003": ("fail", 2)})


@corruption("EMB004", base="table")
def a_few_rows_at_the_clip(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """12 of 177 are more than 5 % at the clip; the ranking is strong, so it is a warning."""
    rows = species(frame, generator, 12)
    return Corrupted(with_radii(frame, rows, CLIP_RADIUS - 0.01), {"EMB004": ("warn", 12)})


def at_the_clip(frame: DatasetFrame) -> tuple[DatasetFrame, dict[str, Verdict]]:
    """Every other species at the clip, 63 of 177 rows, and what follows whatever the cause.

    More than a quarter of the norms are above .9, and more than 5 % at the clip: both readings are
    bad, and no ranking excuses it. Their far pairs are at the largest distance that there is.
    """
    damaged = with_radii(frame, Tree(frame.pairs).leaves()[::2], CLIP_RADIUS - 0.01)
    at = far_pairs(table_of(damaged).vectors, 0.98 * 2 * CLIP_RADIUS)
    assert at > 0.01 * 177 * 176 / 2
    return damaged, {
        "EMB004": ("fail", len(Tree(frame.pairs).leaves()[::2])),
        "EMB010": ("warn", at),
        "TRAIN002": ("warn", 0),
    }


@corruption("EMB004", "EMB010", "TRAIN002", base="table")
def many_rows_at_the_clip(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The clip is the cause; the crowd and the ceiling are what it leads to."""
    return Corrupted(*at_the_clip(frame), frozenset({"TRAIN002"}))


@corruption("EMB005", "HIER003", base="table")
def table_near_the_origin(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """All radii are a hundredth: in order still, but in flat space sisters hide the root."""
    small = radii(table_of(frame).vectors) / 100
    damaged = with_radii(frame, list(range(177)), small)
    expected: dict[str, Verdict] = {"EMB005": ("warn", 177), "HIER003": reconstruction(damaged)}
    assert expected["HIER003"][0] == "fail"
    return Corrupted(damaged, expected, frozenset({"EMB005"}))


def sister_species(frame: DatasetFrame, count: int) -> list[tuple[int, int]]:
    """Two species of one genus, from each of so many families."""
    tree = Tree(frame.pairs)
    families = [x for x in tree.nodes if tree.depth(x) == 2][:count]
    first, second = ([tree.children[tree.children[x][0]][k] for x in families] for k in (0, 1))
    return list(zip(first, second, strict=True))


@corruption("EMB007", base="table")
def rows_copied(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Four species have the row of a sister."""
    sisters = sister_species(frame, 4)
    rows = table_of(frame).vectors[[first for first, _ in sisters]]
    return Corrupted(
        with_rows(frame, [second for _, second in sisters], rows), {"EMB007": ("warn", 4)}
    )


@corruption("EMB007", base="table")
def rows_on_one_ray(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Three species, more than 1 %, have the direction of a sister at half her norm."""
    sisters = sister_species(frame, 3)
    rows = table_of(frame).vectors[[first for first, _ in sisters]] / 2
    return Corrupted(
        with_rows(frame, [second for _, second in sisters], rows), {"EMB007": ("warn", 3)}
    )


@corruption("EMB008", base="table")
def dimensions_that_nothing_uses(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The same points in 60 dimensions, of which they still fill ten: distances are as before."""
    table = table_of(frame)
    wide = np.pad(table.vectors, ((0, 0), (0, 50)))
    used = dimensions_used(table.vectors)
    assert (used - 1) / 59 < 0.2
    damaged = replace(frame, table=replace(table, vectors=wide))
    return Corrupted(damaged, {"EMB008": ("warn", 60 - round(used))})


@corruption("EMB009", base="table")
def rows_too_far_out_for_half_precision(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """In float16 a row at radius 7 is known to 2^-11 e^7 / 2 = .27, one at 2.9 to .004."""
    far = with_radii(frame, species(frame, generator, 10), 7.0)
    table = table_of(far)
    half = replace(table, vectors=table.vectors.astype(np.float16))
    return Corrupted(replace(far, table=half), {"EMB009": ("warn", 10)})
