"""The gate on all of NCBI, on growing synthetic trees and on the incident: `make bench-gate`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from benchmarks import page, synthetic
from benchmarks.measure import Timed, call, command
from fixtures.incident.build import build
from fixtures.makers.make_ncbi import make_ncbi

TAXCHECK = str(Path(sys.executable).parent / "taxcheck")
COLUMNS = ["ancestor_idx", "descendant_idx", "depth_diff"]
BATCH = 1 << 20
SETS_PAIRS = 1_000_000


def scan(path: Path) -> None:
    """Decode three columns and do nothing with them."""
    for _ in pq.ParquetFile(path).iter_batches(BATCH, columns=COLUMNS):
        pass


def gate(mapping: Path, pairs: Path, runs: int = 3) -> Timed:
    """The whole command: start, imports, reading, hashing, proof, rules."""
    return command([TAXCHECK, "run", "--mapping", str(mapping), "--pairs", str(pairs)], runs)


def ncbi(folder: Path) -> str:
    """All of NCBI from Parquet and from text, beside the bare reads of the same run."""
    if not (folder / "pairs.tsv").exists():
        make_ncbi(folder, tsv=True)
    parquet, text = folder / "pairs.parquet", folder / "pairs.tsv"
    bare = call(lambda: scan(parquet), runs=5)
    whole = gate(folder / "mapping.parquet", parquet, runs=5)
    polars = call(lambda: pl.read_csv(text, separator="\t", columns=COLUMNS))
    from_text = gate(folder / "mapping.tsv", text)
    allowed = 8 * bare.median + 4
    rows = [
        ["bare pyarrow scan of three columns", str(bare), ""],
        [
            "`taxcheck run`, Parquet, every rule",
            str(whole),
            f"{whole.median / bare.median:.1f} scans, {whole.memory / 1e9:.2f} GB; "
            f"8 scans + 4 s would be {allowed:.2f} s, 8 scans + 2 s {allowed - 2:.2f} s",
        ],
        ["polars, reading the same columns of the TSV", str(polars), ""],
        [
            "`taxcheck run`, TSV, every rule",
            str(from_text),
            f"{from_text.memory / 1e9:.2f} GB; 8 scans + 4 s + 1.5 polars would be "
            f"{allowed + 1.5 * polars.median:.2f} s",
        ],
    ]
    if whole.median > allowed or from_text.median > allowed + 1.5 * polars.median:
        print("slower than the budget", file=sys.stderr)
    return page.table(["All of NCBI, 47,361,418 pairs", "median (range)", ""], rows)


def growth(folder: Path, sizes: list[int]) -> str:
    """Synthetic trees of growing size: the cost per pair should not grow."""
    rows = []
    for size in sizes:
        pairs = synthetic.write(folder / "synthetic", size)
        timed = gate(
            folder / "synthetic" / "mapping.parquet",
            folder / "synthetic" / "pairs.parquet",
            runs=3 if size < 10**8 else 1,
        )
        rows.append(
            [
                f"{pairs:,}",
                str(timed),
                f"{timed.median / pairs * 1e9:.0f} ns",
                f"{timed.memory / 1e9:.2f} GB",
            ]
        )
    return page.table(["synthetic pairs", "median (range)", "per pair", "peak memory"], rows)


def incident(folder: Path) -> str:
    """The incident as a person meets it: warm, the first time ever, and the help page."""
    paths = build(folder / "incident")
    run = [TAXCHECK, "run", "--mapping", str(paths.mapping), "--pairs", str(paths.pairs)]
    html = [*run, "--taxonomy", str(paths.taxdump), "--html", str(folder / "incident.html")]
    with tempfile.TemporaryDirectory() as empty:
        first = command(html, runs=1, warmup=0, env={"PYTHONPYCACHEPREFIX": empty}, expect=1)
    rows = [
        ["incident, warm", str(command(run, runs=5, expect=1))],
        ["incident with taxonomy and HTML report, warm", str(command(html, runs=5, expect=1))],
        ["the same, no module compiled yet", str(first)],
        ["`taxcheck --help`", str(command([TAXCHECK, "--help"], runs=5))],
    ]
    return page.table(["whole command", "median (range)"], rows)


def sets_over_dicts(folder: Path) -> str:
    """The style of the incident's own diagnosis: a list of dicts, and sets of idx over it."""
    columns = pq.read_table(folder / "pairs.parquet", columns=COLUMNS).slice(0, SETS_PAIRS)
    data = columns.to_pylist()
    n_nodes = pq.read_metadata(folder / "mapping.parquet").num_rows

    def diagnose() -> None:
        ancestors = {item["ancestor_idx"] for item in data}
        descendants = {item["descendant_idx"] for item in data}
        seen = ancestors | descendants
        _ = len(ancestors & descendants), len(set(range(n_nodes)) - seen), max(seen) + 1
        depths = np.array([item["depth_diff"] for item in data])
        _ = depths.mean(), np.median(depths), depths.max()
        for low, high in ((1, 1), (2, 5), (6, 10**9)):
            _ = sum(1 for item in data if low <= item["depth_diff"] <= high)

    timed = call(diagnose, warmup=0)
    scaled = timed.median * 47_361_418 / SETS_PAIRS
    rows = [
        ["1,000,000 pairs, measured", str(timed)],
        ["47,361,418 pairs, extrapolated in proportion, not measured", f"{scaled:.0f} s"],
    ]
    return page.table(
        ["coverage and depths only, Python sets over a list of dicts already in memory", "time"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/bench"))
    parser.add_argument("--largest", type=int, default=200_000_000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    sizes = [s for s in (10**6, 10**7, 47_000_000, 200_000_000) if s <= options.largest]
    parts = [
        "## The gate",
        f"Measured by `make bench-gate`: {page.machine()}; two workers; files in the page cache. "
        "The machine is shared, so compare within one table: its rows were taken in one run.",
    ]
    for part in (
        lambda: ncbi(options.folder),
        lambda: growth(options.folder, sizes),
        lambda: incident(options.folder),
        lambda: sets_over_dicts(options.folder),
    ):
        parts.append(part())
        print(parts[-1], end="\n\n", flush=True)
    page.write_section("gate", "\n\n".join(parts))


if __name__ == "__main__":
    main()
