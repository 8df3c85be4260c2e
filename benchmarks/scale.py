"""What is hard to close, and a billion pairs: `make bench-scale`.

The billion takes half an hour, 8 GB of memory and 25 GB of disk, which is freed, also where the
benchmark is interrupted. `make bench-scale PAIRS=5000000` is the same of five million.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import graphs, page, scale_peers, synthetic

TAXCHECK = str(Path(sys.executable).parent / "taxcheck")
HEADER = ["", "pairs", "processor time", "peak memory", "what the report says"]
SHARD = 100_000_000
EXTRA = 1_000
_FEW = 1_000_000  # pairs in which faults are planted
MEMORY = "8GB"  # that every run is given
_FREE = 25  # bytes of disk a pair: the file, and what is kept of it while it is proved


def launched(arguments: list[str], env: dict[str, str] | None = None) -> dict[str, float]:
    """Run a command from a small process: its seconds, processor time, exit code and memory.

    Whatever ends this process in between ends the command as well.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.launch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = process.communicate(json.dumps({"arguments": arguments, "env": env or {}}))
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    result: dict[str, float] = json.loads(told)
    return result


def gate(mapping: Path, pairs: Path, name: str, count: int, kept: Path | None = None) -> list[str]:
    """The whole command on a table, as a row; its report is ``kept`` where that is asked."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [TAXCHECK, "run", "--mapping", str(mapping), "--pairs", str(pairs)]
        command += ["--memory", MEMORY, "--workers", "2"]
        used = launched([*command, "--json", str(report)], {"TMPDIR": str(mapping.parent)})
        if kept is not None:
            shutil.copy(report, kept)
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
        with freed(folder / "case") as place:
            count = graphs.write(place, name)
            rows.append(gate(place / "mapping.parquet", place / "pairs.parquet", name, count))
        print(" | ".join(rows[-1]), flush=True)
    return page.table(HEADER, rows)


def billion(folder: Path, pairs: int) -> str:
    """A tree, the same with second parents, and with a cycle, as files of 100 million pairs."""
    free = shutil.disk_usage(folder).free
    if free < _FREE * pairs:
        raise SystemExit(f"{folder} has {free / 1e9:.0f} GB free; {_FREE * pairs / 1e9:.0f} needed")
    rows = []
    with freed(folder / "billion") as place:
        count = synthetic.write(place, pairs, shards=max(pairs // SHARD, 1))
        for name, more in _added(pairs):
            extra = place / "pairs" / "more.parquet"
            if more is not None:
                columns = [pa.array(column.astype(np.int32)) for column in more]
                pq.write_table(pa.table(columns, names=synthetic.COLUMNS), extra)
            whole = count + (0 if more is None else more.shape[1])
            rows.append(gate(place / "mapping.parquet", place / "pairs", name, whole))
            print(" | ".join(rows[-1]), flush=True)
    return page.table(HEADER, rows)


def _added(pairs: int) -> list[tuple[str, np.ndarray | None]]:
    """What is wrong with the tree, as rows (3, k)."""
    parent, depth = synthetic.parents(pairs)
    rng = np.random.default_rng(1)
    leaves = np.flatnonzero(np.bincount(parent[1:], minlength=len(parent)) == 0)
    leaves = rng.permutation(leaves[depth[leaves] > 0])[:EXTRA]
    ring = np.stack([leaves, np.roll(leaves, 1), np.ones_like(leaves)])
    return [
        ("tree", None),
        (f"with {EXTRA:,} second parents", second_parents(parent, depth, leaves, rng)),
        (f"with a cycle of {EXTRA:,}", ring),
    ]


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
    """The questions that DuckDB and polars can answer too, of the same files, in one run.

    First of few pairs in which faults were planted, so that equal answers mean something.
    """
    place = folder / "peers"
    rows = []
    for count in (min(pairs, _FEW), pairs):
        with freed(place):
            planted = count < pairs
            whole = synthetic.write(place, count, shards=1)
            if planted:
                whole += plant(place, *synthetic.parents(count))
            row, ours = _ours(place, whole)
            found = [row] if not planted else []
            for peer in ("duckdb", "polars"):
                command = [sys.executable, "-m", "benchmarks.scale_peers", peer, str(place)]
                used = launched(command, {"TMPDIR": str(place)})
                answers = place / f"{peer}.json"
                theirs = json.loads(answers.read_text()) if answers.exists() else None
                if theirs is None and planted:
                    raise SystemExit(f"{peer} gave no answer: pip install '.[bench]'")
                if planted and theirs != ours:
                    raise SystemExit(f"{peer} answers {theirs}, taxcheck {ours}")
                said = f"exit {used['code']}" if theirs is None else "the same answers"
                if theirs is not None and theirs != ours:
                    said = f"other answers: {theirs}"
                if not planted:
                    found.append([peer, f"{whole:,}", *_used(used), said])
            rows += found
    for row in rows:
        print(" | ".join(row), flush=True)
    return page.table(HEADER, rows)


def _ours(place: Path, count: int) -> tuple[list[str], scale_peers.Answers]:
    report = place / "taxcheck.json"
    row = gate(place / "mapping.parquet", place / "pairs", "`taxcheck run`", count, report)
    return row, scale_peers.told(json.loads(report.read_text()))


def plant(place: Path, parent: synthetic.Ints, depth: synthetic.Ints) -> int:
    """Add faults to a tree: repeated rows, nodes in no pair, idx that are unknown, lost pairs.

    Gives the number of rows that were added.
    """
    n, rng = len(parent), np.random.default_rng(2)
    deep = rng.permutation(np.flatnonzero(depth >= 2))[: 3 * EXTRA]
    rows = [(int(parent[x]), int(x), 1) for x in deep[:EXTRA].tolist()]  # a second time
    # new nodes, without the pair with their grandparent
    for new, above in enumerate(deep[EXTRA : 2 * EXTRA].tolist(), n):
        chain = [above, *_up(parent, above)]
        rows += [(a, new, k) for k, a in enumerate(chain, 1) if k != 2]
    lone = n + EXTRA + 7
    rows += [(int(x), lone + 5 + k, 2) for k, x in enumerate(deep[2 * EXTRA :].tolist())]
    columns = [pa.array(column, pa.int32()) for column in np.array(rows).T]
    pq.write_table(pa.table(columns, names=synthetic.COLUMNS), place / "pairs" / "more.parquet")
    index = pa.array(np.arange(lone, dtype=np.int32))
    pq.write_table(pa.table({"taxid": index, "idx": index}), place / "mapping.parquet")
    return len(rows)


def sizes(folder: Path) -> str:
    """Bytes a node and a pair, by the peaks of trees of several sizes and depths."""
    rows, known = [], []
    for n, deep in ((2_000_000, 3), (8_000_000, 3), (16_000_000, 3), (1_000_000, 30)):
        with freed(folder / "sizes") as place:
            parent = graphs.tree(n, deep, np.random.default_rng(3)).astype(np.int32)
            (place / "pairs").mkdir(parents=True)
            index = pa.array(np.arange(n, dtype=np.int32))
            pq.write_table(pa.table({"taxid": index, "idx": index}), place / "mapping.parquet")
            count = synthetic.write_pairs(place / "pairs" / "tree.parquet", parent, 0, n)
            row = gate(place / "mapping.parquet", place / "pairs", f"{n:,} nodes", count)
        rows.append(row)
        known.append((1, n, count, float(row[3].removesuffix(" GB")) * 1e9))
        print(" | ".join(row), flush=True)
    *unknown, peaks = np.array(known).T
    found = np.linalg.lstsq(np.stack(unknown, axis=1), peaks, rcond=None)[0]
    base, node, pair = (float(x) for x in found)
    said = f"{base / 1e6:.0f} MB, {node:.0f} bytes a node and {pair:.1f} bytes a pair"
    print(said, flush=True)
    return f"{said} fit these best.\n\n{page.table(HEADER, rows)}"


@contextmanager
def freed(place: Path) -> Iterator[Path]:
    """A folder that is gone afterwards, however the block ends."""
    shutil.rmtree(place, ignore_errors=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _ended(*_: object) -> None:
    raise SystemExit(143)


def main() -> None:
    """Measure, and write the section of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/scale"))
    parser.add_argument("--pairs", type=int, default=1_000_000_000)
    parser.add_argument("--peers", type=int, default=50_000_000)
    parser.add_argument("--only", choices=["cases", "billion", "peers", "bytes"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.nice(10)
    signal.signal(signal.SIGTERM, _ended)
    parts = {
        "cases": lambda: cases(options.folder),
        "billion": lambda: billion(options.folder, options.pairs),
        "peers": lambda: peers(options.folder, options.peers),
        "bytes": lambda: sizes(options.folder),
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
        "Nulls, ranges, references, coverage, duplicates, and whether the pairs are closed. Of a "
        "million pairs in which faults were planted all three count the same.",
        found["peers"],
        "### Bytes a node and a pair",
        found["bytes"],
    ]


if __name__ == "__main__":
    main()
