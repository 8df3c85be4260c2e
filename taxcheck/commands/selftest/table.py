"""A trained table with what its engine recorded, the file that it becomes, and a sound layout.

A small tree is laid out by construction instead of training: the root lies near the origin, inner
nodes follow in steps, leaves lie far out. Children stand on directions that are far from each
other, around that of their parent; leaves stay near their parent's. A leaf is then nearer to all of
its ancestors than to most other rows, and no norm is beyond 0.9.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from taxcheck.sources.checkpoints.arrays import safetensors_header

CLIP = 1 - 1e-5
_RADII = (0.05, 0.3, 0.8, 1.5)  # of inner nodes, by depth
_LEAF = (2.7, 2.9)  # radii of leaves; a norm of 0.9 is at 2.94
_TURN = (1.5, 1.5, 1.2, 0.6)  # how far children turn from their parent's direction, by its depth
_CANDIDATES = 2_000
Setting = float | int | str | bool
# A run that nothing is wrong with: it ended by itself, and its best epoch was chosen by MAP.
SETTINGS: dict[str, Setting] = {
    "manifold": "poincare",
    "max_norm": CLIP,
    "lambda_reg": 0.01,
    "init_max_radius": 0.001,
    "early_stopping": 20,
    "best_by": "map",
    "epoch": 200,
    "stopped_early": False,
}


def healthy_history() -> list[dict[str, float]]:
    """Twenty records, one every ten epochs: the loss halves each time and MAP rises."""
    return [
        {
            "epoch": 10 * k,
            "loss": round(0.1 + 4 * 0.5**k, 6),
            "map": round(0.82 - 0.6 * 0.5**k, 6),
            "norm_p90": round(0.89 - 0.8 * 0.5**k, 6),
            "nan_steps": 0,
        }
        for k in range(1, 21)
    ]


@dataclass
class Table:
    """Rows (n, dim) as they are stored, and what stands beside them in the file."""

    vectors: np.ndarray
    settings: dict[str, Setting] = field(default_factory=lambda: dict(SETTINGS))
    updates: np.ndarray | None = None  # (n,) int64, how often each row was updated
    optimizer: np.ndarray | None = None  # (n, dim) float32, Adam's second moments
    history: list[dict[str, float]] | None = None
    labels: np.ndarray | None = None  # (n,) what the file says of each row
    initial: np.ndarray | None = None  # (n, dim) the table before training, in a file of its own

    def write(self, folder: Path) -> Path:
        """checkpoint.safetensors, and initial.npy where there is one."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.initial is not None:
            np.save(folder / "initial.npy", self.initial)
        beside = {
            "update_counts": self.updates,
            "optimizer.exp_avg_sq": self.optimizer,
            "labels": self.labels,
        }
        arrays = {name: array for name, array in beside.items() if array is not None}
        texts = {name: json.dumps(value).strip('"') for name, value in self.settings.items()}
        if self.history is not None:
            texts["run"] = json.dumps({"history": self.history})
        path = folder / "checkpoint.safetensors"
        arrays = {"embeddings": self.vectors, **arrays}
        content = [np.ascontiguousarray(array).tobytes() for array in arrays.values()]
        path.write_bytes(b"".join([safetensors_header(arrays, texts), *content]))
        return path


def laid_out(parents: Sequence[int], dim: int, seed: int = 0) -> np.ndarray:
    """A float32 ball table (n, dim); parents come before their children, the root is -1.

    Numbers are rounded to four digits, so that every machine writes the same bytes.
    """
    rng = np.random.default_rng(seed)
    depth = depths(parents)
    towards, radius = np.zeros((len(parents), dim)), np.full(len(parents), _RADII[0])
    towards[0, 0] = 1
    for node in range(len(parents)):
        children = [k for k, parent in enumerate(parents) if parent == node]
        if not children:
            radius[node] = rng.uniform(*_LEAF)
            continue
        radius[node] = _RADII[depth[node]]
        turned = _TURN[depth[node]] * separated(len(children), dim, rng)
        towards[children] = unit(turned if depth[node] == 0 else towards[node] + turned)
    return np.round(in_ball(towards, radius), 4).astype(np.float32)


def separated(count: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors (count, dim): each the one of many candidates farthest from those before."""
    candidates = unit(rng.standard_normal((_CANDIDATES, dim)))
    chosen = [0]
    nearest = candidates @ candidates[0]
    for _ in range(count - 1):
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, candidates @ candidates[chosen[-1]])
    return candidates[chosen]


def depths(parents: Sequence[int]) -> list[int]:
    """Steps from the root of every node."""
    found: list[int] = []
    for parent in parents:
        found.append(0 if parent < 0 else found[parent] + 1)
    return found


def unit(x: np.ndarray) -> np.ndarray:
    """Vectors of length 1 in the same directions."""
    return np.asarray(x / np.linalg.norm(x, axis=-1, keepdims=True))


def in_ball(towards: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Points (n, dim) at hyperbolic radii (n,): the norm is tanh(radius / 2)."""
    return towards * np.tanh(radius / 2)[:, None]


def radii(table: np.ndarray) -> np.ndarray:
    """Hyperbolic radii (n,) of points in the ball: 2 artanh of the norm."""
    return np.asarray(2 * np.arctanh(np.linalg.norm(table.astype(np.float64), axis=1)))


def on_a_spiral(rows: int) -> np.ndarray:
    """A plain table (rows, 2) for rules that look at no relation: every row has its own place."""
    k = np.arange(rows)
    angle = k * np.pi * (3 - 5**0.5)
    towards = np.column_stack([np.cos(angle), np.sin(angle)])
    return np.round(in_ball(towards, 0.05 + 2.85 * k / rows), 4).astype(np.float32)


def below(parents: Sequence[int], node: int) -> list[int]:
    """Everything under a node, without itself; parents come before their children."""
    found = {node}
    for k, parent in enumerate(parents):
        if parent in found:
            found.add(k)
    return sorted(found - {node})


def leaves(parents: Sequence[int]) -> list[int]:
    """Nodes without children."""
    return sorted(set(range(len(parents))) - set(parents))
