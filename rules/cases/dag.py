"""Corruptions of a DAG with text identifiers: distances are shortest, parents several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted
from taxcheck.commands.selftest.frame import Dag, DatasetFrame, one, pick, rows

from .library import corruption, fail, info, warn
from .mapping import with_cells, with_rows
from .pair_rows import deep_rows


@corruption("MAP001", "MAP004", "PAIR002", base="DAG")
def text_identifier_empty(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A leaf has no identifier; its idx is a hole, and its pairs name it."""
    dag = Dag(frame.pairs)
    leaf = one(generator, [x for x in dag.nodes[:-1] if not dag.down[x]])
    expected = fail(MAP001=1, MAP004=1, PAIR002=len(dag.up[leaf]))
    several = sum(len(dag.parents(x)) > 1 for x in dag.nodes if x != leaf)
    expected["TREE002"] = ("info", several)
    return Corrupted(with_cells(frame, {leaf: {"identifier": " "}}), expected)


@corruption("MAP002", "MAP003", base="DAG")
def text_identifiers_doubled(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """One term has a second idx, which is another's: both tables of one join are wrong."""
    a, b = pick(generator, range(len(frame.mapping)), 2)
    damaged = with_rows(frame, [(frame.mapping["identifier"][a], b)])
    return Corrupted(damaged, fail(MAP002=1, MAP003=1))


@corruption("PAIR006", base="DAG")
def dag_rows_repeated(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Rows are there twice, some with the length of a longer path."""
    again = frame.pairs.iloc[deep_rows(frame, generator, 60)].copy()
    again["depth_diff"] += 2 * (np.arange(len(again)) < 30)
    return Corrupted(frame.appended(again), fail(PAIR006=60))


@corruption("TREE005", base="DAG")
def dag_pairs_beyond_the_edges(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Six nodes get an ancestor that no chain passes: an edge may be lost, so none is false."""
    dag = Dag(frame.pairs)
    beyond = []
    for node in pick(generator, [x for x in dag.nodes if dag.up[x] and not dag.down[x]], 6):
        strangers = [x for x in dag.nodes if x != node and x not in dag.up[node]]
        # far enough that the depths allow it: depth_diff is at least their difference
        beyond.append((one(generator, strangers), node, dag.depth[node] + 2))
    observed = {"TREE005": {"unproven": 6, "unproven by reason": {"beyond_edges": 6}}}
    damaged = frame.appended(rows(beyond, dag.depth))
    return Corrupted(damaged, warn(TREE005=0), {"TREE005"}, observed)


@corruption("PAIR007", "TREE005", base="DAG")
def dag_distant_pairs_reversed(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Copies of five distant pairs point upwards: each would close a cycle, so it is false."""
    dag = Dag(frame.pairs)
    distant = [(a, d, k) for a in dag.nodes if dag.up[a] for d, k in dag.down[a].items() if k > 2]
    chosen = generator.choice(len(distant), size=5, replace=False)
    turned = [(d, a, k) for a, d, k in (distant[at] for at in chosen)]
    return Corrupted(frame.appended(rows(turned, dag.depth)), fail(PAIR007=5, TREE005=5))


@corruption("TREE004", base="DAG")
def dag_pairs_missing(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Eighty distant pairs were lost; every one follows from the edges."""
    lost = frame.pairs.index.isin(deep_rows(frame, generator, 80))
    return Corrupted(frame.only(~lost), fail(TREE004=80))


@corruption("TREE005", base="DAG")
def dag_distances_of_longer_paths(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Distances that are not the shortest are false, though some path has that length."""
    pairs = frame.pairs.copy()
    pairs.loc[deep_rows(frame, generator, 25), "depth_diff"] += 1
    return Corrupted(replace(frame, pairs=pairs), fail(TREE005=25))


@corruption("PAIR008", "TREE005", base="DAG")
def dag_distance_shorter_than_the_depths_allow(
    frame: DatasetFrame, generator: Generator
) -> Corrupted:
    """In a DAG depth_diff is at least the difference of the depths; here it is one less.

    Of the edges alone the shorter way could be one that was lost.
    """
    pairs = frame.pairs.copy()
    tight = pairs["depth_diff"] == pairs["descendant_depth"] - pairs["ancestor_depth"]
    candidates = np.flatnonzero(tight & (pairs["depth_diff"] >= 3))
    chosen = generator.choice(candidates, size=9, replace=False)
    pairs.loc[chosen, "depth_diff"] -= 1
    observed = {"TREE005": {"unproven": 9, "unproven by reason": {"shorter_way": 9}}}
    expected = fail(PAIR008=9) | warn(TREE005=0)
    return Corrupted(replace(frame, pairs=pairs), expected, {"PAIR008"}, observed)


@corruption("TREE001", "PAIR007", base="DAG")
def dag_cycle(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A leaf is called the parent of one of its ancestors.

    On the cycle is all that lies between the two. Its edges prove nothing, for one is false; what
    they alone held, or held at its stated distance, is unproven.
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
    between = {leaf, *dag.up[leaf]} & {top, *dag.down[top]}
    proved = sum(
        dag.up[node].get(ancestor) == steps
        for node in dag.nodes
        for ancestor, steps in _above(dag, node, between).items()
    )
    several = sum(len(dag.parents(x)) + (x == top) > 1 for x in dag.nodes)
    expected = fail(PAIR007=1, TREE001=len(between)) | info(TREE002=several) | warn(TREE005=0)
    observed = {"TREE005": {"unproven": len(frame.pairs) + 1 - proved}}
    row = rows([(leaf, top, 1)], dag.depth)
    return Corrupted(frame.appended(row), expected, {"PAIR007"}, observed)


def _above(dag: Dag, node: int, between: set[int]) -> dict[int, int]:
    """The ancestors of a node, by edges that do not lie between two of these."""
    found: dict[int, int] = {}
    level, steps = [node], 0
    while level:
        steps += 1
        reached = [(x, p) for x in level for p in dag.parents(x)]
        level = [p for x, p in reached if not (x in between and p in between) and p not in found]
        found |= dict.fromkeys(level, steps)
    return found


@corruption("TREE007", base="DAG")
def dag_parents_missing(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A leaf with several parents loses all of them: what it keeps is unproven."""
    dag = Dag(frame.pairs)
    leaves = [x for x in dag.nodes if not dag.down[x] and len(dag.parents(x)) > 1]
    leaf = one(generator, [x for x in leaves if len(dag.up[x]) > len(dag.parents(x))])
    unproven = len(dag.up[leaf]) - len(dag.parents(leaf))
    edges = (frame.pairs["depth_diff"] == 1) & (frame.pairs["descendant_idx"] == leaf)
    several = sum(len(dag.parents(x)) > 1 for x in dag.nodes) - 1
    roots = sum(not dag.up[x] for x in dag.nodes) + 1
    observed = {"TREE005": {"unproven": unproven}}
    expected = info(TREE002=several, TREE003=roots) | warn(TREE005=0) | fail(TREE007=1)
    return Corrupted(frame.only(~edges), expected, {"TREE007"}, observed)


@corruption("TREE002", "PAIR008", base="DAG")
def dag_declared_a_tree(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A policy that says tree is contradicted by every node with several parents.

    In a tree depth_diff equals the difference of the depths, so the columns are judged so too; and
    a damaged tree's histogram is that of its own closure, which is the file's.
    """
    dag, pairs = Dag(frame.pairs), frame.pairs
    several = sum(len(dag.parents(x)) > 1 for x in dag.nodes)
    differs = pairs["depth_diff"] != pairs["descendant_depth"] - pairs["ancestor_depth"]
    expected = fail(PAIR008=int(differs.sum()), TREE002=several)
    return Corrupted(frame.declaring(kind="tree"), expected)


@corruption(base="DAG")
def dag_identifiers_in_the_pairs(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Pairs by identifier instead of idx, as facebookresearch's closure files have them."""
    terms = frame.mapping["identifier"].to_numpy()
    ends = {f"{end}_label": terms[frame.pairs[f"{end}_idx"]] for end in ("ancestor", "descendant")}
    depths = frame.pairs[["depth_diff", "ancestor_depth", "descendant_depth"]]
    damaged = replace(frame, pairs=pd.DataFrame(ends).join(depths))
    return Corrupted(damaged, {"PAIR017": ("pass", 0)})
