"""The scores of a table of 91,567 rows, every reading and null, beside a plain loop in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks import page
from benchmarks.audit_commands import DIM, first_parents, layout
from fixtures.incident.build import build
from taxcheck.audit.alignment import align
from taxcheck.audit.clades import by_depth, nested_clades
from taxcheck.audit.metrics.counting import Counts, count_nearer
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.separation import class_separation
from taxcheck.audit.relatives import ancestors_in_pairs
from taxcheck.audit.scores import SOURCES, Subject, score_hierarchy
from taxcheck.geometry.space import Space
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import Identifiers

ROWS, NODES = 91_567, 110_478  # of the incident's table, and of its mapping
# As stored, dealt anew, untrained, trained rows alone: of ancestors and of parents; and of
# ancestors by Euclidean distance.
RANKINGS = 9
LOOP = 40  # sources of the plain loop


def directions() -> np.ndarray:
    """Random directions at norms that crowd at the clip, as the incident's table has them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, DIM))
    norms = np.interp(rng.random(ROWS), [0, 0.25, 0.5, 0.75, 0.9, 1], [0.1, 0.57, 0.71, 0.95, 1, 1])
    scale = np.minimum(norms, 1 - 1e-5) / np.linalg.norm(x, axis=1)
    return (x * scale[:, None]).astype(np.float32)


def subjects(folder: Path, workers: int) -> dict[str, Subject]:
    """The incident's pairs with two tables that end before its mapping does."""
    paths = build(folder / "incident")
    table = pq.read_table(paths.pairs, columns=["ancestor_idx", "descendant_idx", "depth_diff"])
    a, d, k = (column.to_numpy().astype(np.int64) for column in table.columns)
    present = np.zeros(NODES, dtype=bool)
    present[a], present[d] = True, True
    edges = k == 1
    graph = Graph.from_edges(a[edges], d[edges], present)
    spool = PairSpool(has_depth=True)
    spool.append(np.arange(len(a)), a, d, k)
    identifiers = Identifiers(np.arange(NODES), None)
    tables = {
        "laid out by the tree": layout(
            first_parents(a[edges], d[edges], NODES), np.maximum(graph.depths, 0), 0.35
        )[:ROWS],
        "random directions": directions(),
    }
    found = {}
    for name, rows in tables.items():
        path = folder / f"{name.replace(' ', '_')}.npy"
        np.save(path, rows)
        aligned = align(open_checkpoint(str(path), geometry="ball"), None)
        # a node beyond the table has no row
        row_of = np.r_[aligned.row_of, np.full(NODES - aligned.n, -1)]
        whole = type(aligned)(aligned.checkpoint, row_of, aligned.by_labels, aligned.unmatched)
        found[name] = Subject(
            table=whole,
            space=whole.space(),
            graph=graph,
            spool=spool,
            followers=np.bincount(a, minlength=NODES),
            above=np.bincount(d, minlength=NODES),
            trained=present & whole.has_row,
            clades=by_depth(graph, identifiers),
            seed=0,
            workers=workers,
            nested=nested_clades(graph, identifiers),
        )
    return found


def by_loop(space: Space, positives: Lists) -> Counts:
    """One source after the other: its distance to every row, sorted; then each positive's place."""
    less, equal, keys = [], [], []
    for source, start, end in zip(
        positives.sources, positives.starts[:-1], positives.starts[1:], strict=True
    ):
        own = positives.targets[start:end]
        row = space.separation(np.array([source]), np.arange(space.n))
        found = row[own]
        row[own], row[source] = np.nan, np.nan
        row.sort()
        negatives = np.full(len(own), space.n - len(own) - 1)
        before = np.where(np.isnan(found), negatives, row.searchsorted(found))
        less.append(before)
        equal.append(np.where(np.isnan(found), 0, row.searchsorted(found, "right") - before))
        keys.append(found)
    return Counts(*map(np.concatenate, (keys, less, equal)), np.empty(0, dtype=np.int64))


def least(runs: int, function: Callable[[], object]) -> tuple[float, float]:
    """Least processor time of all cores, and of the clock, of some runs."""
    took = []
    for _ in range(runs):
        clock, spent = time.perf_counter(), time.process_time()
        function()
        took.append((time.process_time() - spent, time.perf_counter() - clock))
    return min(cpu for cpu, _ in took), min(wall for _, wall in took)


HEADER = [
    f"{ROWS:,} x {DIM}",
    "all scores: processor time",
    "of the clock",
    "of it one ranking of 2,000 sources, as stored",
    "one class separation",
    f"the loop for {RANKINGS} rankings, from {LOOP} sources",
    "the loop / all scores",
]


def readings(folder: Path, workers: int, runs: int) -> str:
    """The table for the page. Raises SystemExit where the loop counts otherwise."""
    rows = []
    for name, subject in subjects(folder, workers).items():
        space, rng = subject.space, np.random.default_rng(0)
        every = np.flatnonzero(subject.graph.parent_counts > 0)
        chosen = np.sort(rng.choice(every, SOURCES, replace=False))
        positives = ancestors_in_pairs(subject.spool, chosen, space.n)
        some = np.arange(0, SOURCES, SOURCES // LOOP)
        sample = positives.some(some)
        ours = count_nearer(space, positives, workers=workers).some(positives, some)
        theirs = by_loop(space, sample)
        if not (
            np.array_equal(ours.less, theirs.less) and np.array_equal(ours.equal, theirs.equal)
        ):
            raise SystemExit(f"{name}: the loop counts otherwise")
        whole = least(runs, partial(score_hierarchy, subject))
        one, _ = least(runs, partial(count_nearer, space, positives, workers=workers))
        assert subject.clades is not None
        seeded = (subject.clades.of, np.random.default_rng(0))
        classes, _ = least(runs, partial(class_separation, space, *seeded, workers=workers))
        loop, _ = least(runs, partial(by_loop, space, sample))
        loop *= SOURCES / LOOP * RANKINGS
        rows.append(
            [
                name,
                f"{whole[0]:.1f} s",
                f"{whole[1]:.1f} s",
                f"{one:.2f} s",
                f"{classes:.2f} s",
                f"{loop:.0f} s",
                f"{loop / whole[0]:.0f}x",
            ]
        )
    return page.table(HEADER, rows)
