"""Embedding tables and checkpoints for whole runs, and the run itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
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
    return {rule["id"]: rule["outcome"] for rule in report["rules"]}


def firing(report: dict, *kinds: str) -> set[str]:
    return {key for key, outcome in outcomes(report).items() if outcome in (kinds or ("fail",))}
