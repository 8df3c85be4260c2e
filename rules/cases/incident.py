"""The incident in small: PAIR014, and all that follows from it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted
from taxcheck.commands.selftest.folder import Folder, Row
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, both_ends, closure, pick

from .library import bad, corruption, fail, info, warn
from .reckoning import dominance, imbalance, negatives


@corruption("PAIR014", "PAIR003", "PAIR004", "TREE003", "TREE007")
def index_range_taken_for_taxids(frame: DatasetFrame, generator: Generator) -> Corrupted:
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
    expected = (
        fail(PAIR003=n - below, PAIR004=1, PAIR014=n - below, TREE007=orphans)
        | info(TREE003=orphans + 1)
        | warn(TREE005=0)
        | {
            "PAIR009": imbalance(pairs["depth_diff"], parents),
            "PAIR011": dominance(pairs["ancestor_idx"]),
            "PAIR013": negatives(closure, {x: len(path) for x, path in chains.items()}),
        }
    )
    mapping = frame.mapping.assign(taxid=taxids)
    damaged = replace(frame, mapping=mapping, pairs=pairs)
    observed = {
        "PAIR014": {"covered below": below, "covered above": 0},
        "TREE005": {"unproven": len(pairs) - len(closure), "proved": len(closure)},
    }
    lost, unproven = n - below, len(pairs) - len(closure)
    explains = {"PAIR014": (lost, lost), "PAIR003": (lost, lost), "PAIR004": (1, 1)}
    explains |= {"TREE007": (orphans, orphans), "TREE005": (unproven, unproven)}
    return Corrupted(
        damaged, expected, {"index_range_as_taxids"}, observed, {"index_range_as_taxids": explains}
    )


@bad(
    "PAIR014",
    "fail",
    101,
    "of 202 nodes the 101 with taxids 1 to 101 are in pairs, the 101 with taxids from 1,002 on in "
    "none",
)
def _(_folder: Folder) -> Folder:
    mapping: list[Row] = [(k if k <= 101 else 900 + k, k - 1) for k in range(1, 203)]
    return Folder(mapping=mapping, pairs=closure([-1, *[0] * 100]))
