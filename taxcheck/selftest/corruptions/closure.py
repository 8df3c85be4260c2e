"""Corruptions of the closure: TREE004 to TREE007, with distances and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, one, pick
from taxcheck.selftest.corruptions.judge import dominance, imbalance
from taxcheck.selftest.corruptions.pair_rows import deep_rows
from taxcheck.selftest.corruptions.registry import SKIPPED, Corrupted, Verdict, corruption


@corruption("TREE004")
def some_ancestors_missing(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A hundred pairs between distant nodes were lost."""
    keep = np.ones(len(frame.pairs), dtype=bool)
    keep[deep_rows(frame, generator, 100)] = False
    return Corrupted(frame.only(keep), {"TREE004": ("fail", 100)})


@corruption("TREE004", "PAIR009")
def grandparents_missing(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """All pairs at distance 2 were lost, a tenth of the closure: its histogram is bent."""
    grand = frame.pairs["depth_diff"] == 2
    damaged = frame.only(~grand)
    expected: dict[str, Verdict] = {
        "PAIR009": imbalance(damaged.pairs["depth_diff"], Tree(frame.pairs).parent),
        "PAIR011": dominance(damaged.pairs["ancestor_idx"]),
        "TREE004": ("fail", int(grand.sum())),
    }
    return Corrupted(damaged, expected, frozenset({"TREE004"}))


@corruption("TREE004", "PAIR009", "PAIR011")
def edges_passed_off_as_a_closure(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Only parents and children are there, where a closure is meant."""
    damaged = frame.only(frame.pairs["depth_diff"] == 1)
    expected: dict[str, Verdict] = {
        "PAIR009": imbalance(damaged.pairs["depth_diff"], Tree(frame.pairs).parent),
        "PAIR011": dominance(damaged.pairs["ancestor_idx"]),
        "TREE004": ("fail", len(frame.pairs) - len(damaged.pairs)),
    }
    return Corrupted(damaged, expected, frozenset({"TREE004"}))


@corruption("PAIR011")
def edges_as_declared(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The same rows under a policy that says so: they are all at depth 1, as they should be."""
    damaged = frame.only(frame.pairs["depth_diff"] == 1).declaring(pairs="edges")
    expected: dict[str, Verdict] = {
        "PAIR009": ("pass", 0),
        "PAIR011": dominance(damaged.pairs["ancestor_idx"]),
        "TREE004": SKIPPED,
    }
    return Corrupted(damaged, expected)


@corruption("TREE004")
def closure_to_another_depth_than_declared(
    frame: DatasetFrame, _: np.random.Generator
) -> Corrupted:
    """Declared up to depth 4, there up to depth 3: what is deeper than 4 is not asked for."""
    distance = frame.pairs["depth_diff"]
    damaged = frame.only(distance <= 3).declaring(pairs="depth<=4")
    share = (distance <= 4).sum()
    # Without its last depth the histogram departs from the declared one by that depth's share.
    departs = (distance == 4).sum() / share > 0.05
    assert departs
    expected: dict[str, Verdict] = {
        "PAIR009": ("warn", 0),
        "PAIR011": dominance(damaged.pairs["ancestor_idx"]),
        "TREE004": ("fail", int((distance == 4).sum())),
    }
    return Corrupted(damaged, expected, frozenset({"TREE004"}))


@corruption("TREE005")
def false_ancestors_at_occupied_levels(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """Each of twelve nodes gets a second ancestor at a level that has one: false, no duplicate."""
    tree = Tree(frame.pairs)
    at_depth: dict[int, list[int]] = {}
    for node in tree.nodes:
        at_depth.setdefault(tree.depth(node), []).append(node)
    false = []
    for leaf in generator.choice(tree.leaves(depth=5), size=12, replace=False).tolist():
        k = int(generator.integers(2, 4))
        strangers = [x for x in at_depth[tree.depth(leaf) - k] if x not in tree.above(leaf)]
        false.append((one(generator, strangers), leaf, k))
    return Corrupted(frame.appended(tree.rows(false)), {"TREE005": ("fail", 12)})


@corruption("TREE006")
def row_with_depths_of_another_build(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """Both depths of one row are one too large: the row agrees with itself, its nodes do not."""
    pairs = frame.pairs.copy()
    row = deep_rows(frame, generator, 1)
    pairs.loc[row, ["ancestor_depth", "descendant_depth"]] += 1
    return Corrupted(replace(frame, pairs=pairs), {"TREE006": ("fail", 2)})


@corruption("TREE007")
def parents_of_leaves_missing(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Five leaves keep their distant ancestors and lose their parent.

    Each starts a tree of its own. What it keeps is above the break: unproven, and not false.
    """
    tree = Tree(frame.pairs)
    leaves = pick(generator, tree.leaves(depth=3), 5)
    edges = (frame.pairs["depth_diff"] == 1) & frame.pairs["descendant_idx"].isin(leaves)
    expected: dict[str, Verdict] = {
        "TREE003": ("info", 6),
        "TREE005": ("warn", 0),
        "TREE007": ("fail", 5),
    }
    observed = {"TREE005": {"unproven": sum(tree.depth(leaf) - 1 for leaf in leaves)}}
    return Corrupted(frame.only(~edges), expected, frozenset({"TREE007"}), observed)


@corruption("TREE007")
def parent_of_a_clade_missing(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """An inner node loses its edge upwards: its whole clade hangs from a broken chain.

    Below the break everything is implied and there; across it nothing is implied.
    """
    tree = Tree(frame.pairs)
    # of a size that leaves the histogram near the hierarchy's own
    clades = [x for x in tree.children if tree.depth(x) >= 3 and len(tree.below(x)) < 60]
    top = one(generator, clades)
    edge = (frame.pairs["depth_diff"] == 1) & (frame.pairs["descendant_idx"] == top)
    expected: dict[str, Verdict] = {
        "TREE003": ("info", 2),
        "TREE005": ("warn", 0),
        "TREE007": ("fail", 1),
    }
    # every node of the clade with every node above the break, but for the edge itself
    across = len(tree.below(top)) * tree.depth(top) - 1
    observed = {"TREE005": {"unproven": across}}
    return Corrupted(frame.only(~edge), expected, frozenset({"TREE007"}), observed)


@corruption("TREE002", "TREE004", base="tree without depths")
def false_ancestor_without_depths(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Without distances a false pair between strangers is an edge of the transitive reduction."""
    tree = Tree(_with_distance(frame.pairs))
    leaf = one(generator, tree.leaves(depth=5))
    own = tree.above(leaf)
    false = one(generator, [x for x in tree.children if x not in own and tree.depth(x) > 3])
    missing = len(set(tree.above(false)) - set(own))
    row = pd.DataFrame({"ancestor_idx": [false], "descendant_idx": [leaf]})
    expected: dict[str, Verdict] = {"TREE002": ("warn", 1)}
    return Corrupted(
        frame.appended(row), expected | ({"TREE004": ("fail", missing)} if missing else {})
    )


@corruption("TREE004", base="tree without depths")
def missing_ancestors_without_depths(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """Pairs with someone in between are implied by the reduction, whether they are there or not."""
    distant = np.flatnonzero(_with_distance(frame.pairs)["depth_diff"] > 1)
    keep = np.ones(len(frame.pairs), dtype=bool)
    keep[generator.choice(distant, size=20, replace=False)] = False
    return Corrupted(frame.only(keep), {"TREE004": ("fail", 20)})


@corruption("TREE001", "PAIR007", base="labels")
def cycle_of_labels(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A file of labels alone, without mapping and distances: a leaf is above its parent.

    Within a cycle no reduction is unique, so its two pairs both stay as edges, and what was implied
    through them is an edge too: both ends have each other and the grandparent as parents.
    """
    tree = _of_labels(frame.pairs)
    leaf = one(generator, tree.leaves(depth=4))
    parent = tree.parent[leaf]
    missing = len(tree.below(parent)) - 2  # the leaf is now above its parent's other descendants
    row = pd.DataFrame({"descendant_label": [parent], "ancestor_label": [leaf]})
    expected: dict[str, Verdict] = {
        "PAIR007": ("fail", 1),
        "TREE001": ("fail", 2),
        "TREE002": ("warn", 2),
    }
    if missing:
        expected["TREE004"] = ("fail", missing)
    return Corrupted(frame.appended(row), expected, frozenset({"PAIR007"}))


def _of_labels(pairs: pd.DataFrame) -> Tree:
    names = {f"{end}_label": f"{end}_idx" for end in ("ancestor", "descendant")}
    return Tree(_with_distance(pairs.rename(columns=names)))


def _with_distance(pairs: pd.DataFrame) -> pd.DataFrame:
    """In a complete closure a node's number of ancestors is its depth."""
    count = pairs["descendant_idx"].value_counts()
    depth = {end: pairs[f"{end}_idx"].map(count).fillna(0) for end in ("ancestor", "descendant")}
    return pairs.assign(depth_diff=(depth["descendant"] - depth["ancestor"]).astype(int))
