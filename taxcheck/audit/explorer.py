"""All that the explorer of a table shows, measured: the layout, the tree, marks and ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.alignment import Aligned
from taxcheck.audit.equal_rows import first_of_equal
from taxcheck.audit.examination import Data
from taxcheck.audit.layouts import Layout, lay_out
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import TieRule, rank
from taxcheck.audit.values import CoverageOfTraining
from taxcheck.geometry.ball import radius_of_norm
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import IntArray
from taxcheck.model.explorer import CLADES, Explorer, Mark, Way
from taxcheck.model.vocabulary import NEAR_CLIP, percent, plural
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph

# A clade worth a colour has this share of the nodes, and gives way to children that hold this much.
_SOME, _COVERED = 0.01, 0.8
MISPLACED = "misplaced_rows"  # the defect that an audit tells of such rows
MOST_RANKED = 100_000  # rows of which every parent's rank is counted: that takes the square of them


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the picture."""

    title: str
    created: str
    version: str


def explore(
    table: Aligned,
    data: Data,
    coverage: CoverageOfTraining,
    heading: Heading,
    seed: int,
    workers: int,
    misplaced: IntArray | None = None,
    most_ranked: int = MOST_RANKED,
) -> Explorer:
    """A table by idx, all of it, with what its data says of every row.

    ``misplaced`` (k,) are nodes that an audit found no better placed than random rows.
    """
    space = table.space()
    parent, more = _edges(data.graph, table.n)
    forest = Forest.from_parents(parent)
    walk = np.empty(table.n, dtype=np.int64)
    walk[forest.entry] = np.arange(table.n)
    layout = lay_out(space, parent, seed)
    ranked = space.n <= most_ranked and bool((parent >= 0).any())
    missing = []
    if not ranked and (parent >= 0).any():
        missing.append(
            f"The rank of each parent in the table is counted up to {most_ranked:,} rows."
        )
    checkpoint, reading = table.checkpoint, table.checkpoint.reading
    if reading.unit_clip is None:
        missing.append("No clip is known, so no row is said to be at the boundary.")
    derived = data.mapping is not None and data.mapping.derived
    return Explorer(
        title=heading.title,
        created=heading.created,
        version=heading.version,
        table=(
            f"{plural(checkpoint.rows, 'row')} of dimension {checkpoint.dim}, {checkpoint.dtype}, "
            f"{reading.geometry.value} ({reading.confidence})"
        ),
        hyperbolic=space.hyperbolic,
        across=layout.plane.coordinates,
        radii=layout.plane.radii,
        parent=parent,
        walk=walk,
        depth=forest.depth.astype(np.int64),
        more_parents=more,
        names=_names(data),
        identifiers=_identifiers(data),
        parent_rank=_parent_ranks(space, parent, workers) if ranked else None,
        clades=great_clades(forest),
        marks=tuple(mark for mark in _marks(table, space, coverage, misplaced) if mark.rows.any()),
        ways=_ways(layout),
        table_rank=layout.table_rank,
        nearest=layout.found.k,
        sampled=layout.found.sampled,
        numbered=not derived,
        missing=" ".join(missing),
        guesses=tuple(one for one in checkpoint.guesses if one),
        notes=(table.how, *table.told) if table.how else (),
    )


def _marks(
    table: Aligned, space: Space, coverage: CoverageOfTraining, misplaced: IntArray | None
) -> Iterator[Mark]:
    """What is found of single rows, the gravest last: of several, a row shows that one."""
    vectors, reading = table.checkpoint.vectors, table.checkpoint.reading
    if reading.unit_clip is not None:
        clip = radius_of_norm(reading.unit_clip)
        with np.errstate(invalid="ignore"):
            at_clip = space.radii >= NEAR_CLIP * clip
        told = f"within {percent(1 - NEAR_CLIP)} of the clip's radius, {clip:.3g}"
        yield Mark("at the boundary", told, at_clip)
    first = first_of_equal(vectors)
    equal = first >= 0
    equal[first[equal]] = True
    yield Mark(
        "duplicate",
        "the same numbers as another row",
        np.asarray(table.spread(equal, False)),
    )
    if misplaced is not None:
        rows = np.zeros(table.n, dtype=bool)
        rows[misplaced] = True
        yield Mark("misplaced", "no nearer to its ancestors and siblings than random rows", rows)
    by = ", ".join(coverage.by_evidence)
    yield Mark("never trained", f"told by: {by}", coverage.never[: table.n])


