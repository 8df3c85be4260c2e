"""Corruptions of the closure: TREE004 to TREE007, with distances and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted, Verdict
from taxcheck.commands.selftest.folder import Folder
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, one, pick

from .library import bad, corruption, fail, info, warn
from .pair_rows import deep_rows
from .reckoning import dominance, imbalance


@corruption("TREE004")
def some_ancestors_missing(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A hundred pairs between distant nodes were lost."""
    lost = frame.pairs.index.isin(deep_rows(frame, generator, 100))
    return Corrupted(frame.only(~lost), fail(TREE004=100))


def _reshaped(frame: DatasetFrame, damaged: DatasetFrame) -> dict[str, Verdict]:
    return {
        "PAIR009": imbalance(damaged.pairs["depth_diff"], Tree(frame.pairs).parent),
        "PAIR011": dominance(damaged.pairs["ancestor_idx"]),
    }


@corruption("TREE004", "PAIR009")
def grandparents_missing(frame: DatasetFrame, _: Generator) -> Corrupted:
    """All pairs at distance 2 were lost, a tenth of the closure: its histogram is bent."""
    grand = frame.pairs["depth_diff"] == 2
    damaged = frame.only(~grand)
    expected = fail(TREE004=int(grand.sum())) | _reshaped(frame, damaged)
    return Corrupted(damaged, expected, {"TREE004"})


