"""What is hard to close, and a billion pairs: `make bench-scale`.

The billion takes a quarter of an hour and 20 GB of disk, which it frees.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import graphs, page, synthetic

TAXCHECK = str(Path(sys.executable).parent / "taxcheck")
HEADER = ["", "pairs", "processor time", "peak memory", "what the report says"]
SHARD = 100_000_000
EXTRA = 1_000
_FREE = 25  # bytes of disk a pair: the file, and what is kept of it while it is proved


def launched(arguments: list[str], env: dict[str, str] | None = None) -> dict[str, float]:
    """Run a command from a small process: its seconds, processor time, exit code and memory."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.launch"],
        input=json.dumps({"arguments": arguments, "env": env or {}}),
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def gate(mapping: Path, pairs: Path, name: str, count: int) -> list[str]:
    """The whole command on a table, as a row."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [TAXCHECK, "run", "--mapping", str(mapping), "--pairs", str(pairs)]
        used = launched([*command, "--json", str(report)], {"TMPDIR": str(mapping.parent)})
        told = _told(json.loads(report.read_text())) if report.exists() else f"exit {used['code']}"
    return [name, f"{count:,}", *_used(used), told]


def _used(used: dict[str, float]) -> tuple[str, str]:
    return f"{used['processor']:.1f} s", f"{used['memory'] / 1e9:.2f} GB"


def _told(report: dict[str, object]) -> str:
    """What of the closure was proved, and what was not."""
    results = {r["id"]: r for r in report["results"]}  # type: ignore[attr-defined]
    closure, truth = (results[name].get("observed", {}) for name in ("TREE004", "TREE005"))
    if "expected pairs" not in closure:
        return f"{report['headline']}"
    return (
        f"{closure['expected pairs']:,} pairs follow, {closure['missing']:,} are missing; "
        f"{truth.get('proved', 0):,} proved, {truth.get('false', 0):,} false, "
        f"{truth.get('unproven', 0):,} unproven"
    )


def cases(folder: Path) -> str:
    """Every hierarchy that is hard to close."""
    rows = []
    for name in graphs.CASES:
        count = graphs.write(folder / "case", name)
        rows.append(
            gate(
                folder / "case" / "mapping.parquet", folder / "case" / "pairs.parquet", name, count
            )
        )
        print(" | ".join(rows[-1]), flush=True)
    shutil.rmtree(folder / "case")
    return page.table(HEADER, rows)


def billion(folder: Path, pairs: int) -> str:
    """A tree, the same with second parents, and with a cycle, as files of 100 million pairs."""
    free = shutil.disk_usage(folder).free
    if free < _FREE * pairs:
        raise SystemExit(f"{folder} has {free / 1e9:.0f} GB free; {_FREE * pairs / 1e9:.0f} needed")
    place = folder / "billion"
    count = synthetic.write(place, pairs, shards=max(pairs // SHARD, 1))
    parent, depth = synthetic.parents(pairs)
    rng = np.random.default_rng(1)
    leaves = np.flatnonzero(np.bincount(parent[1:], minlength=len(parent)) == 0)
    leaves = rng.permutation(leaves[depth[leaves] > 0])[:EXTRA]
    ring = np.stack([leaves, np.roll(leaves, 1), np.ones_like(leaves)])
    rows = []
    for name, more in (
        ("tree", None),
        (f"with {EXTRA:,} second parents", second_parents(parent, depth, leaves, rng)),
        (f"with a cycle of {EXTRA:,}", ring),
    ):
        extra = place / "pairs" / "more.parquet"
        if more is not None:
            columns = [pa.array(column.astype(np.int32)) for column in more]
            pq.write_table(pa.table(columns, names=synthetic.COLUMNS), extra)
        whole = count + (0 if more is None else more.shape[1])
        rows.append(gate(place / "mapping.parquet", place / "pairs", name, whole))
        print(" | ".join(rows[-1]), flush=True)
    shutil.rmtree(place)
    return page.table(HEADER, rows)


def second_parents(
    parent: synthetic.Ints, depth: synthetic.Ints, leaves: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Rows by which each leaf hangs from another node too, no higher than its parent; (3, k)."""
    rows: list[tuple[int, int, int]] = []
    taken = set(leaves.tolist())  # of these not all ancestors are known yet
    for leaf in leaves.tolist():
        above = set(_up(parent, leaf))
        other = leaf
        while other in taken or other in above or depth[other] < depth[leaf] - 1:
            other = int(rng.integers(len(parent)))
        chain = [other, *_up(parent, other)]
        rows += [(a, leaf, k) for k, a in enumerate(chain, 1) if a not in above]
    return np.array(rows).T


def _up(parent: synthetic.Ints, node: int) -> list[int]:
    found = []
    while (node := int(parent[node])) >= 0:
        found.append(node)
    return found


def peers(folder: Path, pairs: int) -> str:
    """The questions that DuckDB and polars can answer too, of one file, in one run."""
    place = folder / "peers"
    count = synthetic.write(place, pairs)
    rows = [gate(place / "mapping.parquet", place / "pairs.parquet", "`taxcheck run`", count)]
    for peer in ("duckdb", "polars"):
        command = [sys.executable, "-m", "benchmarks.scale_peers", peer, str(place)]
        used = launched(command, {"TMPDIR": str(place)})
        told = "all six questions" if not used["code"] else f"exit {used['code']}"
        rows.append([peer, f"{count:,}", *_used(used), told])
        print(" | ".join(rows[-1]), flush=True)
    shutil.rmtree(place)
    return page.table(HEADER, rows)


def main() -> None:
    """Measure, and write the section of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/scale"))
    parser.add_argument("--pairs", type=int, default=1_000_000_000)
    parser.add_argument("--peers", type=int, default=50_000_000)
    parser.add_argument("--only", choices=["cases", "billion", "peers"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.nice(10)
    parts = {
        "cases": lambda: cases(options.folder),
        "billion": lambda: billion(options.folder, options.pairs),
        "peers": lambda: peers(options.folder, options.peers),
    }
    found = {name: part() for name, part in parts.items() if options.only in (None, name)}
    if options.only is None:
        text = (
            f"Measured by `make bench-scale`: {page.machine()}; two workers. Processor time is of "
            "both cores together; the machine is shared, so compare within one table."
        )
        page.write_section("scale", "\n\n".join(_sections(text, found)))


def _sections(text: str, found: dict[str, str]) -> list[str]:
    return [
        "## What is hard to close, and many pairs",
        text,
        found["cases"],
        "### Many pairs",
        found["billion"],
        "### The same questions asked of others",
        "Nulls, ranges, references, coverage, duplicates, and whether the pairs are closed.",
        found["peers"],
    ]


if __name__ == "__main__":
    main()
