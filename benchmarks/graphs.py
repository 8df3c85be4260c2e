"""Hierarchies that are hard to close: noise, wrapped numbers, cycles, chains, stars, dense DAGs.

Each is a mapping and pairs as Parquet, small enough to make in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from taxcheck.commands.build.pairs import closure_batches
from taxcheck.statistics.hierarchy.graph import Graph

Ints = npt.NDArray[np.int64]
Pairs = tuple[Ints, Ints, Ints | None]  # ancestor, descendant, distance
NOISE = 20_000


def tree(n: int, depth: float, rng: np.random.Generator) -> Ints:
    """Parents of n nodes, whose mean depth is about ``depth``: 0 is the root, with parent -1."""
    below = np.arange(1, n)
    # parents among the latest ones make chains, among the earliest ones bushes
    reach = rng.random(n - 1) ** (np.log(n) / depth)
    return np.r_[-1, np.minimum((reach * below).astype(np.int64), below - 1)]


def dag(n: int, depth: float, second: float, rng: np.random.Generator) -> Graph:
    """A tree in which this share of the nodes have another parent, any earlier node."""
    parent = tree(n, depth, rng)
    more = np.flatnonzero(rng.random(n) < second)
    more = more[more > 1]
    other = (rng.random(len(more)) * more).astype(np.int64)
    return Graph.from_edges(
        np.r_[parent[1:], other], np.r_[np.arange(1, n), more], np.ones(n, dtype=bool)
    )


def closure(graph: Graph) -> Pairs:
    """All pairs of a graph."""
    whole = pa.Table.from_batches(closure_batches(graph))
    a, d, k = (whole.column(name).to_numpy().astype(np.int64) for name in whole.column_names[:3])
    return a, d, k


def noisy(graph: Graph, rng: np.random.Generator) -> Pairs:
    """The closure, and pairs at random, without distances."""
    a, d, _ = closure(graph)
    noise = rng.integers(0, graph.n, (2, NOISE))
    return np.r_[a, noise[0]], np.r_[d, noise[1]], None


def mammalia(rng: np.random.Generator) -> Pairs:
    """A tree of the size and depth of Mammalia, with noise: 167 k pairs."""
    n = 11_000
    return noisy(dag(n, 14, 0, rng), rng)


def wordnet(rng: np.random.Generator) -> Pairs:
    """A DAG of the size of WordNet's nouns, with noise."""
    return noisy(dag(82_000, 7.5, 0.03, rng), rng)


def wrapped(rng: np.random.Generator) -> Pairs:
    """A DAG of the size of ChEBI, whose 190,000 numbers were kept in 16 bits."""
    a, d, k = closure(dag(190_000, 11, 0.2, rng))
    keep = rng.permutation(190_000)
    return keep[a] & 0xFFFF, keep[d] & 0xFFFF, k


def dense(n: int, parents: int, stated: bool) -> Callable[[np.random.Generator], Pairs]:
    """The edges of a DAG in which each node has so many parents, any earlier nodes."""

    def make(rng: np.random.Generator) -> Pairs:
        child = np.repeat(np.arange(1, n), parents)
        parent = (rng.random(len(child)) * child).astype(np.int64)
        return parent, child, np.ones(len(child), dtype=np.int64) if stated else None

    return make


def cycle(n: int) -> Callable[[np.random.Generator], Pairs]:
    """One cycle through all nodes."""
    at = np.arange(n)
    return lambda _: (at, (at + 1) % n, np.ones(n, dtype=np.int64))


def chain(n: int) -> Callable[[np.random.Generator], Pairs]:
    """The edges of one chain."""
    at = np.arange(n - 1)
    return lambda _: (at, at + 1, np.ones(n - 1, dtype=np.int64))


def star(n: int) -> Callable[[np.random.Generator], Pairs]:
    """All nodes below one."""
    at = np.arange(1, n)
    return lambda _: (np.zeros_like(at), at, np.ones(n - 1, dtype=np.int64))


def duplicates(rng: np.random.Generator) -> Pairs:
    """A closure of 100,000 pairs, each fifty times."""
    a, d, k = closure(dag(12_000, 8.3, 0, rng))
    order = rng.permutation(np.tile(np.arange(len(a)), 50))
    return a[order], d[order], None if k is None else k[order]


def bipartite(_: np.random.Generator) -> Pairs:
    """Each of 2,000 nodes above each of 2,000 others."""
    above, below = (axis.ravel() for axis in np.mgrid[0:2_000, 2_000:4_000])
    return above, below, np.ones(len(above), dtype=np.int64)


CASES: dict[str, Callable[[np.random.Generator], Pairs]] = {
    "tree like Mammalia + 20,000 random pairs, no distances": mammalia,
    "DAG like WordNet + 20,000 random pairs, no distances": wordnet,
    "DAG like ChEBI, idx wrapped at 16 bits": wrapped,
    "DAG of 20,000 nodes x 30 parents": dense(20_000, 30, True),
    "DAG of 20,000 nodes x 30 parents, no distances": dense(20_000, 30, False),
    "DAG of 50,000 nodes x 30 parents": dense(50_000, 30, True),
    "DAG of 50,000 nodes x 30 parents, no distances": dense(50_000, 30, False),
    "cycle of 100,000": cycle(100_000),
    "cycle of 1,000,000": cycle(1_000_000),
    "chain of 100,000": chain(100_000),
    "chain of 1,000,000": chain(1_000_000),
    "star of 1,000,000": star(1_000_000),
    "100,000 pairs, fifty times each": duplicates,
    "bipartite, 2,000 x 2,000": bipartite,
}


def write(folder: Path, name: str, seed: int = 0) -> int:
    """Write mapping.parquet and pairs.parquet of a case; gives the number of pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    a, d, k = CASES[name](np.random.default_rng(seed))
    n = int(max(a.max(), d.max())) + 1
    index = pa.array(np.arange(n, dtype=np.int32))
    pq.write_table(pa.table({"taxid": index, "idx": index}), folder / "mapping.parquet")
    columns = {"ancestor_idx": a, "descendant_idx": d} | ({} if k is None else {"depth_diff": k})
    small = {name: pa.array(column.astype(np.int32)) for name, column in columns.items()}
    pq.write_table(pa.table(small), folder / "pairs.parquet")
    return len(a)
