"""Groups: clades that spread, classes that separate, siblings, hubs, and distances by kinship."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.audit.clades import NestedClades, Partition
from taxcheck.audit.metrics.clades import clade_spread
from taxcheck.audit.metrics.distortion import distortion, pairs_of_rows, tree_distances
from taxcheck.audit.metrics.hubness import Hubness, hubness
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.retrieval import sibling_retrieval
from taxcheck.audit.metrics.separation import class_separation, successors_separation
from taxcheck.audit.values import (
    CladeSpread,
    FloatArray,
    HierarchyScores,
    Hubs,
    NullScore,
    Score,
    five_of,
)
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.pictures import Five
from taxcheck.statistics.hierarchy.graph import Graph

_SAMPLED = 20_000  # pairs for distances and distortion


def group_scores(
    scores: HierarchyScores,
    space: Space,
    graph: Graph,
    clades: Partition | None,
    nested: NestedClades | None,
    trained: BoolArray,
    rng: np.random.Generator,
    workers: int,
) -> HierarchyScores:
    """The scores with those that compare siblings, clades and random nodes, on seeded samples.

    ``clades`` divide the nodes and are held apart from each other; the spread is that of
    ``nested``, each for itself.
    """
    parents = Lists.from_csr(graph.parents_of.starts, graph.parents_of.targets)
    hubs = hubness(space, rng)
    return replace(
        scores,
        siblings=_siblings(space, parents, graph, trained, rng),
        distance_bands=_kinds(space, graph, rng),
        hubness=_finite(hubs.skew),
        hubs=_hubs(hubs),
        distortion=_distortion(space, graph, rng),
        separation=_separation(space, clades, trained, rng, workers) if clades else None,
        separation_successors=successors_separation(space, clades.of, rng) if clades else None,
        clade_level=clades.level if clades else "no clades",
        clades=_spread(space, graph, nested, trained, rng) if nested else (),
        spread_level=nested.level if nested else "no clades",
    )


def _siblings(
    space: Space, parents: Lists, graph: Graph, trained: BoolArray, rng: np.random.Generator
) -> Score | None:
    result = sibling_retrieval(space, parents, graph.depths, rng)
    if not len(result.sources) or not np.isfinite(result.auc.value):
        return None
    auc, alone = result.auc, None
    if not trained.all():
        kept = trained[graph.children]
        among = Lists.from_pairs(graph.children[kept], graph.parents[kept], graph.n)
        depth = np.where(trained, graph.depths, -1)
        alone = sibling_retrieval(space, among, depth, rng).auc.value
    return Score(
        value=auc.value,
        low=auc.low,
        high=auc.high,
        nulls={"same depth, no kin": NullScore(0.5, auc.low - 0.5)},
        protocol=f"AUC of siblings against nodes of the same depth, {result.draws} draws a source",
        sources=len(result.sources),
        total=int(np.count_nonzero(graph.parent_counts)),
        trained_only=_finite(alone),
        optimum=1.0,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value


def _hubs(found: Hubness) -> Hubs | None:
    if found.k < 1:
        return None
    times, rows = np.unique(found.occurrences, return_counts=True)
    greatest = int(np.argmax(found.occurrences))
    return Hubs(
        k=found.k,
        sampled=len(found.rows),
        greatest=(int(found.rows[greatest]), found.largest),
        occurrences=tuple((int(t), int(n)) for t, n in zip(times, rows, strict=True)),
    )


def _kinds(space: Space, graph: Graph, rng: np.random.Generator) -> dict[str, Five]:
    """Percentiles of the distance of parent and child, of siblings, of random nodes."""
    found: dict[str, FloatArray] = {}
    if len(graph.parents):
        edges = rng.integers(0, len(graph.parents), _SAMPLED)
        parent, child = graph.parents[edges], graph.children[edges]
        found["parent-child"] = space.distance(parent, child)
        starts, counts = graph.children_of.starts, graph.children_of.counts
        drawn = starts[parent] + (rng.random(len(parent)) * counts[parent]).astype(np.int64)
        other = graph.children_of.targets[drawn]
        found["sibling"] = space.distance(child, other)[other != child]
    present = np.flatnonzero(graph.present)
    if len(present) > 1:
        u, v, _ = pairs_of_rows(len(present), _SAMPLED, rng)
        found["random"] = space.distance(present[u], present[v])
    bands = {}
    for kind, distances in found.items():
        sound = distances[np.isfinite(distances)]
        if len(sound):
            bands[kind] = five_of(sound)
    return bands


def _distortion(space: Space, graph: Graph, rng: np.random.Generator) -> dict[str, float]:
    """Against the tree's own distances, on sampled pairs; empty for a graph that is no forest."""
    present = np.flatnonzero(graph.present)
    if graph.forest is None or len(present) < 2:
        return {}
    u, v, complete = pairs_of_rows(len(present), _SAMPLED, rng)
    u, v = present[u], present[v]
    graph_distance = tree_distances(graph.forest.parent, graph.forest.depth, u, v)
    found = distortion(space.distance(u, v), graph_distance, rng, complete=complete)
    return {
        "average": found.average.value,
        "average, best scale": found.scaled.value,
        "scale": found.scale,
        "worst": found.worst,
        "pairs": float(found.pairs),
    }


