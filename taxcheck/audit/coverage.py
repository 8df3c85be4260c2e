"""The join of before and after: which rows were never trained, and what in the data explains it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.audit.alignment import Aligned
from taxcheck.audit.clades import SMALLEST, Partition
from taxcheck.audit.values import CoverageOfTraining
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.errors import InputError
from taxcheck.statistics.offenders import Sink, defect_of, of_nodes
from taxcheck.statistics.values import MappingStatistics, PairStatistics

# Strongest first. Where updates were recorded they are the fact, and the rest is not consulted.
NO_ROW = "no row in the table"
RECORDED = "recorded updates"
OPTIMIZER = "optimizer state"
INITIAL = "equal to the initial table"
NO_PAIR = "in no pair"
INIT_BOX = "inside the init box"
EVIDENCE = (NO_ROW, RECORDED, OPTIMIZER, INITIAL, NO_PAIR, INIT_BOX)

BEYOND, HOLE, UNKNOWN = "beyond the table", "index hole", "taxid unknown"
SAMPLED_NEVER, UNEXPLAINED = "sampled zero times", "unexplained"

# Engines draw their first vectors from a tiny box (facebookresearch: 1e-4, gensim: 1e-3). A row
# still inside counts as evidence only where the table as a whole has left the box far behind.
_BOX = 1e-3
_LEFT_BEHIND = 20.0
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the checkpoint; every part may be missing."""

    mapping: MappingStatistics | None = None
    pairs: PairStatistics | None = None
    initial: npt.NDArray[np.floating] | None = None  # (rows, width) the table before training
    unknown: BoolArray | None = None  # (n,) mapped nodes whose taxid the taxonomy lacks
    depths: IntArray | None = None  # (n,) depth of every node, -1 for none
    clades: Partition | None = None


def coverage_of_training(
    table: Aligned, known: Known, sink: Sink | None = None
) -> CoverageOfTraining:
    """Join a table with the data that it was trained on; see CoverageOfTraining."""
    rows = table.n
    names, strongest = _first(_evidence(table, known))
    never = strongest >= 0
    labels, reason = _first(_explanations(table, known, never))
    nodes = np.flatnonzero(never)
    untrained = of_nodes(
        "never_trained",
        nodes,
        evidence=np.array(names, dtype=object)[strongest[nodes]],
        explanation=np.array(labels, dtype=object)[reason[nodes]],
    )
    updates = table.spread(table.checkpoint.facts.update_counts, 0)
    return CoverageOfTraining(
        rows=rows,
        never=never,
        by_evidence=_counted(names, strongest[nodes]),
        by_explanation=_counted(labels, reason[nodes]),
        by_both=_crossed(labels, names, reason[nodes], strongest[nodes]),
        told_by=tuple(names),
        trained_known=_trained_known(names, table, known),
        by_clade=_by_clade(known.clades, never),
        defect=defect_of(untrained, rows, sink),
        updates=updates,
        updates_by_depth=_by_depth(updates, known.depths),
    )


def _first(found: dict[str, BoolArray]) -> tuple[list[str], IntArray]:
    """The names, and for every row the place of the first that holds, (rows,), -1 for none."""
    holds = np.array([*found.values()])
    return list(found), np.where(holds.any(axis=0), holds.argmax(axis=0), -1)


def _evidence(table: Aligned, known: Known) -> dict[str, BoolArray]:
    """Idx that each kind of evidence calls never trained, strongest evidence first."""
    rows, facts, vectors = table.n, table.checkpoint.facts, table.checkpoint.vectors
    found = {NO_ROW: ~table.has_row}
    updates = table.spread(facts.update_counts, 0)
    if updates is not None:
        return found | {RECORDED: table.has_row & (updates == 0)}
    untouched = table.spread(facts.untouched, False)
    if untouched is not None:
        found[OPTIMIZER] = untouched
    if known.initial is not None:
        if known.initial.shape[1] != vectors.shape[1]:
            raise InputError(
                f"the initial table has {known.initial.shape[1]:,} columns and the trained one "
                f"{vectors.shape[1]:,}: give `initial` the table that this training began with"
            )
        shared = min(len(vectors), len(known.initial))
        same = np.zeros(len(vectors), dtype=bool)
        for start in range(0, shared, _CHUNK):
            part = slice(start, min(start + _CHUNK, shared))
            same[part] = (vectors[part] == known.initial[part]).all(axis=1)
        found[INITIAL] = np.asarray(table.spread(same, False))
    if known.pairs is not None:
        found[NO_PAIR] = ~_in_pair(known.pairs, rows)
    found[INIT_BOX] = np.asarray(table.spread(_in_box(vectors), False))
    return found


