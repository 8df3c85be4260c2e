"""Whether single rows are in their place: each node beside what nulls give for that very node.

A score is a mean, and a mean hides a bad minority. Here every node is asked how many strangers
stand before its nearest relative of each kind (``kinship``, ``standing``), and what rows give that
have nothing to do with the node: rows of other nodes as deep, and rows in random directions at
their radii, both held against the relatives of nodes of that depth. Under either null the
p-value of a node is uniform. A row in its place has one near 0. So a table is a mixture, and the
share of rows as good as random is the height of the flat part (Storey 2002,
doi:10.1111/1467-9868.00346).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.audit.metrics.kinship import ANCESTORS, CHILD, RELATIONS, Relation, relatives_of
from taxcheck.audit.metrics.lists import Floats, IntArray
from taxcheck.audit.metrics.standing import LEAST, Pools, shares_before
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, within
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.passes import Executor

MOST = 200_000  # nodes that are all judged; of more so many are drawn
POWER = 0.05  # a node is judged if a perfect row would have a smaller p-value
_NULLS, _ALL_NULLS, _FEWEST = 500, 20_000, 200  # rows of a null for each depth, and for all
_LEVELS = 300  # depths that are judged, the largest of them
_CUTS = (0.05, 0.1, 0.2, 0.3)  # from which p-values may be flat
_HALF = 0.5  # from here on they are taken to be
_Z = 1.96

ABOVE = tuple(k for k in range(len(RELATIONS)) if k != CHILD)


@dataclass(frozen=True, slots=True)
class Placement:
    """The place of nodes (k,); NaN where nothing can be told."""

    nodes: IntArray  # ascending; all in some pair, or a sample of them
    total: int  # nodes in some pair
    shares: Floats  # (k, relations) strangers before the nearest relative of each kind
    p: Floats  # how often a null has a relative as near, the more favourable of both nulls
    above: Floats  # the same without children
    pools: Pools  # the strangers


def place(
    space: Space,
    graph: Graph,
    rng: np.random.Generator,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Placement:
    """Judge every node that is in some pair, or a seeded sample of MOST of them."""
    nodes = np.flatnonzero(graph.present & (graph.depths >= 0))
    total = len(nodes)
    if total > MOST:
        nodes = np.sort(rng.choice(nodes, MOST, replace=False))
    parent = np.full(graph.n, -1)
    parent[graph.children[::-1]] = graph.parents[::-1]  # the first of several
    nulls = _Nulls.drawn(graph, nodes, rng)
    both = _with_random(space, nulls.rows, rng)
    pools = Pools.drawn(space, graph.depths, parent, rng)

    def shares(rows: IntArray, relations: list[Relation]) -> Floats:
        return shares_before(both, pools, rows, relations, workers=workers, executor=executor)

    own = shares(nodes, relatives_of(graph, nodes, rng))
    dealt = shares(nulls.rows, nulls.relations)
    dealt[nulls.kin(graph, pools, rng)] = np.nan
    random = shares(space.n + np.arange(len(nulls.rows)), nulls.relations)
    nothing = np.full(len(nodes), np.nan)
    found = Placement(nodes, total, own, nothing, nothing, pools)
    every = tuple(range(len(RELATIONS)))
    return replace(
        found,
        p=_by_depth(graph.depths[nodes], own, nulls.depth, (dealt, random), every),
        above=_by_depth(graph.depths[nodes], own, nulls.depth, (dealt, random), ABOVE),
    )


@dataclass(frozen=True, slots=True)
class _Nulls:
    """Rows (m,) that are held against the relatives of other nodes of their depth."""

    depth: IntArray
    rows: IntArray
    nodes: IntArray  # whose relatives they are held against
    relations: list[Relation]

    @classmethod
    def drawn(cls, graph: Graph, nodes: IntArray, rng: np.random.Generator) -> _Nulls:
        """Equally many for every depth that some of the nodes have."""
        depth = graph.depths[nodes]
        sizes = np.bincount(depth, minlength=1)
        levels = np.flatnonzero(sizes > 1)
        levels = np.sort(levels[np.argsort(-sizes[levels], kind="stable")[:_LEVELS]])
        each = int(np.clip(_ALL_NULLS // max(len(levels), 1), _FEWEST, _NULLS))
        order = np.argsort(depth, kind="stable")
        first = (np.cumsum(sizes) - sizes)[levels].repeat(each)
        many = sizes[levels].repeat(each)
        rows, others = (
            nodes[order[first + (rng.random(len(first)) * many).astype(np.int64)]] for _ in range(2)
        )
        return cls(levels.repeat(each), rows, others, relatives_of(graph, others, rng))

    def kin(self, graph: Graph, pools: Pools, rng: np.random.Generator) -> BoolArray:
        """Which rows are the node's own, or share a near ancestor with it: they are no null."""
        found = self.rows == self.nodes
        large = np.array([len(pool) >= LEAST for pool in pools.nodes])
        theirs = [self.relations[k].owner * graph.n + self.relations[k].relative for k in ANCESTORS]
        keys = np.sort(np.concatenate(theirs))
        mine = relatives_of(graph, self.rows, rng)
        for k in ANCESTORS:
            told = large[graph.depths[mine[k].relative]]
            owner, above = mine[k].owner[told], mine[k].relative[told]
            found[owner[within(keys, owner * graph.n + above)]] = True
        return np.asarray(found)


