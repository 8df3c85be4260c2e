"""Corruptions of direction and distance: PAIR007, PAIR008, PAIR015."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, one
from taxcheck.selftest.corruptions.judge import dominance, negatives
from taxcheck.selftest.corruptions.pair_rows import deep_rows
from taxcheck.selftest.corruptions.registry import SKIPPED, Corrupted, Verdict, corruption

_BOTH_WAYS = (("ancestor", "descendant"), ("descendant", "ancestor"))


@corruption("PAIR007", "PAIR008", "TREE005")
def distant_pair_reversed(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
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


def _cycle(frame: DatasetFrame, low: int, high: int) -> dict[str, Verdict]:
    """What an edge from ``low`` up to ``high`` does, where high is an ancestor of low, no root.

    The nodes on the way v0 = high, ..., vk = low are now above everything that high is above. Each
    vi had its own subtree, so |subtree(high)| - |subtree(vi)| pairs are new, and the one that was
    added is there. No distance gets shorter: the way round is longer than every way down.
    """
    tree = Tree(frame.pairs)
    way = [low, *tree.above(low)]
    way = way[: way.index(high) + 1]
    whole = len(tree.below(high))
    missing = sum(whole - len(tree.below(node)) for node in way) - 1
    expected: dict[str, Verdict] = {
        "PAIR007": ("fail", 1),
        "PAIR008": ("fail", 1),  # one step down, the columns say up
        "TREE001": ("fail", len(way)),
        "TREE002": ("warn", 1),  # high has its own parent and low
    }
    return expected | ({"TREE004": ("fail", missing)} if missing else {})


@corruption("PAIR007", "PAIR008", "TREE005", "TREE007")
def root_called_a_descendant(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A distant pair with the root is reversed: the root descends from something, and no parent.

    Its chain reaches nothing and contradicts nothing, but the pair's other direction does.
    """
    tree = Tree(frame.pairs)
    node = one(generator, [x for x in tree.nodes if tree.depth(x) >= 4])
    damaged = frame.appended(tree.rows([(node, tree.root, tree.depth(node))]))
    expected: dict[str, Verdict] = {
        "PAIR007": ("fail", 1),
        "PAIR008": ("fail", 1),
        "TREE005": ("fail", 1),
        "TREE007": ("fail", 1),
    }
    return Corrupted(damaged, expected)


@corruption("TREE001", "PAIR007", "PAIR008")
def edge_reversed(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A parent-child pair is there the other way round too: a cycle of two."""
    tree = Tree(frame.pairs)
    child = one(generator, [x for x in tree.nodes if tree.depth(x) >= 2])
    parent = tree.parent[child]
    damaged = frame.appended(tree.rows([(child, parent, 1)]))
    # The reversed pair explains the cycle; its depth columns are a contradiction of their own.
    leads = frozenset({"PAIR007", "PAIR008"})
    return Corrupted(damaged, _cycle(frame, child, parent), leads)


@corruption("TREE001", "PAIR007", "PAIR008")
def long_cycle(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A node at depth 6 or more is called the parent of its ancestor four levels up."""
    tree = Tree(frame.pairs)
    # in a clade of a size that leaves the histogram near the hierarchy's own
    small = [x for x in tree.children if tree.depth(x) >= 2 and len(tree.below(x)) < 200]
    below = [(high, x) for high in small for x in tree.below(high) if tree.above(x)[3:4] == [high]]
    high, low = below[int(generator.integers(len(below)))]
    damaged = frame.appended(tree.rows([(low, high, 1)]))
    return Corrupted(damaged, _cycle(frame, low, high))


@corruption("PAIR008", "TREE005")
def distances_off_by_one(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Some distances are one too long: the columns and the chains contradict them."""
    pairs = frame.pairs.copy()
    pairs.loc[deep_rows(frame, generator, 30), "depth_diff"] += 1
    expected: dict[str, Verdict] = {"PAIR008": ("fail", 30), "TREE005": ("fail", 30)}
    return Corrupted(replace(frame, pairs=pairs), expected, frozenset({"PAIR008"}))


@corruption("PAIR008", "TREE006")
def depth_of_one_row_off_by_one(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """The descendant's depth is wrong in one of its rows: it has two depths."""
    pairs = frame.pairs.copy()
    pairs.loc[deep_rows(frame, generator, 1), "descendant_depth"] += 1
    expected: dict[str, Verdict] = {"PAIR008": ("fail", 1), "TREE006": ("fail", 1)}
    return Corrupted(replace(frame, pairs=pairs), expected)


@corruption("PAIR008")
def distances_below_one(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Distances of 0 and below: no hierarchy has them, and the true pairs have others."""
    pairs = frame.pairs.copy()
    rows = deep_rows(frame, generator, 4)
    pairs.loc[rows, "depth_diff"] = [0, 0, -1, -5]
    expected: dict[str, Verdict] = {"PAIR008": ("fail", 4), "TREE005": ("fail", 4)}
    return Corrupted(replace(frame, pairs=pairs), expected, frozenset({"PAIR008"}))


@corruption("PAIR008", "TREE007")
def all_distances_one_too_long(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
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
    return Corrupted(replace(frame, pairs=pairs), expected, frozenset({"PAIR008"}), observed)


@corruption("PAIR015", "PAIR008", "TREE006")
def depth_columns_backwards(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The two depth columns are exchanged: every row runs upwards.

    A node has two depths where it has both roles, or where its partners differ in depth.
    """
    names = {"ancestor_depth": "descendant_depth", "descendant_depth": "ancestor_depth"}
    pairs = frame.pairs.rename(columns=names)
    expected: dict[str, Verdict] = {
        "PAIR008": ("fail", len(pairs)),
        "PAIR015": ("fail", len(pairs)),
        "TREE006": ("fail", _with_two_depths(pairs)),
    }
    return Corrupted(replace(frame, pairs=pairs), expected, frozenset({"PAIR015"}))


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
def all_columns_exchanged(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Ancestor and descendant, idx and depths, are exchanged throughout."""
    swap = {f"{a}_{x}": f"{d}_{x}" for x in ("idx", "depth") for a, d in _BOTH_WAYS}
    pairs = frame.pairs.rename(columns=swap)
    return Corrupted(replace(frame, pairs=pairs), _upside_down(frame, pairs))


@corruption("PAIR015", "TREE006")
def idx_columns_exchanged(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The idx alone are exchanged: the depth columns now belong to the other end of the row."""
    pairs = frame.pairs.rename(columns={f"{a}_idx": f"{d}_idx" for a, d in _BOTH_WAYS})
    expected = _upside_down(frame, pairs) | {"TREE006": ("fail", _with_two_depths(pairs))}
    return Corrupted(replace(frame, pairs=pairs), expected, frozenset({"PAIR015"}))
