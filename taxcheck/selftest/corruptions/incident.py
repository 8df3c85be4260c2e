"""The incident in small: PAIR014, and all that follows from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, both_ends, pick
from taxcheck.selftest.corruptions.judge import dominance, imbalance, negatives
from taxcheck.selftest.corruptions.registry import Corrupted, Verdict, corruption


@corruption("PAIR014", "PAIR003", "PAIR004", "TREE003", "TREE007")
def index_range_taken_for_taxids(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """The incident in small: pairs are kept where both taxids lie below the number of nodes.

    The nodes get other taxids first, three quarters of them below that number, the root's and the
    last node's among them; drawn blindly, so that chains break wherever they happen to.
    """
    tree, n = Tree(frame.pairs), len(frame.mapping)
    below = 3 * n // 4
    last = tree.nodes[-2]  # the last idx itself is lost: a table sized from the pairs lacks it
    others = [x for x in tree.nodes if x not in (tree.root, last, tree.nodes[-1])]
    inside = {tree.root, last, *pick(generator, others, below - 2)}
    low, high = iter(generator.permutation(n)), iter(n + generator.permutation(3 * n))
    taxids = [int(next(low if x in inside else high)) for x in range(n)]
    pairs = frame.pairs[both_ends(frame.pairs, inside)].reset_index(drop=True)
    parents = {x: tree.parent[x] for x in inside - {tree.root} if tree.parent[x] in inside}
    orphans = below - 1 - len(parents)

    def chain(node: int) -> list[int]:
        path = []
        while node in parents:
            node = parents[node]
            path.append(node)
        return path

    chains = {x: chain(x) for x in inside}
    closure = pd.DataFrame(
        [(a, d) for d, path in chains.items() for a in path],
        columns=["ancestor_idx", "descendant_idx"],
    )
    expected: dict[str, Verdict] = {
        "PAIR003": ("fail", n - below),
        "PAIR004": ("fail", 1),
        "PAIR009": imbalance(pairs["depth_diff"], parents),
        "PAIR011": dominance(pairs["ancestor_idx"]),
        "PAIR013": negatives(closure, {x: len(path) for x, path in chains.items()}),
        "PAIR014": ("fail", n - below),
        "TREE003": ("info", orphans + 1),
        "TREE005": ("warn", 0),
        "TREE007": ("fail", orphans),
    }
    mapping = frame.mapping.assign(taxid=taxids)
    damaged = replace(frame, mapping=mapping, pairs=pairs)
    observed = {
        "PAIR014": {"covered below": below, "covered above": 0},
        "TREE005": {"unproven": len(pairs) - len(closure), "proved": len(closure)},
    }
    return Corrupted(damaged, expected, frozenset({"PAIR014"}), observed)
