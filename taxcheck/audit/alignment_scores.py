"""Do rows and idx belong together: a sample of sources, scored under every way of joining them.

A table that was joined wrongly looks untrained. Under the right way its ancestors are near again,
so a few dozen sources tell, among a bounded number of candidates, whatever the size of the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from taxcheck.audit import relatives
from taxcheck.audit.alignment import Aligned
from taxcheck.audit.candidates import Candidate, Way, other_ways, untried
from taxcheck.audit.trial import Trial, least
from taxcheck.model.finding import Defect
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.offenders import Sink, defect_of, of_nodes
from taxcheck.statistics.values import MappingStatistics

_SOURCES = 96
_DEALS = 5  # of rows at random, for what chance scores
_BETTER = 0.05  # of MAP


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
    trial = Trial.of(table.checkpoint, relatives.ancestors(graph, sources), n, rng)
    used = trial.precision(table.row_of[:n])
    others = []
    ways = [way for way in other_ways(table, mapping, n) if not _same(way, table, n)]
    for way in ways:
        own = trial.precision(way.row_of, transposed=way.way is Way.TRANSPOSED)
        others.append(Scored(way.name, way.way, float(own.mean()), least(own - used), way.ask))
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
