"""A hierarchy as plain dictionaries and sets: what expectations are derived from.

Nothing here is shared with the product. A tree keeps the parent of every node, a DAG the sets of
ancestors; both are built from the pairs of a sound dataset.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd


class Tree:
    """The tree of the depth-1 pairs."""

    def __init__(self, pairs: pd.DataFrame) -> None:
        edges = pairs[pairs["depth_diff"] == 1]
        self.parent: dict[int, int] = dict(
            zip(edges["descendant_idx"].tolist(), edges["ancestor_idx"].tolist(), strict=True)
        )
        self.children: dict[int, list[int]] = defaultdict(list)
        for child, parent in self.parent.items():
            self.children[parent].append(child)
        self.nodes = sorted(self.parent.keys() | self.children.keys())
        (self.root,) = self.children.keys() - self.parent.keys()

    def above(self, node: int) -> list[int]:
        """All ancestors, the parent first."""
        path = []
        while node in self.parent:
            node = self.parent[node]
            path.append(node)
        return path

    def below(self, node: int) -> list[int]:
        """The node itself and everything under it."""
        found, rest = [], [node]
        while rest:
            found.append(rest.pop())
            rest += self.children.get(found[-1], [])
        return found

    def depth(self, node: int) -> int:
        """Steps from the root."""
        return len(self.above(node))

    def leaves(self, depth: int = 0) -> list[int]:
        """Nodes without children at this depth or deeper, but the one with the last idx.

        The last idx decides the size of a table, which is a defect of its own.
        """
        last = self.nodes[-1]
        return [
            x for x in self.nodes if x not in self.children and x != last and self.depth(x) >= depth
        ]

    def rows(self, pairs: Iterable[tuple[int, int, int]]) -> pd.DataFrame:
        """Rows (ancestor, descendant, depth_diff) with the true depths of both ends."""
        table = list(pairs)
        return rows(table, {x: self.depth(x) for pair in table for x in pair[:2]})


class Dag:
    """Ancestors of every node with their distances, as the sound pairs state them."""

    def __init__(self, pairs: pd.DataFrame) -> None:
        self.up: dict[int, dict[int, int]] = defaultdict(dict)
        self.down: dict[int, dict[int, int]] = defaultdict(dict)
        self.depth: dict[int, int] = {}
        for a, d, k, depth_a, depth_d in pairs.itertuples(index=False):
            self.up[d][a] = k
            self.down[a][d] = k
            self.depth[a], self.depth[d] = depth_a, depth_d
        self.nodes = sorted(self.depth)

    def parents(self, node: int) -> list[int]:
        """The ancestors at distance 1."""
        return [a for a, k in self.up[node].items() if k == 1]


def rows(pairs: Iterable[tuple[int, int, int]], depth: dict[int, int]) -> pd.DataFrame:
    """A pairs table of (ancestor, descendant, depth_diff) and the depths of both."""
    table = [(a, d, k, depth[a], depth[d]) for a, d, k in pairs]
    names = ["ancestor_idx", "descendant_idx", "depth_diff", "ancestor_depth", "descendant_depth"]
    return pd.DataFrame(table, columns=names)


def pick(generator: np.random.Generator, candidates: Sequence[int], count: int) -> list[int]:
    """Distinct candidates, drawn."""
    return [int(x) for x in generator.choice(candidates, size=count, replace=False)]


def one(generator: np.random.Generator, candidates: Sequence[int]) -> int:
    """One candidate, drawn."""
    return pick(generator, candidates, 1)[0]


def both_ends(pairs: pd.DataFrame, nodes: Iterable[int]) -> np.ndarray:
    """Which pairs have both ends among the nodes."""
    inside = list(nodes)
    return (pairs["ancestor_idx"].isin(inside) & pairs["descendant_idx"].isin(inside)).to_numpy()


def touching(pairs: pd.DataFrame, nodes: Iterable[int]) -> np.ndarray:
    """Which pairs have an end among the nodes."""
    inside = list(nodes)
    return (pairs["ancestor_idx"].isin(inside) | pairs["descendant_idx"].isin(inside)).to_numpy()
