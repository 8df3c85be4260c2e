"""Do rows and idx belong together: a sample of sources, scored under every way of joining them.

A table that was joined wrongly looks untrained. Under the right way its ancestors are near again,
so a few dozen sources tell, among a bounded number of candidates, whatever the size of the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from taxcheck.audit import relatives
from taxcheck.audit.alignment import Aligned
from taxcheck.audit.candidates import Candidate, Way, other_ways, untried
from taxcheck.audit.metrics.lists import Lists
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Defect
from taxcheck.sources.checkpoints.checkpoint import Checkpoint
from taxcheck.sources.checkpoints.geometry import Stated, reading_of
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.offenders import Sink, defect_of, of_nodes
from taxcheck.statistics.values import MappingStatistics

_SOURCES, _POOL = 96, 1_000
_DEALS = 5  # of rows at random, for what chance scores
_SURE = 3.0  # standard errors that a better way is better by, and by more than
_BETTER = 0.05  # of MAP

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """A way of joining rows, and the MAP of the sampled sources under it."""

    name: str
    way: Way | None  # None: the one that was used
    map: float
    least: float = 0.0  # by how much it is better than the one used, at least
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Alignments:
    """How the table scores as it was joined, in every other way, and by chance."""

    used: Scored
    others: tuple[Scored, ...]  # the best first
    chance: float  # the best of rows that were dealt at random
    sources: int
    pool: int  # candidates among which each source's ancestors are ranked
    defect: Defect  # idx that have another row in the better way; empty where there is none
    untried: tuple[str, ...] = ()  # ways that were left out, each with its reason

    @property
    def better(self) -> Scored | None:
        """A way that is far better than the one used, and than chance; None for none."""
        best = self.others[0] if self.others else None
        if best is None or best.least <= _BETTER or best.map <= self.chance + _BETTER:
            return None
        return best


def score_alignments(
    table: Aligned, mapping: MappingStatistics, graph: Graph, seed: int, sink: Sink | None = None
) -> Alignments | None:
    """Score every way of joining the rows; None where no node has an ancestor."""
    rng = np.random.default_rng(seed)
    n = min(graph.n, table.n)
    every = np.flatnonzero(graph.parent_counts[:n] > 0)
    if not len(every):
        return None
    sources = np.sort(rng.choice(every, min(_SOURCES, len(every)), replace=False))
    trial = _Trial.of(table.checkpoint, relatives.ancestors(graph, sources), n, rng)
    used = trial.precision(table.row_of[:n])
    others = []
    ways = [way for way in other_ways(table, mapping, n) if not _same(way, table, n)]
    for way in ways:
        own = trial.precision(way.row_of, transposed=way.way is Way.TRANSPOSED)
        others.append(Scored(way.name, way.way, float(own.mean()), _least(own - used), way.ask))
    order = sorted(range(len(others)), key=lambda k: -others[k].map)
    dealt = [trial.precision(rng.permutation(table.row_of[:n])).mean() for _ in range(_DEALS)]
    found = Alignments(
        Scored(table.how, None, float(used.mean())),
        tuple(others[k] for k in order),
        float(max(dealt)),
        len(sources),
        len(trial.nodes),
        Defect(0, mapping.nodes),
        untried(mapping),
    )
    if found.better is None:
        return found
    return _with_defect(found, ways[order[0]], table, mapping, sink)


def _with_defect(
    found: Alignments,
    way: Candidate,
    table: Aligned,
    mapping: MappingStatistics,
    sink: Sink | None,
) -> Alignments:
    """The same with the idx whose row is another one in the better way."""
    n = len(way.row_of)
    apart = way.row_of != table.row_of[:n]
    if way.way is Way.TRANSPOSED:
        apart = np.ones(n, dtype=bool)
    nodes = np.flatnonzero(apart & mapping.mapped[:n])
    rows = of_nodes("unaligned_table", nodes, table_row=table.row_of[nodes], row=way.row_of[nodes])
    return replace(found, defect=defect_of(rows, mapping.nodes, sink))


def _same(way: Candidate, table: Aligned, n: int) -> bool:
    return way.way is not Way.TRANSPOSED and np.array_equal(way.row_of, table.row_of[:n])


def _least(difference: Floats) -> float:
    """What the mean of a difference over sources is at least."""
    if len(difference) < 2:
        return 0.0
    return float(difference.mean() - _SURE * difference.std(ddof=1) / np.sqrt(len(difference)))


@dataclass(frozen=True, slots=True)
class _Trial:
    """Sources with their ancestors, and the nodes among which these are ranked."""

    checkpoint: Checkpoint
    sources: IntArray
    nodes: IntArray  # ascending
    positive: npt.NDArray[np.bool_]  # (sources, nodes)

    @classmethod
    def of(cls, checkpoint: Checkpoint, above: Lists, n: int, rng: np.random.Generator) -> _Trial:
        """With a sample of nodes, and every ancestor among them."""
        drawn = rng.choice(n, min(_POOL, n), replace=False)
        nodes = np.unique(np.concatenate([drawn, above.targets]))
        positive = np.zeros((len(above.sources), len(nodes)), dtype=bool)
        positive[above.owner, np.searchsorted(nodes, above.targets)] = True
        return cls(checkpoint, above.sources, nodes, positive)

    def precision(self, row_of: IntArray, *, transposed: bool = False) -> Floats:
        """The average precision of each source's ancestors under a way, (sources,).

        Ties go against the ancestor, so that a table of one point scores nothing. A node without a
        row lies behind all others.
        """
        both = np.concatenate([self.sources, self.nodes])
        space, known = self._space(row_of[both], transposed)
        count = len(self.sources)
        at = np.arange(len(both))
        apart = np.full((count, len(self.nodes)), np.inf)
        apart[np.ix_(known[:count], known[count:])] = space.between(
            at[: known[:count].sum()], at[known[:count].sum() : known.sum()]
        )
        apart[~np.isfinite(apart)] = np.inf
        apart[self.sources[:, None] == self.nodes] = np.nan  # no candidate of its own
        return self._average(apart)

    def _space(self, rows: IntArray, transposed: bool) -> tuple[Space, npt.NDArray[np.bool_]]:
        """The points of those rows that there are, and which these are."""
        known = rows >= 0
        if not transposed:
            reading = self.checkpoint.reading
            vectors = self.checkpoint.vectors[rows[known]]
        else:
            vectors = np.ascontiguousarray(self.checkpoint.vectors[:, rows[known]].T)
            reading = reading_of(vectors, self.checkpoint.dtype, Stated())
        return Space.of(vectors, reading.geometry.value, reading.curvature), known

    def _average(self, apart: Floats) -> Floats:
        """The average precision of each row of distances (sources, nodes), NaN for itself."""
        order = np.lexsort((self.positive, apart))  # ties: ancestors last; NaN behind all others
        far, wanted = (np.take_along_axis(a, order, 1) for a in (apart, self.positive))
        hits = wanted & np.isfinite(far)
        place = np.arange(1, apart.shape[1] + 1)
        precise = np.where(hits, np.cumsum(hits, axis=1) / place, 0.0)
        found: Floats = precise.sum(axis=1) / np.maximum(self.positive.sum(axis=1), 1)
        return found
