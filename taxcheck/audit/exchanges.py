"""Were the rows of two subtrees exchanged: they are put back on trial, and must rank well then.

A subtree whose rows are another's keeps them together, so that neither its spread nor the nearness
of its siblings tells. What it has lost are the ancestors above it, and those lie by the other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.audit import relatives
from taxcheck.audit.clades import name_of_node
from taxcheck.audit.metrics.kinship import ANCESTORS
from taxcheck.audit.metrics.placement import Placement
from taxcheck.audit.metrics.standing import POOL
from taxcheck.audit.scores import Subject
from taxcheck.audit.trial import Trial, least
from taxcheck.model.arrays import BoolArray, FloatArray, IntArray
from taxcheck.model.finding import Defect
from taxcheck.sources.taxonomies.name_table import NameTable
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.offenders import Sink, defect_of, of_nodes
from taxcheck.statistics.values import Identifiers

_SMALLEST = 4  # rows of a subtree
# An ancestor is far where more strangers stand before it than before nine in ten, and a few at all.
_USUAL, _AWAY = 0.9, 1.5 / POOL
_SUSPECT, _FEWEST = 0.25, 3  # share and number of such nodes that make a subtree suspect
_SUSPECTS, _PAIRS, _FOUND = 64, 24, 8
_MEMBERS, _SOURCES, _GLANCE = 32, 96, 4
_NEARER = 0.5  # in the logarithm of the separation, of both together
_BETTER = 0.05  # of MAP, by three standard errors
_REPAIRED = 0.9  # of the MAP of nodes elsewhere


@dataclass(frozen=True, slots=True)
class Exchange:
    """Two subtrees of which each has rows of the other."""

    heads: tuple[int, int]
    names: tuple[str, str]
    nodes: IntArray  # (2, k) of either, so that nodes[0, i] and nodes[1, i] have each other's row
    map: float  # of a sample of both, as the rows stand
    mended: float  # the same, each with its own

    @property
    def rows(self) -> int:
        """Rows that are another's."""
        return int(self.nodes.size)


@dataclass(frozen=True, slots=True)
class Exchanges:
    """All that were found, the largest first, and the nodes whose rows are another's."""

    found: tuple[Exchange, ...]
    defect: Defect
    touched: IntArray  # these nodes, and those that the subtrees hang below


def exchanges(
    subject: Subject,
    place: Placement,
    identifiers: Identifiers | None,
    taxonomy: Taxonomy | NameTable | None,
    sink: Sink | None = None,
) -> Exchanges:
    """Pairs of subtrees whose rows rank well only when they are put back; none in a DAG."""
    forest, found = subject.graph.forest, list[Exchange]()
    taken = np.zeros(subject.graph.n, dtype=bool)
    trials = [] if forest is None else _tried(subject, forest, place)
    for trial in sorted(trials, key=lambda one: -(one.mended - one.map) * one.rows):
        if len(found) < _FOUND and not taken[trial.nodes].any():
            taken[trial.nodes] = True
            first, second = (name_of_node(k, identifiers, taxonomy) for k in trial.heads)
            found.append(replace(trial, names=(first, second)))
    every = np.concatenate([np.empty(0, np.int64), *(one.nodes.ravel() for one in found)])
    other = np.concatenate([np.empty(0, np.int64), *(one.nodes[::-1].ravel() for one in found)])
    order = np.argsort(every)
    rows = of_nodes("weak_separation", every[order], row_of=other[order])
    total = int(np.count_nonzero(subject.graph.present))
    hang = subject.graph.parents_of.expand(np.array([h for one in found for h in one.heads], int))[
        1
    ]
    touched = np.union1d(every, hang)
    return Exchanges(tuple(found), defect_of(rows, total, sink if found else None), touched)


def _tried(subject: Subject, forest: Forest, place: Placement) -> Iterator[Exchange]:
    """Those that repair the ranking, the best way of each pair of subtrees."""
    far = np.full((len(forest.parent), len(ANCESTORS)), np.nan)
    far[place.nodes] = place.shares[:, list(ANCESTORS)]
    heads, inside = _suspects(forest, far)
    if len(heads) < 2:
        return
    rng = np.random.default_rng(subject.seed)
    tour = np.empty(len(forest.entry), dtype=np.int64)
    tour[forest.entry] = np.arange(len(tour))
    members = [tour[forest.entry[h] : forest.entry[h] + forest.size[h]] for h in heads]
    usual: float | None = None
    for i, j in _pairs(subject, forest, heads, members, inside, place, rng):
        both = np.concatenate([members[i], members[j]])
        if usual is None:
            usual = _elsewhere(subject, members, rng)
        trial = _trial(subject, both, rng)
        own = subject.table.row_of[: subject.graph.n]
        before, glance = trial.precision(own), trial.every(_GLANCE)
        first = before[::_GLANCE].mean()
        best: tuple[float, IntArray] | None = None
        for nodes in _ways(members[i], members[j], subject.graph.depths):
            back = own.copy()
            back[nodes] = own[nodes[::-1]]
            if glance.precision(back).mean() <= first + _BETTER / 2:
                continue
            after = trial.precision(back)
            good = least(after - before) > _BETTER and after.mean() >= _REPAIRED * usual
            if good and (best is None or after.mean() > best[0]):
                best = float(after.mean()), nodes
        if best is not None:
            own_heads = (_above_all(forest, best[1][0]), _above_all(forest, best[1][1]))
            yield Exchange(own_heads, ("", ""), best[1], float(before.mean()), best[0])