def _with_random(space: Space, rows: IntArray, rng: np.random.Generator) -> Space:
    """The space with further rows: those given, each in a random direction (Muller 1959)."""
    towards = rng.standard_normal((len(rows), space.coordinates.shape[1]))
    length = np.linalg.norm(space.coordinates[rows], axis=1)
    towards *= (length / np.linalg.norm(towards, axis=1))[:, None]
    return replace(
        space,
        coordinates=np.concatenate([space.coordinates, towards]),
        radii=np.concatenate([space.radii, space.radii[rows]]),
    )


def _by_depth(
    depth: IntArray,
    own: Floats,
    null_depth: IntArray,
    nulls: tuple[Floats, ...],
    kinds: tuple[int, ...],
) -> Floats:
    """p-values of nodes (k,), whose depth is ``depth``, by nulls as deep; the larger of them."""
    found = np.full(len(depth), np.nan)
    order = np.argsort(depth, kind="stable")
    levels, first = np.unique(depth[order], return_index=True)
    for level, mine in zip(levels, np.split(order, first[1:]), strict=True):
        deep = null_depth == level
        for null in nulls:
            p = _p_values(own[mine], null[deep], kinds)
            found[mine] = np.fmax(found[mine], p)
    return found


def _p_values(own: Floats, null: Floats, kinds: tuple[int, ...]) -> Floats:
    """How often a null row has as near a relative, over all kinds, (k,).

    Each kind is made a p-value of its own first, the smallest of them is the statistic, and how
    often the null's is as small is the answer. A node is left out where
    even a row with nobody before its relatives would not be told from the null.
    """
    least, null_least = np.full(len(own), np.inf), np.full(len(null), np.inf)
    perfect = least.copy()
    for kind in kinds:
        known = np.sort(null[~np.isnan(null[:, kind]), kind])
        if len(known) < _FEWEST // 2:
            continue

        def often(shares: Floats, known: Floats = known) -> Floats:
            upto = np.searchsorted(known, shares, "right")
            return np.where(np.isnan(shares), np.inf, (upto + 1) / (len(known) + 1))

        least = np.fmin(least, often(own[:, kind]))
        null_least = np.fmin(null_least, often(null[:, kind]))
        nobody = float(often(np.zeros(1))[0])
        perfect = np.where(np.isnan(own[:, kind]), perfect, np.fmin(perfect, nobody))
    known = np.sort(null_least[np.isfinite(null_least)])
    told = np.isfinite(least)
    p = (np.searchsorted(known, least, "right") + 1) / (len(known) + 1)
    best = (np.searchsorted(known, perfect, "right") + 1) / (len(known) + 1)
    return np.where(told & (best < POWER), p, np.nan)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Rows as good as random among those that are judged."""

    judged: int
    share: float  # 0 to 1
    low: float  # 95 %
    high: float
    cut: float  # the p-value above which as many rows lie as the share says


def mixture(p: Floats, sampled: bool = False) -> Mixture:
    """The flat part of p-values, NaN left out; ``sampled``: they are those of a sample of nodes.

    Flat from the smallest of some cuts on, beyond which they lie as those beyond one half do. The
    rows with the largest p-values, as many as the share says, are those named: as many of them
    are in their place as others, who are not, lie nearer by chance.
    """
    values = np.sort(p[~np.isnan(p)])
    n = len(values)
    if not n:
        return Mixture(0, np.nan, np.nan, np.nan, 1.0)

    def beyond(cut: float) -> int:
        return n - int(np.searchsorted(values, cut, "right"))

    cut, far = _HALF, beyond(_HALF)
    for tried in _CUTS:
        flat = (_HALF - tried) / (1 - _HALF)
        between, expected = beyond(tried) - far, far * flat
        if between - expected <= np.sqrt(expected + far * flat**2):  # one standard error
            cut = tried
            break
    random = min(beyond(cut) / (1 - cut), float(n))
    variance = random * cut / (1 - cut) + (random * (1 - random / n) if sampled else 0.0)
    spread = _Z * np.sqrt(variance)
    many = round(random)
    least = max(float(values[n - many - 1]) if many < n else 0.0, 0.0)
    low, high = float(max(random - spread, 0.0)), float(min(random + spread, n))
    return Mixture(n, random / n, low / n, high / n, least)


def together(parts: Sequence[Mixture]) -> Mixture:
    """The mixture of groups that were judged apart; its bounds are the sums of theirs."""
    if len(parts) == 1:
        return parts[0]
    judged = [part.judged for part in parts]
    weights = np.array(judged) / max(sum(judged), 1)

    def mean(values: Sequence[float]) -> float:
        return float(np.nansum(weights * np.array(values)))

    return Mixture(
        sum(judged),
        mean([part.share for part in parts]),
        mean([part.low for part in parts]),
        mean([part.high for part in parts]),
        min(part.cut for part in parts),
    )
