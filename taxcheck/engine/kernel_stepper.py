"""Training on the CPU by one fused kernel: every source is a step of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from numba import set_num_threads

from taxcheck.engine import kernel
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.kernel_draws import seeds
from taxcheck.engine.kernel_geometry import (
    ADAGRAD,
    ADAM,
    GEOMETRIES,
    LORENTZ,
    OPTIMIZERS,
    POLAR,
    RSGD,
    TANGENT,
)
from taxcheck.engine.nearest import Snapshot
from taxcheck.engine.targets import radial_limit, radial_targets
from taxcheck.engine.values import (
    Floats,
    Int32Array,
    IntArray,
    Negatives,
    StepResult,
    TrainingData,
    Work,
)


class KernelStepper:
    """See ``values.Stepper``. One worker gives the same numbers on every run; more are Hogwild."""

    def __init__(self, data: TrainingData, config: TrainConfig, table: Floats) -> None:
        """Take a table (n, width), which is changed in place. ValueError for Adam on the sheet."""
        geometry, optimizer = GEOMETRIES[config.geometry], OPTIMIZERS[config.optimizer]
        if geometry == LORENTZ and optimizer == ADAM:
            raise ValueError(
                "optimizer: adam adds coordinates, which Lorentz rows cannot do; "
                "take geometry tangent, or rsgd or adagrad"
            )
        if (geometry, optimizer) == (TANGENT, RSGD):
            geometry = POLAR
        n = data.n_nodes
        self._config, self._data = config, data
        self._table = np.ascontiguousarray(table)
        self._updates = np.zeros(n, dtype=np.int64)
        workers = config.workers or os.cpu_count() or 1
        self._states = seeds(config.seed, workers)
        moments = (n, self._table.shape[1]) if optimizer == ADAM else (1, 1)
        self._first = np.zeros(moments)
        self._second = np.zeros((n, 1) if optimizer == ADAGRAD else moments)
        self._steps = np.zeros(n if optimizer != RSGD else 1)
        self._targets = radial_targets(data, config)
        self._codes = geometry, kernel.LOSSES[config.loss], optimizer
        limit = radial_limit(config)
        self._limit = (np.sinh(limit) if geometry == LORENTZ else limit) ** 2

    @property
    def table(self) -> Floats:
        """The rows (n, width); on the sheet, where several workers may have written one at once."""
        if self._codes[0] == LORENTZ and len(self._states) > 1:
            self._table[:, 0] = np.sqrt(1 + np.sum(self._table[:, 1:] ** 2, axis=1))
        return self._table

    @property
    def updates(self) -> IntArray:
        """How often each row was a source or a positive, (n,)."""
        return self._updates

    def step(
        self,
        work: Work,
        lr: float,
        lambda_reg: float,
        negatives: Negatives,
        temperature: float | None = None,
    ) -> StepResult:
        """Walk through all sources of ``work``, in order, split evenly over the workers."""
        data, config, related = self._data, self._config, self._data.related
        set_num_threads(min(len(self._states), os.cpu_count() or 1))
        heat = config.temperature if temperature is None else temperature
        loss, pulls = kernel.train(
            self._table,
            (work.sources, work.starts, work.positives, work.weights),
            (related.entry, related.size, related.starts, related.ancestors),
            (
                negatives.pool,
                data.ancestors,
                negatives.by_depth,
                negatives.depth_starts,
                data.depth,
            ),
            self._scan(work, negatives),
            (negatives.uniform, negatives.degree, negatives.hard, negatives.nearest),
            self._targets,
            (self._first, self._second, self._steps),
            self._states,
            (*self._codes, negatives.anchored),
            (lr, lambda_reg, self._limit, heat, config.margin, negatives.window),
        )
        np.add.at(self._updates, work.sources, 1)
        np.add.at(self._updates, work.positives, 1)
        finite = bool(np.isfinite(loss) and np.isfinite(self._table[work.sources]).all())
        return StepResult(float(loss), float(pulls), len(work.positives), finite)

    def _scan(self, work: Work, negatives: Negatives) -> tuple[Floats, Floats, Int32Array]:
        """Factors whose products are separations, of the sources and of the candidates."""
        if not negatives.nearest:
            return np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1, dtype=np.int32)
        rng = np.random.default_rng(self._states)
        snapshot = Snapshot.of(self._table, self._config, negatives.pool, rng)
        return snapshot.space.left(work.sources), snapshot.rights, snapshot.ids

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything that a continued run needs for the same numbers."""
        return {
            "table": self.table,
            "updates": self._updates,
            "random": self._states,
            "first_moment": self._first,
            "second_moment": self._second,
            "steps": self._steps,
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a state. ValueError where shapes differ, as with other workers."""
        for name, own in self.state().items():
            if name not in state or state[name].shape != own.shape:
                found = state[name].shape if name in state else "nothing"
                raise ValueError(f"{name}: the state has {found}, the run needs {own.shape}")
            own[...] = state[name]
