"""Corruptions of direction and distance: PAIR007, PAIR008, PAIR015."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted, Verdict
from taxcheck.commands.selftest.folder import Folder
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, one

from .library import bad, corruption, fail, wholly
from .pair_rows import deep_rows
from .reckoning import dominance, negatives

_BOTH_WAYS = (("ancestor", "descendant"), ("descendant", "ancestor"))


@corruption("PAIR007", "PAIR008", "TREE005")
def distant_pair_reversed(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Copies of distant pairs point upwards; the depths of both ends are stated truly."""
    # a root that descends from something lacks its parent: that is the next corruption
    rows = frame.pairs.iloc[deep_rows(frame, generator, 7, top=1)]
    ends = rows[["descendant_idx", "ancestor_idx", "depth_diff"]]
    damaged = frame.appended(Tree(frame.pairs).rows(ends.itertuples(index=False)))
    expected: dict[str, Verdict] = {
        "PAIR007": ("fail", 7),
        "PAIR008": ("fail", 7),  # depth_diff is positive, the difference of the depths negative
        "TREE005": ("fail", 7),  # the ancestor's own chain does not pass the descendant
    }
    return Corrupted(damaged, expected)


def _cycle(frame: DatasetFrame, low: int, high: int) -> Corrupted:
    """What an edge from ``low`` up to ``high`` does, where high is an ancestor of low, no root.

    One of the edges on the way v0 = high, ..., vk = low is false, so that none of them proves
    anything: of a node below vi, and not below a deeper one, the pairs with all that is above vi
    are unproven, and so is the one that was added.
    """
    tree = Tree(frame.pairs)
    way = [low, *tree.above(low)]
    way = way[: way.index(high) + 1]
    unproven, below = 1, 0
    for node in way[:-1]:
        unproven += (len(tree.below(node)) - below) * tree.depth(node)
        below = len(tree.below(node))
    expected: dict[str, Verdict] = {
        "PAIR007": ("fail", 1),
        "PAIR008": ("fail", 1),  # one step down, the columns say up
        "TREE001": ("fail", len(way)),
        "TREE002": ("warn", 1),  # high has its own parent and low
        "TREE005": ("warn", 0),
    }
    damaged = frame.appended(tree.rows([(low, high, 1)]))
    # The reversed pair explains the cycle; its depth columns are a contradiction of their own.
    leads = {"PAIR007", "PAIR008"}
    return Corrupted(damaged, expected, leads, {"TREE005": {"unproven": unproven}})


