"""The whole command `taxcheck run --embeddings` on a table laid out by a tree, and that table."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks import page
from benchmarks.measure import command
from taxcheck.geometry import tangent

DIM = 10
TABLE_HEADER = ["whole command, all of NCBI", "median (range)", "peak memory", ""]


def layout(parent: np.ndarray, depth: np.ndarray, step: float, seed: int = 0) -> np.ndarray:
    """A float32 ball table that holds a tree roughly: children fan out around their parent."""
    rng = np.random.default_rng(seed)
    z = np.zeros((len(parent), DIM))
    for level in range(1, int(depth.max()) + 1):
        at = np.flatnonzero(depth == level)
        above = z[parent[at]]
        radius = np.linalg.norm(above, axis=1, keepdims=True)
        noise = rng.normal(size=above.shape)
        noise *= np.exp(-radius / 3) / np.linalg.norm(noise, axis=1, keepdims=True)
        towards = np.divide(above, radius, out=np.zeros_like(above), where=radius > 0) + noise
        z[at] = towards / np.linalg.norm(towards, axis=1, keepdims=True) * (radius + step)
    return tangent.to_ball(z).astype(np.float32)


def first_parents(ancestor: np.ndarray, descendant: np.ndarray, n: int) -> np.ndarray:
    """One parent of every node from its depth-1 pairs, -1 at a root."""
    parent = np.full(n, -1, dtype=np.int64)
    parent[descendant] = ancestor
    return parent


def table_file(folder: Path) -> Path | None:
    """The table laid out by the tree as torch saves one; None where there is no torch to do it."""
    path = folder / "laid_out.pt"
    if path.exists():
        return path
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    columns = ["ancestor_idx", "descendant_idx", "depth_diff", "descendant_depth"]
    table = pq.read_table(folder / "pairs.parquet", columns=columns)
    a, d, k, level = (table[c].to_numpy() for c in columns)
    n = int(d.max()) + 1
    depth = np.zeros(n, dtype=np.int64)
    depth[d] = level
    vectors = layout(first_parents(a[k == 1], d[k == 1], n), depth, 0.35)
    torch.save({"embeddings": torch.tensor(vectors)}, path)
    return path


def commands(folder: Path) -> str:
    """`taxcheck run --embeddings` as a person starts it: the file alone, and with all the data."""
    pairs, mapping = folder / "pairs.parquet", folder / "mapping.parquet"
    path = table_file(folder) if pairs.exists() else None
    if path is None:
        return "The whole command: not measured, torch or the pairs of NCBI are not there."
    run = [str(Path(sys.executable).parent / "taxcheck"), "run", "--embeddings", str(path)]
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "taxcheck.cli", *run[1:]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    torch = "loaded" if re.search(r"\| +torch$", loaded.stderr, re.MULTILINE) else "not loaded"
    alone = command(run, runs=5)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "report.json"
        data = ["--mapping", str(mapping), "--pairs", str(pairs), "--json", str(out)]
        whole = command([*run, *data], runs=3, warmup=0, expect=1)  # no popularity is beaten
        seconds = json.loads(out.read_text())["timings"]
    after = {step: seconds[step] for step in ("embeddings", "coverage", "scores", "rules")}
    told = ", ".join(f"{step} {value:.1f} s" for step, value in after.items())
    rows = [
        [
            f"a {path.stat().st_size / 1e6:.0f} MB `.pt` alone, {DIM} x float32",
            str(alone),
            f"{alone.memory / 1e9:.2f} GB",
            f"torch is {torch}",
        ],
        [
            "with the mapping and 47,361,418 pairs, every rule",
            str(whole),
            f"{whole.memory / 1e9:.2f} GB",
            f"after the data pass {sum(after.values()):.1f} s in the last run: {told}",
        ],
    ]
    return page.table(TABLE_HEADER, rows)