def _separation(
    space: Space, clades: Partition, trained: BoolArray, rng: np.random.Generator, workers: int
) -> Score | None:
    found = class_separation(space, clades.of, rng, workers=workers)
    if not np.isfinite(found.ratio.value):
        return None
    inside = np.flatnonzero(clades.of >= 0)
    dealt = clades.of.copy()
    dealt[inside] = clades.of[rng.permutation(inside)]
    null = class_separation(space, dealt, rng, workers=workers)
    alone = None
    if not trained.all():
        among = np.where(trained, clades.of, -1)
        alone = class_separation(space, among, rng, workers=workers).ratio.value
    return Score(
        value=found.ratio.value,
        low=found.ratio.low,
        high=found.ratio.high,
        nulls={
            "classes dealt at random": NullScore(
                null.ratio.value, found.ratio.low - null.ratio.high
            )
        },
        protocol=f"mean distance between over within, all pairs, {clades.level}",
        sources=found.sampled,
        total=len(inside),
        trained_only=_finite(alone),
    )


def _spread(
    space: Space,
    graph: Graph,
    clades: NestedClades,
    trained: BoolArray,
    rng: np.random.Generator,
) -> tuple[CladeSpread, ...]:
    """Every clade that has a spread, by how far it is from what is expected."""
    if not len(clades.heads):
        return ()
    found = clade_spread(
        space, clades.heads, clades.begin, clades.end, clades.members, graph.depths, rng
    )
    before = np.r_[0, np.cumsum(~trained[clades.members])]
    untrained = (before[clades.end] - before[clades.begin]) / clades.sizes
    judged = np.flatnonzero(np.isfinite(found.z))
    around = _around(clades.begin, clades.end, judged)
    return tuple(
        CladeSpread(
            idx=int(clades.heads[k]),
            label=clades.labels[k],
            size=int(clades.sizes[k]),
            depth=int(graph.depths[clades.heads[k]]),
            spread=float(found.spread[k]),
            expected=float(found.expected[k]),
            z=float(found.z[k]),
            never_trained=float(untrained[k]),
            inside=int(clades.heads[around[k]]) if k in around else None,
        )
        for k in judged[np.argsort(-np.abs(found.z[judged]), kind="stable")]
    )


def _around(begin: IntArray, end: IntArray, judged: IntArray) -> dict[int, int]:
    """For judged clades, the position of the smallest one around each."""
    found: dict[int, int] = {}
    open_: list[int] = []
    for k in judged[np.lexsort((-end[judged], begin[judged]))].tolist():
        while open_ and end[open_[-1]] <= begin[k]:
            open_.pop()
        if open_:
            found[k] = open_[-1]
        open_.append(k)
    return found