def _trained_known(names: list[str], table: Aligned, known: Known) -> bool:
    """Whether a row without evidence was trained; pairs and the box say only that it may be."""
    whole = known.initial is not None and len(known.initial) >= len(table.checkpoint.vectors)
    return RECORDED in names or OPTIMIZER in names or whole


def _in_pair(pairs: PairStatistics, rows: int) -> BoolArray:
    used = (pairs.as_ancestor + pairs.as_descendant)[:rows] > 0
    return np.concatenate([used, np.zeros(rows - len(used), dtype=bool)])


def _in_box(vectors: npt.NDArray[np.floating]) -> BoolArray:
    largest = np.empty(len(vectors))
    for start in range(0, len(vectors), _CHUNK):
        largest[start : start + _CHUNK] = np.abs(vectors[start : start + _CHUNK]).max(axis=1)
    known = largest[np.isfinite(largest)]
    typical = float(np.median(known)) if len(known) else 0.0
    return (largest <= _BOX) if typical > _LEFT_BEHIND * _BOX else np.zeros(len(vectors), bool)


def _explanations(table: Aligned, known: Known, never: BoolArray) -> dict[str, BoolArray]:
    """Never-trained idx by what explains them; the first that applies counts."""
    rows = len(never)
    nothing = np.zeros(rows, dtype=bool)
    hole = idle = unknown = sampled = nothing
    if known.mapping is not None and not known.mapping.derived:
        beyond = np.ones(rows - known.mapping.n_nodes, dtype=bool)
        hole = np.concatenate([~known.mapping.mapped, beyond])
    if known.pairs is not None:
        idle = ~_in_pair(known.pairs, rows)
        updates = table.spread(table.checkpoint.facts.update_counts, 0)
        if updates is not None:
            sampled = (updates == 0) & ~idle
    if known.unknown is not None:
        unknown = np.concatenate([known.unknown, nothing[len(known.unknown) :]]) & idle
    return {
        HOLE: never & hole,
        BEYOND: never & ~table.has_row,
        UNKNOWN: never & unknown,
        NO_PAIR: never & idle,
        SAMPLED_NEVER: never & sampled,
        UNEXPLAINED: never,
    }


def _counted(names: list[str], numbers: IntArray) -> dict[str, int]:
    counts = np.bincount(numbers, minlength=len(names))
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def _crossed(
    rows: list[str], columns: list[str], row: IntArray, column: IntArray
) -> dict[tuple[str, str], int]:
    """Counts by both; in the order of the rows, and of the columns within one."""
    counts = np.bincount(row * len(columns) + column, minlength=len(rows) * len(columns))
    table = counts.reshape(len(rows), len(columns))
    return {(rows[i], columns[j]): int(table[i, j]) for i, j in np.argwhere(table)}


def _by_clade(clades: Partition | None, never: BoolArray) -> tuple[tuple[str, int, int], ...]:
    """(clade, never trained, nodes): clades of some size, most affected first."""
    if clades is None:
        return ()
    inside = clades.of >= 0
    sizes = clades.sizes
    lost = np.bincount(
        clades.of[inside], weights=never[: len(clades.of)][inside], minlength=len(sizes)
    ).astype(np.int64)
    order = np.lexsort((-sizes, -lost / np.maximum(sizes, 1)))
    return tuple(
        (clades.labels[k], int(lost[k]), int(sizes[k]))
        for k in order
        if sizes[k] >= SMALLEST and lost[k]
    )


def _by_depth(
    updates: IntArray | None, depths: IntArray | None
) -> tuple[tuple[int, int, int, float], ...]:
    """(depth, nodes, nodes without an update, mean updates) of every depth."""
    if updates is None or depths is None:
        return ()
    shared = min(len(updates), len(depths))
    found = []
    for depth in range(int(depths.max(initial=-1)) + 1):
        counts = updates[:shared][depths[:shared] == depth]
        if len(counts):
            idle = int(np.count_nonzero(counts == 0))
            found.append((depth, len(counts), idle, float(counts.mean())))
    return tuple(found)
