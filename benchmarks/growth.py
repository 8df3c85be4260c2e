"""How seconds and bytes grow with what is large, long, wide or wrong: `make bench-growth`.

Each case is measured at a quarter of its size and at its size: what grows with n log n takes 4.4
times as long. The section of docs/quality.md is written anew.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks import graphs, page
from benchmarks.scale import TAXCHECK, freed, launched

QUALITY = page.PAGE.with_name("quality.md")
HEADER = ["", "size", "processor time", "times a quarter's", "peak memory", "what the report says"]
_BATCH = 1_000_000
_RUN = ("--workers", "2")
Made = list[str]  # options of `taxcheck run`


def _index(n: int) -> pa.Array:
    return pa.array(np.arange(n, dtype=np.int32))


def _mapping(place: Path, n: int) -> Made:
    pq.write_table(pa.table({"taxid": _index(n), "idx": _index(n)}), place / "mapping.parquet")
    return ["--mapping", str(place / "mapping.parquet")]


def _pairs(place: Path, made: graphs.Pairs) -> Made:
    columns = dict(zip(("ancestor_idx", "descendant_idx", "depth_diff"), made, strict=True))
    small = {name: pa.array(c.astype(np.int32)) for name, c in columns.items() if c is not None}
    pq.write_table(pa.table(small), place / "pairs.parquet")
    return ["--pairs", str(place / "pairs.parquet")]


def _graph(make: Callable[[int], Callable[[np.random.Generator], graphs.Pairs]]) -> _Case:
    def case(place: Path, n: int) -> Made:
        return _mapping(place, n) + _pairs(place, make(n)(np.random.default_rng(0)))

    return case


def _duplicates(place: Path, n: int) -> Made:
    """The pair of two nodes again and again, which compresses to nothing."""
    columns = (np.broadcast_to(np.int64(value), n) for value in (0, 1, 1))
    return _mapping(place, 2) + _pairs(place, tuple(columns))  # type: ignore[arg-type]


def _invalid(place: Path, n: int) -> Made:
    """Rows of a text whose ancestor is no number, below a sound one."""
    with (place / "pairs.tsv").open("w") as file:
        file.write("ancestor_idx\tdescendant_idx\tdepth_diff\n0\t1\t1\n")
        for start in range(0, n, _BATCH):
            file.writelines(f"x{k}\t1\t1\n" for k in range(start, min(start + _BATCH, n)))
    return [*_mapping(place, 2), "--pairs", str(place / "pairs.tsv")]


def _table(rows: int | None, width: int | None) -> _Case:
    def case(place: Path, n: int) -> Made:
        shape = (rows or n, width or n)
        table = np.lib.format.open_memmap(place / "table.npy", "w+", np.float32, shape)
        rng = np.random.default_rng(0)
        for start in range(0, shape[0], 10_000):
            some = rng.standard_normal((min(10_000, shape[0] - start), shape[1]), np.float32)
            radius = rng.uniform(0.1, 0.9, (len(some), 1))
            table[start : start + len(some)] = radius * some / np.linalg.norm(some, axis=1)[:, None]
        table.flush()
        return ["--embeddings", str(place / "table.npy"), "--geometry", "ball"]

    return case


def _labels(place: Path, n: int) -> Made:
    """Identifiers of a kilobyte each."""
    schema = pa.schema([("name", pa.string()), ("idx", pa.int32())])
    with pq.ParquetWriter(place / "mapping.parquet", schema) as writer:
        for start in range(0, n, 50_000):
            some = np.arange(start, min(start + 50_000, n), dtype=np.int32)
            names = pa.array([f"{k:01024d}" for k in some.tolist()])
            writer.write_table(pa.table({"name": names, "idx": pa.array(some)}, schema))
    star = graphs.star(n)(np.random.default_rng(0))
    return ["--mapping", str(place / "mapping.parquet"), *_pairs(place, star)]


def _long_mapping(place: Path, n: int) -> Made:
    table = pa.table({"taxid": pa.array(np.arange(n) + 10**6), "idx": _index(n)})
    options = pacsv.WriteOptions(delimiter="\t")
    pacsv.write_csv(table, place / "mapping.tsv", options)
    star = graphs.star(n)(np.random.default_rng(0))
    return ["--mapping", str(place / "mapping.tsv"), *_pairs(place, star)]


_Case = Callable[[Path, int], Made]
CASES: dict[str, tuple[_Case, int]] = {
    "star": (_graph(graphs.star), 1_000_000),
    "chain": (_graph(graphs.chain), 1_000_000),
    "cycle": (_graph(graphs.cycle), 1_000_000),
    "rows that repeat one pair": (_duplicates, 5_000_000),
    "invalid rows of a text": (_invalid, 10_000_000),
    "rows of a table in 256 dimensions": (_table(None, 256), 1_000_000),
    "dimensions of a table of 2,000 rows": (_table(2_000, None), 10_000),
    "identifiers of 1 KB": (_labels, 1_000_000),
    "rows of a mapping as text": (_long_mapping, 5_000_000),
}


def measured(folder: Path, case: str) -> Iterator[list[str]]:
    """A row of the table for a case at its size; its quarter goes first."""
    make, size = CASES[case]
    quarter = 0.0
    for n in (size // 4, size):
        with freed(folder / "case") as place, tempfile.TemporaryDirectory() as kept:
            place.mkdir(parents=True)
            report = Path(kept) / "report.json"
            command = [TAXCHECK, "run", *make(place, n), *_RUN, "--json", str(report)]
            used = launched(command, {"TMPDIR": str(place)})
            said = json.loads(report.read_text())["headline"] if report.exists() else "no report"
        seconds = used["processor"]
        if n == size:
            times, memory = f"{seconds / quarter:.1f}", f"{used['memory'] / 1e9:.2f} GB"
            yield [case, f"{n:,}", f"{seconds:.1f} s", times, memory, said]
        quarter = seconds


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/growth"))
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.nice(10)
    rows = []
    for case in options.only:
        rows += measured(options.folder, case)
        print(" | ".join(rows[-1]), flush=True)
    if options.only == list(CASES):
        more = math.log2(1_000_000) / math.log2(250_000) * 4
        text = (
            f"Measured by `make bench-growth`: {page.machine()}; two workers, half of the memory "
            f"of the machine. What grows with n log n takes {more:.1f} times as long as a quarter "
            f"of it.\n\n{page.table(HEADER, rows)}"
        )
        page.write_section("growth", text, QUALITY)


if __name__ == "__main__":
    main()
