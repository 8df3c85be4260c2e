"""Embedding tables and checkpoints for whole runs, and the run itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.cli import main

HEALTHY = Path("fixtures/healthy")
CLIP = 1 - 1e-5
# Norm percentiles that the incident's document reports of its trained table.
INCIDENT_NORMS = {
    0: 0.1000, 25: 0.5742, 50: 0.7094, 75: 0.9527, 90: 0.9997, 99: 1.0, 100: 1.0,
}  # fmt: skip


def directions(n: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    x = rng.standard_normal((n, dim))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def incident_table(rows: int, dim: int = 10, seed: int = 0) -> np.ndarray:
    """Random directions with the incident's distribution of norms, clipped as its engine does."""
    rng = np.random.default_rng(seed)
    levels = np.linspace(0, 100, rows)
    norms = np.interp(levels, list(INCIDENT_NORMS), list(INCIDENT_NORMS.values()))
    norms = np.minimum(rng.permutation(norms), CLIP)
    return (directions(rows, dim, rng) * norms[:, None]).astype(np.float32)


def save_incident(path: Path, table: np.ndarray) -> Path:
    """A checkpoint with everything that the incident's training script put into one."""
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.tensor(table))
    checkpoint = {
        "state_dict": {"lt.weight": weight.detach()},
        "embeddings": weight,
        "epoch": 120,
        "loss": np.float64(0.0712),
        "reg_loss": np.float64(0.31),
        "best_loss": np.float64(0.07),
        "epochs_without_improvement": 3,
    }
    torch.save(checkpoint, path)
    return path


def audited(tmp_path: Path, *arguments: object) -> tuple[int, dict]:
    """The exit code and the JSON report of ``taxcheck run``."""
    out = tmp_path / "report.json"
    with pytest.raises(SystemExit) as done:
        main(["run", *map(str, arguments), "--json", str(out)])
    assert done.value.code in (0, 1), done.value.code
    return done.value.code, json.loads(out.read_text())


def outcomes(report: dict) -> dict[str, str]:
    return {rule["id"]: rule["outcome"] for rule in report["results"]}


def firing(report: dict, *kinds: str) -> set[str]:
    return {key for key, outcome in outcomes(report).items() if outcome in (kinds or ("fail",))}


class Tree:
    """A small real tree as files: mapping.tsv and pairs.parquet; row k of a table is idx k."""

    def __init__(self, folder: Path, taxids: np.ndarray, pairs: np.ndarray) -> None:
        self.taxids, self.pairs = taxids, pairs  # (n,), (edges, 3): ancestor, descendant, distance
        self.mapping, self.path = folder / "mapping.tsv", folder / "pairs.parquet"
        lines = [f"{taxid}\t{idx}\n" for idx, taxid in enumerate(taxids)]
        self.mapping.write_text("taxid\tidx\n" + "".join(lines))
        names = ("ancestor_idx", "descendant_idx", "depth_diff")
        pq.write_table(pa.table(dict(zip(names, pairs.T.astype(np.int32), strict=True))), self.path)

    @property
    def n(self) -> int:
        return len(self.taxids)

    @property
    def above(self) -> np.ndarray:
        """(n, n), whether column is an ancestor of row."""
        found = np.zeros((self.n, self.n), dtype=bool)
        found[self.pairs[:, 1], self.pairs[:, 0]] = True
        return found

    @property
    def data(self) -> tuple[object, ...]:
        return "--mapping", self.mapping, "--pairs", self.path


def healthy_pairs() -> tuple[np.ndarray, np.ndarray]:
    """Taxids (n,) and pairs (edges, 3) of the healthy clade."""
    taxids = np.loadtxt(HEALTHY / "mapping.tsv", dtype=np.int64, skiprows=1)
    table = pq.read_table(HEALTHY / "pairs.parquet")
    names = ("ancestor_idx", "descendant_idx", "depth_diff")
    pairs = np.column_stack([table[name].to_numpy() for name in names]).astype(np.int64)
    return taxids[np.argsort(taxids[:, 1]), 0], pairs


def subtree(folder: Path, size: int) -> Tree:
    """The deepest subtree of the healthy clade with ``size`` nodes, or up to a fifth fewer."""
    taxids, pairs = healthy_pairs()
    below = np.bincount(pairs[:, 0], minlength=len(taxids)) + 1
    far = np.bincount(pairs[:, 0], weights=pairs[:, 2], minlength=len(taxids)) / below
    root = int(np.argmax(np.where((below <= size) & (below >= 0.8 * size), far, -1)))
    kept = np.r_[root, np.sort(pairs[pairs[:, 0] == root, 1])]
    place = np.full(len(taxids), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    inside = (place[pairs[:, 0]] >= 0) & (place[pairs[:, 1]] >= 0)
    own = np.column_stack([place[pairs[inside, 0]], place[pairs[inside, 1]], pairs[inside, 2]])
    return Tree(folder, taxids[kept], own)


def learnt(tree: Tree, dim: int = 10, steps: int = 150) -> np.ndarray:
    """A ball table (n, dim) trained on all pairs at once: softmax of ancestors over all others."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    above = torch.tensor(tree.above)
    other = ~above & ~torch.eye(tree.n, dtype=torch.bool)
    z = (torch.randn(tree.n, dim, dtype=torch.float64) * 0.1).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.1)
    for _ in range(steps):
        radius = z.norm(dim=1, keepdim=True)
        unit = z / radius
        apart = 2 - 2 * unit @ unit.T
        half = torch.sinh((radius - radius.T) / 2) ** 2
        half = half + torch.sinh(radius) * torch.sinh(radius.T) * apart / 4
        distance = 2 * torch.asinh(torch.sqrt(half.clamp(min=1e-12)))
        strangers = torch.logsumexp((-distance).masked_fill(~other, -torch.inf), dim=1)
        loss = torch.nn.functional.softplus(strangers[:, None] + distance)[above].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    z = z.detach().numpy()
    radius = np.linalg.norm(z, axis=1, keepdims=True)
    return np.tanh(radius / 2) * z / radius
