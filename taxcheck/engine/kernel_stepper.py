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
from taxcheck.engine.kernel_geometry import ADAGRAD, ADAM, GEOMETRIES, LORENTZ, OPTIMIZERS, RSGD
from taxcheck.engine.targets import radial_limit, radial_targets
from taxcheck.engine.values import Floats, IntArray, Negatives, StepResult, TrainingData, Work

_LEAST = 1e-4  # a negative whose dL/dd is smaller is left alone


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
        self._limit = radial_limit(config)

    @property
    def table(self) -> Floats:
        """The rows (n, width)."""
        return self._table

    @property
    def updates(self) -> IntArray:
        """How often each row was a source or a positive, (n,)."""
        return self._updates

    def step(self, work: Work, lr: float, lambda_reg: float, negatives: Negatives) -> StepResult:
        """Walk through all sources of ``work``, in order, split evenly over the workers."""
        data, config = self._data, self._config
        set_num_threads(min(len(self._states), os.cpu_count() or 1))
        loss, pulls = kernel.train(
            self._table,
            work.sources,
            work.starts,
            work.positives,
            work.weights,
            data.related.entry,
            data.related.size,
            data.related.starts,
            data.related.ancestors,
            data.ancestors,
            negatives.pool,
            negatives.by_depth,
            negatives.depth_starts,
            data.depth,
            (negatives.uniform, negatives.degree, negatives.hard),
            self._targets,
            self._first,
            self._second,
            self._steps,
            self._states,
            self._codes,
            (lr, lambda_reg, self._limit, config.temperature, config.margin, _LEAST),
        )
        np.add.at(self._updates, work.sources, 1)
        np.add.at(self._updates, work.positives, 1)
        finite = bool(np.isfinite(loss) and np.isfinite(self._table[work.sources]).all())
        return StepResult(float(loss), float(pulls), len(work.positives), finite)

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything that a continued run needs for the same numbers."""
        return {
            "table": self._table,
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
            own[...] = state[name]  # type: ignore[index]