@corruption("PAIR007", "PAIR008", "TREE005", "TREE007")
def root_called_a_descendant(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A distant pair with the root is reversed: the root descends from something, and no parent.

    Its chain reaches nothing and contradicts nothing, but the pair's other direction does.
    """
    tree = Tree(frame.pairs)
    node = one(generator, [x for x in tree.nodes if tree.depth(x) >= 4])
    damaged = frame.appended(tree.rows([(node, tree.root, tree.depth(node))]))
    return Corrupted(damaged, fail(PAIR007=1, PAIR008=1, TREE005=1, TREE007=1))


@corruption("TREE001", "PAIR007", "PAIR008")
def edge_reversed(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A parent-child pair is there the other way round too: a cycle of two."""
    tree = Tree(frame.pairs)
    child = one(generator, [x for x in tree.nodes if tree.depth(x) >= 2])
    return _cycle(frame, child, tree.parent[child])


@corruption("TREE001", "PAIR007", "PAIR008")
def long_cycle(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A node at depth 6 or more is called the parent of its ancestor four levels up."""
    tree = Tree(frame.pairs)
    # in a clade of a size that leaves the histogram near the hierarchy's own
    small = [x for x in tree.children if tree.depth(x) >= 2 and len(tree.below(x)) < 200]
    below = [(high, x) for high in small for x in tree.below(high) if tree.above(x)[3:4] == [high]]
    high, low = below[int(generator.integers(len(below)))]
    return _cycle(frame, low, high)


@corruption("PAIR008", "TREE005")
def distances_off_by_one(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Some distances are one too long: the columns and the chains contradict them."""
    pairs = frame.pairs.copy()
    pairs.loc[deep_rows(frame, generator, 30), "depth_diff"] += 1
    return Corrupted(replace(frame, pairs=pairs), fail(PAIR008=30, TREE005=30), {"PAIR008"})


@corruption("PAIR008", "TREE006")
def depth_of_one_row_off_by_one(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The descendant's depth is wrong in one of its rows: it has two depths."""
    pairs = frame.pairs.copy()
    pairs.loc[deep_rows(frame, generator, 1), "descendant_depth"] += 1
    return Corrupted(replace(frame, pairs=pairs), fail(PAIR008=1, TREE006=1))


@corruption("PAIR008")
def distances_below_one(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Distances of 0 and below: no hierarchy has them, and the true pairs have others."""
    pairs = frame.pairs.copy()
    rows = deep_rows(frame, generator, 4)
    pairs.loc[rows, "depth_diff"] = [0, 0, -1, -5]
    return Corrupted(replace(frame, pairs=pairs), fail(PAIR008=4, TREE005=4), {"PAIR008"})


@corruption("PAIR008", "TREE007")
def all_distances_one_too_long(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Counting nodes instead of steps: no pair is at distance 1, so no node has a parent."""
    pairs = frame.pairs.assign(depth_diff=frame.pairs["depth_diff"] + 1)
    n = len(frame.mapping)
    expected: dict[str, Verdict] = {
        "PAIR008": ("fail", len(pairs)),
        "PAIR009": ("info", None),
        "PAIR013": SKIPPED,  # without an edge there is no closure to draw from,
        "PAIR015": SKIPPED,  # nothing to read a direction from,
        "TREE002": SKIPPED,  # no node with a parent,
        "TREE003": ("info", n),
        "TREE004": SKIPPED,  # and nothing that could be missing
        "TREE005": ("warn", 0),
        "TREE007": ("fail", n - 1),
    }
    observed = {"TREE005": {"unproven": len(pairs)}}
    explains = {id: (k, k) for id, k in (("PAIR008", len(pairs)), ("TREE007", n - 1))}
    explains["TREE005"] = (len(pairs), len(pairs))
    return Corrupted(
        replace(frame, pairs=pairs),
        expected,
        {"depths_offset"},
        observed,
        {"depths_offset": explains},
    )


@corruption("PAIR015", "PAIR008", "TREE006")
def depth_columns_backwards(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The two depth columns are exchanged: every row runs upwards.

    A node has two depths where it has both roles, or where its partners differ in depth.
    """
    names = {"ancestor_depth": "descendant_depth", "descendant_depth": "ancestor_depth"}
    pairs = frame.pairs.rename(columns=names)
    expected = fail(PAIR008=len(pairs), PAIR015=len(pairs), TREE006=_with_two_depths(pairs))
    return Corrupted(replace(frame, pairs=pairs), expected, {"PAIR015"})


def _with_two_depths(pairs: pd.DataFrame) -> int:
    ends = [
        pairs[[f"{end}_idx", f"{end}_depth"]].set_axis(["idx", "depth"], axis=1)
        for end in ("ancestor", "descendant")
    ]
    return int((pd.concat(ends).groupby("idx")["depth"].nunique() > 1).sum())


def _upside_down(frame: DatasetFrame, pairs: pd.DataFrame) -> dict[str, Verdict]:
    """What exchanged idx columns do: leaves become roots, children become parents.

    Paths in a tree are unique whichever way they are walked, so nothing is missing or false; and
    with that many parents the kind is a DAG, whose depths PAIR008 only bounds.
    """
    tree = Tree(frame.pairs)
    several = sum(len(children) > 1 for children in tree.children.values())
    roots = len(tree.nodes) - len(tree.children)
    # Depth from a root is now the way up from the nearest leaf.
    height = dict.fromkeys((x for x in tree.nodes if x not in tree.children), 0)
    for node in sorted(tree.nodes, key=tree.depth, reverse=True):
        if node in tree.children:
            height[node] = 1 + min(height[child] for child in tree.children[node])
    assert several > 0.01 * len(tree.children)
    return {
        "PAIR011": dominance(pairs["ancestor_idx"]),
        "PAIR013": negatives(pairs, height),
        "PAIR015": ("fail", len(pairs)),
        "TREE002": ("info", several),
        "TREE003": ("info", roots),
    }


@corruption("PAIR015")
def all_columns_exchanged(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Ancestor and descendant, idx and depths, are exchanged throughout."""
    swap = {f"{a}_{x}": f"{d}_{x}" for x in ("idx", "depth") for a, d in _BOTH_WAYS}
    pairs = frame.pairs.rename(columns=swap)
    expected = _upside_down(frame, pairs)
    causes = {"swapped_pair_columns": wholly(expected)}
    return Corrupted(replace(frame, pairs=pairs), expected, causes=causes)


@corruption("PAIR015", "TREE006")
def idx_columns_exchanged(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The idx alone are exchanged: the depth columns now belong to the other end of the row."""
    pairs = frame.pairs.rename(columns={f"{a}_idx": f"{d}_idx" for a, d in _BOTH_WAYS})
    expected = _upside_down(frame, pairs) | {"TREE006": ("fail", _with_two_depths(pairs))}
    causes = {"swapped_pair_columns": wholly(expected)}
    return Corrupted(replace(frame, pairs=pairs), expected, {"swapped_pair_columns"}, causes=causes)


@bad("PAIR007", "fail", 1, "Canidae is above the wolf, and the wolf above Canidae")
def _(folder: Folder) -> None:
    folder.pairs.append((7, 1, 2, 3, 1))


@bad("PAIR008", "fail", 2, "depths 0 and 3 with a distance of 4, depths 1 and 3 with one of 0")
def _(folder: Folder) -> None:
    folder.change((0, 7), 0, 7, 4, 0, 3)
    folder.change((1, 9), 1, 9, 0, 1, 3)


@bad("PAIR015", "fail", 34, "ancestor and descendant are exchanged in all 34 rows")
def _(folder: Folder) -> None:
    folder.pairs = [(d, a, k, below, above) for a, d, k, above, below in folder.pairs]
