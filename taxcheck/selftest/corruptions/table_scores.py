"""Corruptions of what a table knows of its hierarchy (HIER001 to HIER009)."""

from __future__ import annotations

import numpy as np

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, pick
from taxcheck.selftest.corruptions.registry import Corrupted, Verdict, corruption
from taxcheck.selftest.corruptions.trained import (
    NOTHING_LEARNT,
    random_rows,
    reconstruction,
    small_family,
    table_of,
    with_radii,
    with_rows,
    with_updates,
)
from taxcheck.selftest.layout import in_ball, radii, unit


@corruption("HIER001", "HIER003", base="table")
def radii_by_family(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Families begin at radii from .4 to 2.6, and each level adds .1.

    The radius tells the family and not the depth, though each child is beyond its parent.
    Rows of the inner families then stand before the ancestors of all others.
    """
    tree = Tree(frame.pairs)
    families = [x for x in tree.nodes if tree.depth(x) == 2]
    damaged = frame
    for family, start in zip(families, np.linspace(0.4, 2.6, len(families)), strict=True):
        rows = tree.below(family)
        levels = np.array([tree.depth(x) - 2 for x in rows])
        damaged = with_radii(damaged, rows, start + 0.1 * levels)
    expected: dict[str, Verdict] = {"HIER001": ("warn", 0), "HIER003": reconstruction(damaged)}
    assert expected["HIER003"][0] == "fail"
    return Corrupted(damaged, expected, frozenset(expected))


@corruption("HIER002", base="table")
def species_inside_of_their_genus(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """12 of 176 nodes, 6.8 %, stayed at 1.2, their genera are at 1.5."""
    rows = pick(generator, Tree(frame.pairs).leaves(), 12)
    return Corrupted(with_radii(frame, rows, 1.2), {"HIER002": ("warn", 12)})


@corruption("HIER003", "HIER004", "HIER006", "HIER009", base="table")
def rows_dealt_within_their_depth(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """The table is one of its own nulls, and radii by depth are as they were.

    Four rules see the one defect, and none of them explains another: all lead.
    """
    tree, damaged = Tree(frame.pairs), frame
    for level in (1, 2, 3, 4):
        rows = [x for x in tree.nodes if tree.depth(x) == level]
        dealt = table_of(frame).vectors[generator.permutation(rows)]
        damaged = with_rows(damaged, rows, dealt)
    return Corrupted(damaged, NOTHING_LEARNT, frozenset(NOTHING_LEARNT))


@corruption("HIER003", "HIER004", "HIER006", "HIER009", base="table")
def initialised_by_depth_and_no_more(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """Random directions at the layout's own radii: what the rules of the radius cannot see."""
    rows = list(range(1, 177))
    table = table_of(frame).vectors
    towards = unit(generator.standard_normal((176, 10)))
    damaged = with_rows(frame, rows, in_ball(towards, radii(table[rows])))
    return Corrupted(damaged, NOTHING_LEARNT, frozenset(NOTHING_LEARNT))


@corruption("HIER003", "HIER004", base="table")
def genera_in_other_families(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Every genus has the row of one half the list away, in another family.

    125 species and 38 genera lose their parent, 13 of 176 nodes keep theirs: fewer than chance
    finds. Ancestry suffers with it; species still stand beside their sisters.
    """
    tree = Tree(frame.pairs)
    genera = [x for x in tree.nodes if tree.depth(x) == 3]
    moved = np.roll(genera, len(genera) // 2)
    assert all(tree.parent[a] != tree.parent[b] for a, b in zip(genera, moved, strict=True))
    damaged = with_rows(frame, genera, table_of(frame).vectors[moved])
    expected: dict[str, Verdict] = {"HIER003": ("fail", 2), "HIER004": ("warn", 3)}
    return Corrupted(damaged, expected, frozenset(expected))


@corruption("HIER005", base="table")
def family_scattered(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A family's members lie anywhere far out: one clade of eleven, scattered."""
    rows = small_family(Tree(frame.pairs))[1:]
    damaged = with_rows(frame, rows, random_rows(len(rows), 4.5, generator))
    return Corrupted(
        damaged, {"HIER005": ("warn", 1)}, observed={"HIER005": {"scattered": 1, "tight": 0}}
    )


@corruption("HIER005", base="table")
def family_drawn_together(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """A family's members went a twentieth of their way from it: one clade, far too tight."""
    rows = small_family(Tree(frame.pairs))
    vectors = table_of(frame).vectors[rows].astype(np.float64)
    towards = unit(unit(vectors[:1]) + 0.05 * (unit(vectors) - unit(vectors[:1])))
    own = radii(table_of(frame).vectors[rows])
    damaged = with_rows(frame, rows, in_ball(towards, own[0] + 0.05 * (own - own[0])))
    return Corrupted(
        damaged, {"HIER005": ("warn", 1)}, observed={"HIER005": {"scattered": 0, "tight": 1}}
    )


@corruption("HIER005", "EMB006", base="table")
def family_scattered_for_lack_of_training(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """The same, where none of its 12 rows was ever updated: the scatter is folded under that."""
    family = small_family(Tree(frame.pairs))
    damaged = family_scattered(frame, generator).frame
    expected: dict[str, Verdict] = {
        "EMB006": ("fail", 12),
        "HIER005": ("warn", 1),
        "TRAIN006": ("warn", 12),  # 6.8 % of the rows
    }
    return Corrupted(with_updates(damaged, family, 0), expected, frozenset({"EMB006"}))


@corruption("HIER007", base="table")
def root_off_the_centre(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The root moves to radius .5, beyond both orders at .3."""
    assert len(Tree(frame.pairs).children[0]) == 2
    return Corrupted(with_radii(frame, [0], 0.5), {"HIER007": ("info", 2)})


@corruption("HIER008", base="table of a genus")
def strains_far_from_each_other(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Without groups the genus in the middle is among the ten nearest rows of every strain.

    One of 601 rows occurs 600 times and the others about nine times: a skew near the square root
    of 601, 24.5. That is told, never blamed.
    """
    rows = list(range(1, 601))
    radius = generator.uniform(2.7, 2.93, 600)
    towards = unit(generator.standard_normal((600, 10)))
    return Corrupted(with_rows(frame, rows, in_ball(towards, radius)), {"HIER008": ("info", 0)})
