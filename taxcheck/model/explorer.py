"""A trained table as a person explores it: every row in two dimensions, and what is known of it.

Nothing here is sampled or shortened; how it is packed into a page is the renderer's affair. Arrays
are (n,), by idx.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from taxcheck.model.arrays import BoolArray, FloatArray, IntArray
from taxcheck.model.vocabulary import percent, plural

CLADES = 8  # that have a colour of their own


@dataclass(frozen=True, slots=True)
class Mark:
    """What was found of single rows, as a colour shows it."""

    name: str  # "never trained"
    told: str  # one sentence: what it means, or by what it was found
    rows: BoolArray  # (n,)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to lay the table out, and what it keeps; see ``audit.metrics.faithfulness``."""

    name: str
    kept: float  # share of the nearest rows; NaN where there are none
    parent_rank: float  # median; NaN where no parent is known


@dataclass(frozen=True, slots=True)
class Explorer:
    """A table and its layout. In flat space ``across`` are coordinates, else unit directions."""

    title: str
    created: str
    version: str
    table: str  # what was looked at, one line
    hyperbolic: bool
    across: FloatArray  # (n, 2)
    radii: FloatArray  # hyperbolic distance from the origin, or the norm; NaN: no point, not drawn
    parent: IntArray  # the first one of each, -1 for none
    walk: IntArray  # all idx in the order of a depth-first walk along first parents
    depth: IntArray  # by first parents, 0 at a root
    more_parents: IntArray  # (k, 2) further edges: child, parent
    names: Sequence[str | None]  # shorter where the table has rows beyond the mapping
    identifiers: Sequence[int | str | None]
    parent_rank: IntArray | None  # of the first parent, in the table itself; 0: unknown
    clades: tuple[int, ...]  # heads of great clades, largest first; none holds another
    marks: tuple[Mark, ...]  # the gravest last
    ways: tuple[Way, ...]  # the one that is drawn, then the others
    table_rank: float  # the median rank of the parent in the table; NaN where none is known
    nearest: int  # how many nearest rows ``kept`` is about
    sampled: int  # rows that layouts were judged by
    numbered: bool = True  # whether an idx stands in a file of the user's
    missing: str = ""  # why a mark or a rank is not there, one sentence each
    guesses: tuple[str, ...] = ()  # what was guessed of the table, one sentence each
    notes: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of idx, drawn or not."""
        return len(self.radii)

    @property
    def drawn(self) -> int:
        """Number of rows that are points, and so are drawn."""
        return int(np.count_nonzero(np.isfinite(self.radii)))

    @property
    def faithful(self) -> str:
        """What the picture keeps of the table, one sentence; empty where there is no neighbour."""
        way = self.ways[0]
        if math.isnan(way.kept):
            return ""
        said = (
            f"Of each row's {self.nearest} nearest rows in the table, {percent(way.kept)} are "
            f"among its {self.nearest} nearest in this picture"
        )
        if not math.isnan(way.parent_rank) and not math.isnan(self.table_rank):
            said += (
                f"; its parent has rank {round(way.parent_rank):,} here and rank "
                f"{round(self.table_rank):,} in the table, at the median"
            )
        return f"{said} ({plural(self.sampled, 'row')} looked at)."

    def lines(self) -> Iterator[str]:
        """Lines for a person."""
        yield f"{self.title}: {self.table}"
        yield f"{self.drawn:,} of {plural(self.n, 'row')} drawn by {self.ways[0].name}"
        if self.faithful:
            yield self.faithful
        yield from self.guesses
        for mark in self.marks:
            yield f"{mark.name}: {int(np.count_nonzero(mark.rows)):,}"


# What makes the page; found through ``taxcheck.renderers`` as ``EXPLORER``.
ExplorerPage = Callable[[Explorer], str]
