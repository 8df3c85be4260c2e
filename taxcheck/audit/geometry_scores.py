"""Which space are the rows points of, where nothing states it: the ranking is asked.

Norms do not tell a ball from a Euclidean table that was held inside of a radius, nor tangent
vectors from either. Read as what they are, ancestors are near.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from taxcheck.audit import relatives
from taxcheck.audit.alignment import Aligned
from taxcheck.audit.trial import Trial, least
from taxcheck.model.geometry import Geometry
from taxcheck.model.vocabulary import score as figure
from taxcheck.sources.checkpoints.checkpoint import Reading
from taxcheck.sources.checkpoints.geometry import Stated, reading_of
from taxcheck.statistics.hierarchy.graph import Graph

_SOURCES = 192


class ToldBy(StrEnum):
    """What tells the space of a table."""

    STATED = "stated"  # by the user, or by the file
    NUMBERS = "its numbers"  # which are such by no chance
    RANKING = "the ranking"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class GeometryTold:
    """As points of which space the rows were read, and what tells that."""

    geometry: Geometry
    told_by: ToldBy
    scores: Mapping[Geometry, float] = field(default_factory=dict)  # MAP, the best first
    sources: int = 0  # nodes whose ancestors were ranked for them

    @property
    def guess(self) -> str:
        """What was guessed, and what settles it; empty where nothing was."""
        if self.told_by in (ToldBy.STATED, ToldBy.NUMBERS):
            return ""
        said = f"Nothing states the geometry: read as {self.geometry}"
        if self.told_by is ToldBy.RANKING:
            return f"{said}, in which a sample ranks best ({self.scored}); `geometry` states it."
        if not self.scores:
            return (
                f"{said} by its norms, and no pairs were given that would tell; state `geometry`."
            )
        return (
            f"{said} by its norms, and the ranking does not tell ({self.scored}); state `geometry`."
        )

    @property
    def scored(self) -> str:
        """``MAP 0.91 as ball, 0.62 as euclidean, of 192 nodes``; empty where nothing was scored."""
        if not self.scores:
            return ""
        each = ", ".join(f"{figure(value)} as {space}" for space, value in self.scores.items())
        return f"MAP {each}, of {self.sources:,} nodes"


def settled(table: Aligned, graph: Graph | None, seed: int) -> tuple[Aligned, GeometryTold]:
    """The table read as points of the space that the ranking tells, where nothing else does.

    A space is told where it is better than every other by three standard errors. Where none is, the
    table stays as its norms were read.
    """
    reading = table.checkpoint.reading
    if not reading.rivals:
        stated = ToldBy.STATED if reading.confidence == "certain" else ToldBy.NUMBERS
        return table, GeometryTold(reading.geometry, stated)
    found = GeometryTold(reading.geometry, ToldBy.NOTHING)
    if graph is not None:
        found = _by_ranking(table, graph, reading, seed) or found
    if found.geometry is not reading.geometry:
        reading = _read_as(table, found.geometry)
    guesses = (*table.checkpoint.guesses, found.guess)
    checkpoint = replace(table.checkpoint, reading=reading, guesses=guesses)
    return replace(table, checkpoint=checkpoint), found


def _by_ranking(table: Aligned, graph: Graph, reading: Reading, seed: int) -> GeometryTold | None:
    """What a sample of nodes tells; None where no node has an ancestor."""
    rng = np.random.default_rng(seed)
    n = min(graph.n, table.n)
    every = np.flatnonzero(graph.parent_counts[:n] > 0)
    if not len(every):
        return None
    sources = np.sort(rng.choice(every, min(_SOURCES, len(every)), replace=False))
    trial = Trial.of(table.checkpoint, relatives.ancestors(graph, sources), n, rng)
    spaces = (reading.geometry, *reading.rivals)
    own = {space: trial.precision(table.row_of[:n], geometry=space) for space in spaces}
    order = sorted(spaces, key=lambda space: -own[space].mean())
    best, others = order[0], order[1:]
    told = all(least(own[best] - own[other]) > 0 for other in others)
    return GeometryTold(
        best if told else reading.geometry,
        ToldBy.RANKING if told else ToldBy.NOTHING,
        {space: float(own[space].mean()) for space in order},
        len(sources),
    )


def _read_as(table: Aligned, geometry: Geometry) -> Reading:
    """The reading of a table as points of another space than its norms were taken for."""
    checkpoint = table.checkpoint
    c = None if (was := checkpoint.reading.curvature) == 1 else was
    source = "A sample ranks best so."
    stated = Stated(geometry=geometry, source=source, curvature=c, curvature_source=f"c = {was:g}.")
    found = reading_of(checkpoint.vectors, checkpoint.dtype, stated)
    return replace(found, confidence="likely", rivals=checkpoint.reading.rivals)
