"""Corruptions whose cause is that a part of the pairs was lost, doubled, turned round or added."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted, Explains, Verdict
from taxcheck.commands.selftest.frame import Dag, DatasetFrame, Tree, one, touching

from .library import corruption, fail, info, warn
from .pair_rows import gap
from .reckoning import dominance, imbalance, negatives
from .taxonomy import WITH, given, settled


def _all(**counts: int) -> Explains:
    """All of what these rules count."""
    return {rule: (count, count) for rule, count in counts.items() if count}


def _reckoned(frame: DatasetFrame, pairs: pd.DataFrame) -> tuple[dict[str, Verdict], Explains]:
    """What shows where true pairs of a tree were lost, and what a cause of it all explains.

    Every chain is followed up by the parents that are left.
    """
    ends = list(zip(pairs["ancestor_idx"], pairs["descendant_idx"], strict=True))
    direct = pairs["depth_diff"] == 1
    parent = dict(zip(pairs["descendant_idx"][direct], pairs["ancestor_idx"][direct], strict=True))
    present = {x for pair in ends for x in pair}

    def chain(node: int) -> list[int]:
        path = []
        while node in parent:
            node = parent[node]
            path.append(node)
        return path

    chains = {x: chain(x) for x in present}
    implied = [(a, d) for d, path in chains.items() for a in path]
    lost = len(frame.pairs) - len(pairs)
    missing = len(set(implied) - set(ends))
    unproven = len(set(ends) - set(implied))
    orphans = len({d for _, d in ends if d not in parent})
    roots = sum(x not in parent for x in present)
    n = len(frame.mapping)
    absent = [x for x in range(n) if x not in present]
    counts = {"TREE004": missing, "TREE007": orphans, "TREE009": lost if frame.taxonomy else 0}
    expected = {
        **(gap(frame, absent) if absent else {}),
        **fail(**{rule: count for rule, count in counts.items() if count}),
        **(info(TREE003=roots) if roots > 1 else {}),
        **(warn(TREE005=0) if unproven else {}),
        "PAIR011": dominance(pairs["ancestor_idx"]),
    }
    if implied:
        closure = pd.DataFrame(implied, columns=["ancestor_idx", "descendant_idx"])
        depth = {x: len(path) for x, path in chains.items()}
        expected["PAIR013"] = negatives(closure, depth)
        expected["PAIR009"] = imbalance(pairs["depth_diff"], parent)
    return expected, _all(PAIR003=len(absent), TREE005=unproven, **counts)


def _lost(frame: DatasetFrame, keep: np.ndarray | pd.Series, cause: str, lead: str) -> Corrupted:
    """Some rows of a tree were lost, and one cause explains all that follows."""
    damaged = frame.only(keep)
    expected, explains = _reckoned(frame, damaged.pairs)
    return Corrupted(damaged, expected, {cause, lead}, causes={cause: explains})


@corruption("TREE009", "PAIR003", base=WITH)
def file_cut_within_a_node(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The rows after some row of a node are gone; nodes come in the order of their idx."""
    tree = Tree(frame.pairs)
    last = one(generator, [x for x in tree.nodes if x > 1_500 and tree.depth(x) > 4])
    rows = np.flatnonzero(frame.pairs["descendant_idx"] == last)
    keep = np.arange(len(frame.pairs)) <= rows[1]
    return _lost(frame, keep, "truncated_rows", "PAIR003")


