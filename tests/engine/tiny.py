"""A small tree, and a stepper of a few lines: what the trainer is tested with."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.engine.config import Phase, TrainConfig
from taxcheck.engine.dataset import TrainingData, from_gathered, training_data
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.sampling import Chunk, Negatives
from taxcheck.engine.stepper import Floats, StepResult
from taxcheck.engine.trainer import train
from taxcheck.model.arrays import IntArray
from taxcheck.run.gather import gather
from taxcheck.run.request import Request

CONFIG = TrainConfig(
    dim=3, geometry="ball", init="uniform", epochs=12, negatives=3, evaluate_every=3, lr=0.3,
    backend="torch", batch_size=2, workers=1, refine=0.0, source_weight="pairs", optimizer="rsgd",
)  # fmt: skip


def from_tables(mapping: str | None, pairs: str, table_from: Any = "mapping") -> TrainingData:
    """What a training on these files is given."""
    with gather(Request(mapping=mapping, pairs=pairs)) as data:
        return from_gathered(data, table_from)


def tree(levels: int = 5) -> TrainingData:
    """A binary tree, and one node more that is in no pair."""
    n = 2**levels - 1
    pairs = []
    for node in range(1, n):
        above, distance = (node - 1) // 2, 1
        while True:
            pairs.append((above, node, distance))
            if above == 0:
                break
            above, distance = (above - 1) // 2, distance + 1
    a, d, k = np.array(pairs).T
    return training_data(a, d, k, n + 1)


class Tiny:
    """Moves a source to its positives and away from one random row; exact, and in NumPy alone."""

    def __init__(self, data: TrainingData, config: TrainConfig, table: Floats) -> None:
        self._table, self._limit = table.copy(), config.max_norm
        self._updates = np.zeros(data.n_nodes, np.int64)
        self._drawn = np.zeros(1, np.int64)

    @property
    def table(self) -> Floats:
        return self._table

    @property
    def updates(self) -> IntArray:
        return self._updates

    def step(self, chunk: Chunk, phase: Phase, negatives: Negatives) -> StepResult:
        self._drawn += 1
        rng = np.random.default_rng(self._drawn)
        loss, x = 0.0, self._table
        for k, source in enumerate(chunk.sources):
            for positive in chunk.positives[chunk.starts[k] : chunk.starts[k + 1]]:
                gap = x[positive] - x[source]
                away = x[source] - x[rng.choice(negatives.pool)]
                loss += float(np.linalg.norm(gap))
                x[source] += phase.lr * (0.1 * gap + 0.02 * away / (np.linalg.norm(away) + 0.1))
                x[source] *= min(1.0, self._limit / np.linalg.norm(x[source]))
                self._updates[[source, positive]] += 1
        finite = bool(np.isfinite(x[chunk.sources]).all())
        return StepResult(loss, phase.lambda_reg, len(chunk.positives), finite)

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        return {"table": self._table, "updates": self._updates, "drawn": self._drawn}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        for name, own in self.state().items():
            own[...] = state[name]


class Spoiling(Tiny):
    """Tiny, until its n-th step yields something else."""

    at = 10**9

    def __init__(self, data: TrainingData, config: TrainConfig, table: Floats) -> None:
        super().__init__(data, config, table)
        self.steps = 0

    def step(self, chunk: Chunk, phase: Phase, negatives: Negatives) -> StepResult:
        result = super().step(chunk, phase, negatives)
        self.steps += 1
        return self.spoil(result) if self.steps == self.at else result

    def spoil(self, result: StepResult) -> StepResult:
        """What the n-th step gives in place of its result."""
        return result


def spoiling(at: int, spoil: Callable[[StepResult], StepResult]) -> type[Spoiling]:
    """A stepper that ``spoil`` happens to at a step."""
    return type("At", (Spoiling,), {"at": at, "spoil": lambda _, result: spoil(result)})


def nan(result: StepResult) -> StepResult:
    return replace(result, loss=float("nan"))


def sends(number: signal.Signals) -> Callable[[StepResult], StepResult]:
    """The process gets a signal."""

    def send(result: StepResult) -> StepResult:
        os.kill(os.getpid(), number)
        return result

    return send


class Slow(Tiny):
    """Tiny with time to be killed in."""

    def step(self, chunk: Chunk, phase: Phase, negatives: Negatives) -> StepResult:
        time.sleep(0.01)
        return super().step(chunk, phase, negatives)


if __name__ == "__main__":  # a run that is to be killed from outside
    print("ready", flush=True)
    train(tree(), CONFIG, RunFolder(Path(sys.argv[1])), resume=True, make=Slow)
