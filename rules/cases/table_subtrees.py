"""Corruptions of whole subtrees of a table: two that changed places, and one in a point."""

from __future__ import annotations

from numpy.random import Generator

from taxcheck.commands.selftest.cases import About, Corrupted
from taxcheck.commands.selftest.frame import DatasetFrame, Tree

from .library import corruption, warn
from .trained import table_of, with_rows


def _large_genera(frame: DatasetFrame) -> list[list[int]]:
    """The two genera of eight species, of two orders, each with its rows."""
    tree = Tree(frame.pairs)
    found = [x for x in tree.nodes if tree.depth(x) == 3 and len(tree.below(x)) == 9]
    assert len(found) == 2
    assert tree.parent[tree.parent[found[0]]] != tree.parent[tree.parent[found[1]]]
    return [sorted(tree.below(genus)) for genus in found]


@corruption("HIER006", "HIER010", base="table")
def genera_exchanged(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Two genera of nine rows have each other's: neither is scattered, and every mean is high.

    The two families whose only genus went away are misplaced by their children.
    """
    one, other = _large_genera(frame)
    vectors = table_of(frame).vectors
    damaged = with_rows(frame, one + other, vectors[other + one])
    return Corrupted(
        damaged,
        warn(HIER006=18, HIER010=About(2, 8)),
        observed={"HIER006": {"exchanged": {f"{_name(frame, one)} and {_name(frame, other)}": 18}}},
        causes={"exchanged_subtrees": {"HIER006": (18, 18), "HIER010": (2, About(2, 8))}},
    )


def _name(frame: DatasetFrame, rows: list[int]) -> int:
    return int(frame.mapping.taxid.to_numpy()[rows[0]])


@corruption("EMB007", "HIER005", base="table")
def genus_in_one_point(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The eight species of a genus have its row, so that their family is tight."""
    rows = _large_genera(frame)[0]
    damaged = with_rows(frame, rows, table_of(frame).vectors[[rows[0]] * 9])
    return Corrupted(
        damaged,
        warn(EMB007=8, HIER005=1),
        causes={"collapsed_clade": {"EMB007": (8, 8), "HIER005": (1, 1)}},
    )


@corruption("EMB007", "HIER002", base="table")
def leaves_on_their_parents(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every species of a family has the row of its genus, and the four genera have their own."""
    tree, vectors = Tree(frame.pairs), table_of(frame).vectors
    family = next(x for x in tree.nodes if tree.depth(x) == 2 and len(tree.below(x)) == 21)
    rows = [x for x in sorted(tree.below(family)) if tree.depth(x) == 4]
    damaged = with_rows(frame, rows, vectors[[tree.parent[x] for x in rows]])
    causes = {"collapsed_clade": {"EMB007": (16, 16)}}
    return Corrupted(damaged, warn(EMB007=16, HIER002=16), causes=causes)