@corruption("TREE004", "PAIR009", "PAIR011")
def edges_passed_off_as_a_closure(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Only parents and children are there, where a closure is meant."""
    damaged = frame.only(frame.pairs["depth_diff"] == 1)
    lost = len(frame.pairs) - len(damaged.pairs)
    expected = fail(TREE004=lost) | _reshaped(frame, damaged)
    causes = {"depth_capped": {"TREE004": (lost, lost)}}
    return Corrupted(damaged, expected, {"depth_capped", "TREE004"}, causes=causes)


@corruption("PAIR011")
def edges_as_declared(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The same rows under a policy that says so: they are all at depth 1, as they should be."""
    damaged = frame.only(frame.pairs["depth_diff"] == 1).declaring(pairs="edges")
    expected: dict[str, Verdict] = {
        "PAIR009": ("pass", 0),
        "PAIR011": dominance(damaged.pairs["ancestor_idx"]),
        "TREE004": SKIPPED,
    }
    return Corrupted(damaged, expected)


@corruption("TREE004")
def closure_to_another_depth_than_declared(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Declared up to depth 4, there up to depth 3: what is deeper than 4 is not asked for."""
    distance = frame.pairs["depth_diff"]
    damaged = frame.only(distance <= 3).declaring(pairs="depth<=4")
    share = (distance <= 4).sum()
    # Without its last depth the histogram departs from the declared one by that depth's share.
    departs = (distance == 4).sum() / share > 0.05
    assert departs
    expected = (
        warn(PAIR009=0)
        | fail(TREE004=(lost := int((distance == 4).sum())))
        | {"PAIR011": dominance(damaged.pairs["ancestor_idx"])}
    )
    causes = {"depth_capped": {"TREE004": (lost, lost)}}
    return Corrupted(damaged, expected, {"depth_capped", "TREE004"}, causes=causes)


@corruption("TREE005")
def false_ancestors_at_occupied_levels(frame: DatasetFrame, generator: Generator) -> Corrupted:
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
    return Corrupted(frame.appended(tree.rows(false)), fail(TREE005=12))


@corruption("TREE006")
def row_with_depths_of_another_build(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Both depths of one row are one too large: the row agrees with itself, its nodes do not."""
    pairs = frame.pairs.copy()
    row = deep_rows(frame, generator, 1)
    pairs.loc[row, ["ancestor_depth", "descendant_depth"]] += 1
    return Corrupted(replace(frame, pairs=pairs), fail(TREE006=2))


@corruption("TREE007")
def parents_of_leaves_missing(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Five leaves keep their distant ancestors and lose their parent.

    Each starts a tree of its own. What it keeps is above the break: unproven, and not false.
    """
    tree = Tree(frame.pairs)
    leaves = pick(generator, tree.leaves(depth=3), 5)
    edges = (frame.pairs["depth_diff"] == 1) & frame.pairs["descendant_idx"].isin(leaves)
    observed = {"TREE005": {"unproven": sum(tree.depth(leaf) - 1 for leaf in leaves)}}
    expected = info(TREE003=6) | warn(TREE005=0) | fail(TREE007=5)
    return Corrupted(frame.only(~edges), expected, {"TREE007"}, observed)


@corruption("TREE007")
def parent_of_a_clade_missing(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """An inner node loses its edge upwards: its whole clade hangs from a broken chain.

    Below the break everything is implied and there; across it nothing is implied.
    """
    tree = Tree(frame.pairs)
    # of a size that leaves the histogram near the hierarchy's own
    clades = [x for x in tree.children if tree.depth(x) >= 3 and len(tree.below(x)) < 60]
    top = one(generator, clades)
    edge = (frame.pairs["depth_diff"] == 1) & (frame.pairs["descendant_idx"] == top)
    # every node of the clade with every node above the break, but for the edge itself
    across = len(tree.below(top)) * tree.depth(top) - 1
    observed = {"TREE005": {"unproven": across}}
    expected = info(TREE003=2) | warn(TREE005=0) | fail(TREE007=1)
    return Corrupted(frame.only(~edge), expected, {"TREE007"}, observed)


@corruption("TREE002", "TREE004", base="tree without depths")
def false_ancestor_without_depths(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Without distances a false pair between strangers is an edge of the transitive reduction."""
    tree = Tree(_with_distance(frame.pairs))
    leaf = one(generator, tree.leaves(depth=5))
    own = tree.above(leaf)
    false = one(generator, [x for x in tree.children if x not in own and tree.depth(x) > 3])
    missing = len(set(tree.above(false)) - set(own))
    row = pd.DataFrame({"ancestor_idx": [false], "descendant_idx": [leaf]})
    expected = warn(TREE002=1)
    return Corrupted(
        frame.appended(row), expected | ({"TREE004": ("fail", missing)} if missing else {})
    )


@corruption("TREE004", base="tree without depths")
def missing_ancestors_without_depths(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Pairs with someone in between are implied by the reduction, whether they are there or not."""
    distant = np.flatnonzero(_with_distance(frame.pairs)["depth_diff"] > 1)
    lost = frame.pairs.index.isin(generator.choice(distant, size=20, replace=False))
    return Corrupted(frame.only(~lost), fail(TREE004=20))


@corruption("TREE001", "PAIR007", base="labels")
def cycle_of_labels(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A file of labels alone, without mapping and distances: a leaf is above its parent.

    Within a cycle no reduction is unique, so its two pairs both stay as edges, and what was implied
    through them is an edge too: both ends have each other and the grandparent as parents. Which of
    the two is false cannot be told, so both are unproven.
    """
    tree = _of_labels(frame.pairs)
    leaf = one(generator, tree.leaves(depth=4))
    parent = tree.parent[leaf]
    row = pd.DataFrame({"descendant_label": [parent], "ancestor_label": [leaf]})
    expected = fail(PAIR007=1, TREE001=2) | warn(TREE002=2, TREE005=0)
    observed = {"TREE005": {"unproven": 2, "unproven by reason": {"cycle": 2}}}
    return Corrupted(frame.appended(row), expected, {"PAIR007"}, observed)


def _of_labels(pairs: pd.DataFrame) -> Tree:
    names = {f"{end}_label": f"{end}_idx" for end in ("ancestor", "descendant")}
    return Tree(_with_distance(pairs.rename(columns=names)))


def _with_distance(pairs: pd.DataFrame) -> pd.DataFrame:
    """In a complete closure a node's number of ancestors is its depth."""
    count = pairs["descendant_idx"].value_counts()
    depth = {end: pairs[f"{end}_idx"].map(count).fillna(0) for end in ("ancestor", "descendant")}
    return pairs.assign(depth_diff=(depth["descendant"] - depth["ancestor"]).astype(int))


@bad("TREE004", "fail", 3, "a family lacks a species, the root two")
def _(folder: Folder) -> None:
    folder.drop((1, 7), (0, 9), (0, 13))


@bad("TREE005", "fail", 2, "Felidae is called an ancestor of the wolf, Canis of the lion")
def _(folder: Folder) -> None:
    folder.pairs += [(2, 7, 2, 1, 3), (3, 13, 4, 2, 3)]


@bad("TREE006", "fail", 2, "in one row Canidae has depth 2 and the wolf depth 4")
def _(folder: Folder) -> None:
    folder.change((1, 7), 1, 7, 2, 2, 4)


@bad("TREE007", "fail", 2, "the wolf and the genus Felis have lost the pair with their parent")
def _(folder: Folder) -> None:
    folder.drop((3, 7), (2, 5))