def _above_all(forest: Forest, nodes: IntArray) -> int:
    """The lowest node that all of these are at or below."""
    first, last = forest.entry[nodes].min(), forest.entry[nodes].max()
    head = int(nodes[0])
    while forest.entry[head] > first or forest.entry[head] + forest.size[head] <= last:
        head = int(forest.parent[head])
    return head


def _suspects(forest: Forest, far: FloatArray) -> tuple[IntArray, BoolArray]:
    """Heads of subtrees that lie far from what is above them, or whose nodes do from their parents.

    ``far`` (n, 3) are shares of strangers before the ancestors of one to three steps. Beside the
    heads (m,), which of them are suspect for what is inside of them.
    """
    n, at = len(forest.parent), np.arange(len(forest.parent))
    seen = ~np.isnan(far)
    usual = np.quantile(far[seen], _USUAL) if seen.any() else 0.0
    away = far > max(usual, _AWAY)
    known, bad = np.zeros(n), np.zeros(n)
    for step in range(far.shape[1]):
        told = (at >= 0) & seen[:, step]
        known += np.bincount(at[told], minlength=n)
        bad += np.bincount(at[told & away[:, step]], minlength=n)
        at = np.where(at >= 0, forest.parent[np.maximum(at, 0)], -1)
    above = (bad >= _FEWEST) & (bad >= _SUSPECT * known)
    order = np.argsort(forest.entry)
    upto = [np.r_[0, np.cumsum(mask[order, 0])] for mask in (away, seen)]
    begin, end = forest.entry, forest.entry + forest.size
    lost, told_inside = (one[end] - one[begin] for one in upto)
    inside = (lost >= _FEWEST) & (lost >= _SUSPECT * told_inside)
    sized = (forest.size >= _SMALLEST) & (forest.parent >= 0)
    heads = np.flatnonzero((above | inside) & sized)
    many = np.maximum(np.where(above, bad, 0), np.where(inside, lost, 0))[heads]
    heads = np.sort(heads[np.argsort(-many, kind="stable")[:_SUSPECTS]])
    return heads, inside[heads]


def _pairs(
    subject: Subject,
    forest: Forest,
    heads: IntArray,
    members: list[IntArray],
    inside: BoolArray,
    place: Placement,
    rng: np.random.Generator,
) -> list[tuple[int, int]]:
    """Pairs that are worth a trial: each lies nearer to what is above the other.

    Or both hang below one node, where that does not tell, and are suspect inside.
    """
    space, above, usual = subject.space, forest.parent[heads].astype(np.int64), place.pools.usual
    near = np.full((len(heads), len(heads)), np.nan)
    for i, own in enumerate(members):
        some = own if len(own) <= _MEMBERS else rng.choice(own, _MEMBERS, replace=False)
        apart = space.separation(some[:, None], above[None, :]) / usual[above]
        near[i] = np.nanmean(np.log(np.maximum(apart, np.finfo(np.float64).tiny)), axis=0)
    gain = np.diag(near)[:, None] - near
    gain = gain + gain.T
    begin, end = forest.entry[heads], forest.entry[heads] + forest.size[heads]
    nested = (begin[:, None] < end) & (begin < end[:, None])
    upper = np.triu(~nested, 1)
    beside = upper & (above[:, None] == above) & inside[:, None] & inside
    size = np.minimum.outer(forest.size[heads], forest.size[heads])
    chosen: list[tuple[int, int]] = []
    for which, by in ((upper & (gain > _NEARER), gain), (beside, size)):
        one, other = np.nonzero(which)
        first = np.argsort(-by[one, other], kind="stable")[:_PAIRS]
        chosen += zip(one[first].tolist(), other[first].tolist(), strict=True)
    return list(dict.fromkeys(chosen))


def _ways(one: IntArray, other: IntArray, depth: IntArray) -> Iterator[IntArray]:
    """Which rows may have changed places, (2, k) each, no way twice.

    The subtrees come in the order of the walk, their heads first. With or without these, row by row
    in that order, in that of idx, with the head first or not, or level by level; of the larger one
    as many as the smaller one has.
    """
    seen: set[bytes] = set()
    for first in (0, 1):
        orders = (
            lambda rows: rows,
            np.sort,
            lambda rows: np.r_[rows[:1], np.sort(rows[1:])],
            lambda rows: rows[np.lexsort((rows, depth[rows]))],
        )
        for order in orders:
            a, b = order(one[first:]), order(other[first:])
            k = min(len(a), len(b))
            way = np.stack([a[:k], b[:k]])
            if way.tobytes() not in seen:
                seen.add(way.tobytes())
                yield way


def _trial(subject: Subject, nodes: IntArray, rng: np.random.Generator) -> Trial:
    """A sample of nodes that have a parent, to be ranked."""
    some = nodes[subject.graph.parent_counts[nodes] > 0]
    some = np.sort(rng.choice(some, min(_SOURCES, len(some)), replace=False))
    above = relatives.ancestors(subject.graph, some)
    return Trial.of(subject.table.checkpoint, above, subject.graph.n, rng)


def _elsewhere(subject: Subject, members: list[IntArray], rng: np.random.Generator) -> float:
    """The MAP of nodes that are in no suspect subtree; of all, where there is none."""
    kept = np.asarray(subject.graph.present).copy()
    kept[np.concatenate(members)] = False
    kept &= subject.graph.parent_counts > 0
    if not kept.any():
        kept = subject.graph.parent_counts > 0
    trial = _trial(subject, np.flatnonzero(kept), rng)
    return float(trial.precision(subject.table.row_of[: subject.graph.n]).mean())