def _edges(graph: Graph | None, n: int) -> tuple[IntArray, IntArray]:
    """The first parent of every node, (n,), -1 for none, and all further edges, (k, 2).

    Edges that close a cycle are left out.
    """
    parent, more = np.full(n, -1, dtype=np.int64), np.empty((0, 2), dtype=np.int64)
    if graph is None:
        return parent, more
    tree = graph.acyclic
    above = tree.parents_of
    some = np.flatnonzero(above.counts)
    parent[some] = above.targets[above.starts[some]]
    if len(above.targets) > len(some):
        child = np.repeat(np.arange(tree.n), above.counts)
        further = np.ones(len(child), dtype=bool)
        further[above.starts[some]] = False
        more = np.stack([child[further], above.targets[further]], axis=1)
    return parent, more


def great_clades(forest: Forest, most: int = CLADES) -> tuple[int, ...]:
    """Heads of at most ``most`` clades that overlap nowhere and hold most nodes, largest first.

    Beginning with the trees themselves, the largest clade gives way to its children as long as
    those of some size hold most of it.
    """
    parent, sizes, least = forest.parent, forest.size, max(2, int(_SOME * len(forest.size)))
    large = np.flatnonzero((sizes >= least) & (parent >= 0))
    below: dict[int, list[int]] = {}
    for child in large.tolist():
        below.setdefault(int(parent[child]), []).append(child)
    heads = [int(root) for root in np.flatnonzero((parent < 0) & (sizes >= least))]
    heads = sorted(heads, key=lambda head: (-sizes[head], head))[:most]
    whole: set[int] = set()
    while open_ := [head for head in heads if head not in whole]:
        head = max(open_, key=lambda one: (int(sizes[one]), -one))
        children = below.get(head, [])
        covered = sum(int(sizes[child]) for child in children)
        if covered < _COVERED * sizes[head] or len(heads) - 1 + len(children) > most:
            whole.add(head)
        else:
            heads.remove(head)
            heads += children
    return tuple(sorted(heads, key=lambda head: (-sizes[head], head)))


def _parent_ranks(space: Space, parent: IntArray, workers: int) -> IntArray:
    """The rank of every parent among all other rows, (n,); ties half before it; 0 where unknown."""
    sound = space.sound
    asked = np.flatnonzero((parent >= 0) & sound & sound[parent])
    found = np.zeros(space.n, dtype=np.int64)
    if len(asked):
        positives = Lists.from_pairs(asked, parent[asked], space.n)
        ranking = rank(space, positives, ties=TieRule.MEAN, workers=workers)
        found[ranking.sources] = np.maximum(np.rint(ranking.best_rank), 1).astype(np.int64)
    return found


def _names(data: Data) -> Sequence[str | None]:
    taxonomy = data.taxonomy or data.names
    if data.mapping is None or taxonomy is None:
        return ()
    every = data.mapping.identifiers.column(np.arange(data.mapping.n_nodes))
    names: list[str | None] = taxonomy.names_of(every).to_pylist()
    return names


def _identifiers(data: Data) -> Sequence[int | str | None]:
    if data.mapping is None:
        return ()
    numbers, texts = data.mapping.identifiers.integers, data.mapping.identifiers.strings
    if numbers is not None:
        return [None if one < 0 else one for one in numbers.tolist()]
    return () if texts is None else texts.tolist()


def _ways(layout: Layout) -> tuple[Way, ...]:
    drawn = Way(layout.name, layout.found.kept, layout.found.parent_rank)
    others = (Way(one.name, one.found.kept, one.found.parent_rank) for one in layout.others)
    return (drawn, *others)