@corruption("TREE009", "PAIR003", base=WITH)
def first_rows_lost(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A fifth of the rows, at the beginning of the file, is gone; nodes come in their order."""
    keep = np.arange(len(frame.pairs)) >= len(frame.pairs) // 5
    return _lost(frame, keep, "truncated_rows", "PAIR003")


@corruption("TREE007", "TREE009", base=WITH)
def every_fifth_row_lost(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A worker of five wrote nothing."""
    keep = np.arange(len(frame.pairs)) % 5 != 2
    return _lost(frame, keep, "every_kth_row", "TREE009")


@corruption("TREE007", "TREE009", base=WITH)
def last_row_of_each_descendant(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Repeated descendants were dropped, and the row of the root was the last of each."""
    keep = ~frame.pairs.duplicated("descendant_idx", keep="last")
    found = _lost(frame, keep, "one_row_per_node", "TREE009")
    # a single ancestor is left, and its children have no rank
    return replace(found, expected={**found.expected, "PAIR011": SKIPPED, "TREE008": SKIPPED})


@corruption("TREE007", "TREE003")
def parents_lost(frame: DatasetFrame, _: Generator) -> Corrupted:
    """All pairs at distance 1 were lost: nothing is implied any more."""
    damaged = frame.only(frame.pairs["depth_diff"] > 1)
    expected, explains = _reckoned(frame, damaged.pairs)
    expected |= {
        "PAIR009": ("info", None),
        "PAIR013": SKIPPED,  # no closure to draw from,
        "PAIR015": SKIPPED,  # no edge to read a direction from,
        "TREE002": SKIPPED,  # no node with a parent,
        "TREE004": SKIPPED,  # nothing implied
    }
    return Corrupted(damaged, expected, {"no_parent_pairs"}, causes={"no_parent_pairs": explains})


@corruption("TREE007", "TREE009", base=WITH)
def parents_of_a_clade_lost(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The edges below one node were lost, and all longer pairs kept."""
    tree = Tree(frame.pairs)
    top = one(generator, [x for x in tree.children if 30 <= len(tree.below(x)) <= 90])
    below = set(tree.below(top)) - {top}
    edges = (frame.pairs["depth_diff"] == 1) & frame.pairs["descendant_idx"].isin(below)
    return _lost(frame, ~edges, "no_parent_pairs", "TREE009")


@corruption("TREE007", "TREE009", base=WITH)
def node_lost_as_an_ancestor(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The rows of one inner node as ancestor are gone: its children lost their parent."""
    tree = Tree(frame.pairs)
    inner = [x for x in tree.children if tree.depth(x) > 2 and len(tree.below(x)) > 40]
    keep = frame.pairs["ancestor_idx"] != one(generator, inner)
    return _lost(frame, keep, "lost_node", "TREE009")


@corruption("PAIR003", "TREE009", base=WITH)
def upper_levels_lost(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Rows whose ancestor is above depth 3 are gone."""
    return _lost(frame, frame.pairs["ancestor_depth"] >= 3, "lost_levels", "PAIR003")


@corruption("PAIR003", "TREE009", base=WITH)
def unsettled_names_left_out(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Species called 'sp.' were left out of the pairs, and not of the mapping."""
    names = given(frame).names
    unsettled = [
        idx
        for taxid, idx in zip(frame.mapping["taxid"], frame.mapping["idx"], strict=True)
        if "sp." in names[taxid].split()
    ]
    return _lost(frame, ~touching(frame.pairs, unsettled), "name_filter", "PAIR003")


@corruption("PAIR006")
def clade_twice(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The rows of one clade were appended again."""
    tree = Tree(frame.pairs)
    clade = tree.below(one(generator, [x for x in tree.children if 5 <= len(tree.below(x)) <= 50]))
    again = frame.pairs[frame.pairs["descendant_idx"].isin(clade)]
    counts = {"PAIR006": len(again)}
    return Corrupted(
        frame.appended(again), fail(**counts), causes={"doubled_clade": _all(**counts)}
    )


@corruption("TREE009", "TREE007", "TREE006", base=WITH)
def genus_turned_round(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The idx of a node and its leaves are exchanged: the leaves are all its parents.

    Each leaf keeps its distant ancestors, and its only edge is one in which it is the parent. The
    columns of depths stay, and give the node and its leaves two depths.
    """
    tree = Tree(frame.pairs)
    nodes = given(frame).nodes
    rank = dict(zip(nodes["taxid"].tolist(), nodes["rank"].tolist(), strict=True))
    taxids = frame.mapping["taxid"].tolist()
    genera = [
        x
        for x, children in tree.children.items()
        if rank[taxids[x]] == "genus" and len(children) > 3
        and not any(c in tree.children for c in children) and tree.depth(x)
    ]  # fmt: skip
    genus = one(generator, genera)
    leaves = tree.children[genus]
    pairs = frame.pairs.copy()
    turned = pairs["ancestor_idx"] == genus
    ends = ["ancestor_idx", "descendant_idx"]
    pairs.loc[turned, ends] = pairs.loc[turned, ends[::-1]].to_numpy()
    m = len(leaves)
    finer = sum(rank[taxids[x]] == "species" for x in leaves)  # of a genus, as its parents
    counts = {"TREE006": m + 1, "TREE007": m, "TREE009": 2 * m}
    expected = fail(**counts) | warn(TREE002=1, TREE005=0, TREE008=finer) | info(TREE003=m + 1)
    explains = _all(**counts, TREE002=1, TREE005=m * tree.depth(genus), TREE008=finer)
    return Corrupted(
        replace(frame, pairs=pairs),
        expected,
        {"reversed_clade"},
        causes={"reversed_clade": explains},
    )


@corruption("TREE005")
def negatives_with_a_column_that_says_so(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Leaves were paired with leaves three levels higher, and a column of 0 and 1 tells them."""
    tree = Tree(frame.pairs)
    at_depth: dict[int, list[int]] = defaultdict(list)
    for leaf in tree.leaves():
        at_depth[tree.depth(leaf)].append(leaf)
    lower = [x for depth, leaves in at_depth.items() if depth - 3 in at_depth for x in leaves]
    count = len(frame.pairs) // 10
    ends = {
        (one(generator, at_depth[tree.depth(x) - 3]), x)
        for x in generator.choice(lower, size=count).tolist()
    }
    false = tree.rows((a, d, 3) for a, d in sorted(ends)).assign(label=0)
    pairs = pd.concat([frame.pairs.assign(label=1), false], ignore_index=True)
    pairs = pairs.sample(frac=1, random_state=1, ignore_index=True)
    counts = {"TREE005": len(ends)}
    expected = fail(**counts) | {"PAIR009": imbalance(pairs["depth_diff"], tree.parent)}
    return Corrupted(
        replace(frame, pairs=pairs), expected, causes={"negatives_mixed_in": _all(**counts)}
    )


@corruption("PAIR008", "TREE006")
def depths_of_descendants_from_one(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The depth of the descendant counts nodes, that of the ancestor steps."""
    tree = Tree(frame.pairs)
    pairs = frame.pairs.assign(descendant_depth=frame.pairs["descendant_depth"] + 1)
    counts = {"PAIR008": len(pairs), "TREE006": len(tree.children) - 1}
    return Corrupted(
        replace(frame, pairs=pairs), fail(**counts), causes={"depth_column_offset": _all(**counts)}
    )


@corruption("TREE009", "TREE002", "PAIR003", base=WITH)
def homonyms_joined(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Two species of one name, as deep as each other, became one node, and the other has no pair.

    It has the ancestors of both: those above both twice, those of the other falsely.
    """
    tree = Tree(frame.pairs)
    leaves = settled(frame, tree.leaves(depth=5))
    kept = one(generator, leaves)
    own = set(tree.above(kept))
    strangers = [
        x
        for x in leaves
        if tree.depth(x) == len(own) and len(own & set(tree.above(x))) <= len(own) - 3
    ]
    lost = one(generator, strangers)
    shared, depth = len(own & set(tree.above(lost))), len(own)
    names, taxids = dict(given(frame).names), frame.mapping["taxid"].tolist()
    names[taxids[lost]] = names[taxids[kept]]
    pairs = frame.pairs.assign(descendant_idx=frame.pairs["descendant_idx"].replace(lost, kept))
    damaged = replace(frame, pairs=pairs, taxonomy=replace(given(frame), names=names))
    counts = {"PAIR006": shared, "TREE009": 2 * depth - shared}
    expected = gap(frame, [lost]) | fail(**counts) | warn(TREE002=1)
    explains = _all(**counts, PAIR003=1, TREE002=1)
    return Corrupted(damaged, expected, {"merged_homonyms"}, causes={"merged_homonyms": explains})


@corruption("TREE005", base="DAG")
def second_parents_lost(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Of several rows at distance 1 one was kept: the edges are a forest, and the pairs are not.

    What the chain of a node does not hold at its distance is unproven.
    """
    direct = frame.pairs["depth_diff"] == 1
    again = direct & frame.pairs[direct].duplicated("descendant_idx").reindex(
        frame.pairs.index, fill_value=False
    )
    damaged = frame.only(~again)
    dag = Dag(damaged.pairs)
    above = {node: dag.parents(node)[0] for node in dag.nodes if dag.parents(node)}

    def chain(node: int) -> list[int]:
        path = []
        while node in above:
            node = above[node]
            path.append(node)
        return path

    chains = {node: chain(node) for node in dag.nodes}
    unproven = sum(
        a not in chains[d] or chains[d].index(a) + 1 != k
        for d, up in dag.up.items()
        for a, k in up.items()
    )
    missing = sum(a not in dag.up[d] for d, path in chains.items() for a in path)
    deep = int((damaged.pairs["depth_diff"] > 5).sum())
    expected = fail(TREE004=missing) | warn(TREE005=0) | info(PAIR009=deep, TREE002=0)
    counts = {"TREE005": unproven, "TREE004": missing}
    return Corrupted(damaged, expected, causes={"lost_second_parents": _all(**counts)})


@corruption("TREE004", "PAIR008", base="DAG")
def first_row_of_each_descendant_in_a_dag(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Repeated descendants were dropped, and a parent's row came first: what is left is a tree.

    The depths of nodes with a parent nearer to a root, which lost its row, say that it was none.
    """
    near = frame.pairs.sort_values("depth_diff", kind="stable")
    damaged = frame.only((~near.duplicated("descendant_idx")).sort_index())
    pairs = damaged.pairs
    parent = dict(zip(pairs["descendant_idx"], pairs["ancestor_idx"], strict=True))
    depth: dict[int, int] = {}

    def depth_of(node: int) -> int:
        if node not in depth:
            depth[node] = 1 + depth_of(parent[node]) if node in parent else 0
        return depth[node]

    used = {x for pair in parent.items() for x in pair}
    implied = sum(depth_of(x) for x in used)
    steps = pairs["descendant_depth"] - pairs["ancestor_depth"]
    counts = {"TREE004": implied - len(pairs), "PAIR008": int((steps != 1).sum())}
    # a root whose children all have another parent has no row left
    lost = [x for x in Dag(frame.pairs).nodes if x not in used]
    expected = (
        (gap(frame, lost) if lost else {})
        | fail(**counts)
        | {
            "PAIR009": imbalance(pairs["depth_diff"], parent),
            "PAIR011": dominance(pairs["ancestor_idx"]),
            "PAIR013": negatives(_closed(parent), depth),
            "TREE002": ("pass", 0),
            "TREE003": ("info", len(used) - len(parent)),
        }
    )
    return Corrupted(
        damaged,
        expected,
        {"one_row_per_node"},
        causes={"one_row_per_node": _all(**counts, PAIR003=len(lost))},
    )


def _closed(parent: dict[int, int]) -> pd.DataFrame:
    ends = []
    for node in parent:
        above = node
        while above in parent:
            above = parent[above]
            ends.append((above, node))
    return pd.DataFrame(ends, columns=["ancestor_idx", "descendant_idx"])
