"""Corruptions of a DAG with text identifiers: distances are shortest, parents several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Dag, one, pick, rows
from taxcheck.selftest.corruptions.mapping import with_cells, with_rows
from taxcheck.selftest.corruptions.pair_rows import deep_rows
from taxcheck.selftest.corruptions.registry import Corrupted, Verdict, corruption


@corruption("MAP001", "MAP004", "PAIR002", base="DAG")
def text_identifier_empty(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A leaf has no identifier; its idx is a hole, and its pairs name it."""
    dag = Dag(frame.pairs)
    leaf = one(generator, [x for x in dag.nodes[:-1] if not dag.down[x]])
    expected: dict[str, Verdict] = {
        "MAP001": ("fail", 1),
        "MAP004": ("fail", 1),
        "PAIR002": ("fail", len(dag.up[leaf])),
    }
    several = sum(len(dag.parents(x)) > 1 for x in dag.nodes if x != leaf)
    expected["TREE002"] = ("info", several)
    return Corrupted(with_cells(frame, {leaf: {"identifier": " "}}), expected)


@corruption("MAP002", "MAP003", base="DAG")
def text_identifiers_doubled(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """One term has a second idx, which is another's: both tables of one join are wrong."""
    a, b = pick(generator, range(len(frame.mapping)), 2)
    damaged = with_rows(frame, [(frame.mapping["identifier"][a], b)])
    return Corrupted(damaged, {"MAP002": ("fail", 1), "MAP003": ("fail", 1)})


@corruption("PAIR006", base="DAG")
def dag_rows_repeated(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Rows are there twice, some with the length of a longer path."""
    again = frame.pairs.iloc[deep_rows(frame, generator, 60)].copy()
    again["depth_diff"] += 2 * (np.arange(len(again)) < 30)
    return Corrupted(frame.appended(again), {"PAIR006": ("fail", 60)})


@corruption("TREE005", base="DAG")
def dag_false_pair(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Six nodes get an ancestor that no chain passes."""
    dag = Dag(frame.pairs)
    false = []
    for node in pick(generator, [x for x in dag.nodes if dag.up[x] and not dag.down[x]], 6):
        strangers = [x for x in dag.nodes if x != node and x not in dag.up[node]]
        # far enough that the depths allow it: depth_diff is at least their difference
        false.append((one(generator, strangers), node, dag.depth[node] + 2))
    return Corrupted(frame.appended(rows(false, dag.depth)), {"TREE005": ("fail", 6)})


@corruption("TREE004", base="DAG")
def dag_pairs_missing(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Eighty distant pairs were lost; every one follows from the edges."""
    keep = np.ones(len(frame.pairs), dtype=bool)
    keep[deep_rows(frame, generator, 80)] = False
    return Corrupted(frame.only(keep), {"TREE004": ("fail", 80)})


@corruption("TREE005", base="DAG")
def dag_distances_of_longer_paths(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Distances that are not the shortest are false, though some path has that length."""
    pairs = frame.pairs.copy()
    pairs.loc[deep_rows(frame, generator, 25), "depth_diff"] += 1
    return Corrupted(replace(frame, pairs=pairs), {"TREE005": ("fail", 25)})


@corruption("PAIR008", "TREE005", base="DAG")
def dag_distance_shorter_than_the_depths_allow(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """In a DAG depth_diff is at least the difference of the depths; here it is one less."""
    pairs = frame.pairs.copy()
    tight = pairs["depth_diff"] == pairs["descendant_depth"] - pairs["ancestor_depth"]
    candidates = np.flatnonzero(tight & (pairs["depth_diff"] >= 3))
    chosen = generator.choice(candidates, size=9, replace=False)
    pairs.loc[chosen, "depth_diff"] -= 1
    expected: dict[str, Verdict] = {"PAIR008": ("fail", 9), "TREE005": ("fail", 9)}
    return Corrupted(replace(frame, pairs=pairs), expected, frozenset({"PAIR008"}))


@corruption("TREE001", "PAIR007", base="DAG")
def dag_cycle(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A leaf is called the parent of one of its ancestors.

    On the cycle is all that lies between the two. All that is above the leaf is now above all that
    is below the ancestor: those pairs are missing, and where one is there already the way round
    may be shorter than what it states.
    """
    dag = Dag(frame.pairs)
    leaf = one(generator, [x for x in dag.nodes if not dag.down[x] and len(dag.up[x]) >= 8])
    # not deeper than the leaf by shortest paths, which a DAG allows: then one step would be too few
    inner = [
        x
        for x, k in dag.up[leaf].items()
        if k >= 3 and dag.up[x] and 1 < dag.depth[x] <= dag.depth[leaf]
    ]
    top = one(generator, inner)
    to_leaf = {leaf: 0, **dag.up[leaf]}
    from_top = {top: 0, **dag.down[top]}
    new, shorter = 0, 0
    for u, before in to_leaf.items():
        for v, after in from_top.items():
            if u == v or (u, v) == (leaf, top):
                continue
            stated = dag.up[v].get(u)
            new += stated is None
            shorter += stated is not None and before + 1 + after < stated
    several = sum(len(dag.parents(x)) + (x == top) > 1 for x in dag.nodes)
    expected: dict[str, Verdict] = {
        "PAIR007": ("fail", 1),
        "TREE001": ("fail", len(to_leaf.keys() & from_top.keys())),
        "TREE002": ("info", several),
        "TREE004": ("fail", new),
    }
    if shorter:
        expected["TREE005"] = ("fail", shorter)
    row = rows([(leaf, top, 1)], dag.depth)
    return Corrupted(frame.appended(row), expected, frozenset({"PAIR007"}))


@corruption("TREE007", base="DAG")
def dag_parents_missing(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A leaf with several parents loses all of them: what it keeps is unproven."""
    dag = Dag(frame.pairs)
    leaves = [x for x in dag.nodes if not dag.down[x] and len(dag.parents(x)) > 1]
    leaf = one(generator, [x for x in leaves if len(dag.up[x]) > len(dag.parents(x))])
    unproven = len(dag.up[leaf]) - len(dag.parents(leaf))
    edges = (frame.pairs["depth_diff"] == 1) & (frame.pairs["descendant_idx"] == leaf)
    several = sum(len(dag.parents(x)) > 1 for x in dag.nodes) - 1
    roots = sum(not dag.up[x] for x in dag.nodes) + 1
    expected: dict[str, Verdict] = {
        "TREE002": ("info", several),
        "TREE003": ("info", roots),
        "TREE005": ("warn", 0),
        "TREE007": ("fail", 1),
    }
    observed = {"TREE005": {"unproven": unproven}}
    return Corrupted(frame.only(~edges), expected, frozenset({"TREE007"}), observed)


@corruption("TREE002", "PAIR008", base="DAG")
def dag_declared_a_tree(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """A policy that says tree is contradicted by every node with several parents.

    In a tree depth_diff equals the difference of the depths, so the columns are judged so too; and
    a damaged tree's histogram is that of its own closure, which is the file's.
    """
    dag, pairs = Dag(frame.pairs), frame.pairs
    several = sum(len(dag.parents(x)) > 1 for x in dag.nodes)
    differs = pairs["depth_diff"] != pairs["descendant_depth"] - pairs["ancestor_depth"]
    expected: dict[str, Verdict] = {
        "PAIR008": ("fail", int(differs.sum())),
        "TREE002": ("fail", several),
    }
    return Corrupted(frame.declaring(kind="tree"), expected)


@corruption(base="DAG")
def dag_identifiers_in_the_pairs(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Pairs by identifier instead of idx, as facebookresearch's closure files have them."""
    terms = frame.mapping["identifier"].to_numpy()
    ends = {f"{end}_label": terms[frame.pairs[f"{end}_idx"]] for end in ("ancestor", "descendant")}
    depths = frame.pairs[["depth_diff", "ancestor_depth", "descendant_depth"]]
    return Corrupted(replace(frame, pairs=pd.DataFrame(ends).join(depths)))
