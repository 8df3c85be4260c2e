"""Training on the CPU by one fused kernel: every source is a step of its own."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from taxcheck.engine import kernel
from taxcheck.engine.config import Phase, TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.initial import radial_targets
from taxcheck.engine.sampling import Chunk, Negatives, Snapshot
from taxcheck.engine.stepper import Floats, StepResult, refuse_other_shapes
from taxcheck.model.arrays import Int32Array, IntArray


class KernelStepper:
    """See ``Stepper``. One worker gives the same numbers on every run; more are Hogwild."""

    def __init__(self, data: TrainingData, config: TrainConfig, table: Floats) -> None:
        """Take a table (n, width), which is changed in place."""
        geometry, optimizer = config.model.code, kernel.OPTIMIZERS[config.optimizer]
        if (geometry, optimizer) == (kernel.TANGENT, kernel.RSGD):
            geometry = kernel.POLAR
        n = data.n_nodes
        self._config, self._data = config, data
        self._table = np.ascontiguousarray(table)
        self.updates: IntArray = np.zeros(n, dtype=np.int64)
        workers = config.workers or os.cpu_count() or 1
        self._states = kernel.seeds(config.seed, workers)
        moments = (n, self._table.shape[1]) if optimizer == kernel.ADAM else (1, 1)
        self._first = np.zeros(moments)
        self._second = np.zeros((n, 1) if optimizer == kernel.ADAGRAD else moments)
        self._steps = np.zeros(n if optimizer != kernel.RSGD else 1)
        self._targets = radial_targets(data, config)
        self._geometry, self._optimizer = geometry, optimizer
        limit = config.reach_limit
        self._limit = (np.sinh(limit) if geometry == kernel.LORENTZ else limit) ** 2

    @property
    def table(self) -> Floats:
        """The rows (n, width); on the sheet, where several workers may have written one at once."""
        if self._geometry == kernel.LORENTZ and len(self._states) > 1:
            self._table[:, 0] = np.sqrt(1 + np.sum(self._table[:, 1:] ** 2, axis=1))
        return self._table

    def step(self, chunk: Chunk, phase: Phase, negatives: Negatives) -> StepResult:
        """Walk through all sources of the chunk, in order, split evenly over the workers."""
        data, config, related = self._data, self._config, self._data.ancestry
        lefts, rights, ids = self._factors(chunk, negatives)
        walk = partial(
            kernel.train,
            x=self._table,
            sources=chunk.sources,
            starts=chunk.starts,
            positives=chunk.positives,
            weights=chunk.weights,
            entry=related.entry,
            size=related.size,
            ancestor_starts=related.starts,
            ancestors=related.ancestors,
            pool=negatives.pool,
            popular=data.ancestors,
            by_depth=negatives.by_depth,
            depth_starts=negatives.depth_starts,
            depth=data.depth,
            lefts=lefts,
            rights=rights,
            ids=ids,
            n_uniform=negatives.uniform,
            n_degree=negatives.degree,
            n_hard=negatives.hard,
            n_nearest=negatives.nearest,
            targets=self._targets,
            first_moment=self._first,
            second_moment=self._second,
            steps=self._steps,
            geometry=self._geometry,
            loss=kernel.LOSSES[config.loss],
            optimizer=self._optimizer,
            anchored=negatives.anchored,
            lr=phase.lr,
            strength=phase.lambda_reg,
            limit=self._limit,
            temperature=phase.temperature,
            margin=config.margin,
            window=negatives.window,
        )
        loss, regularizer = self._walked(walk, len(chunk.sources))
        np.add.at(self.updates, chunk.sources, 1)
        np.add.at(self.updates, chunk.positives, 1)
        finite = bool(np.isfinite(loss) and np.isfinite(self._table[chunk.sources]).all())
        return StepResult(loss, regularizer, len(chunk.positives), finite)

    def _walked(
        self, walk: Callable[..., tuple[float, float]], sources: int
    ) -> tuple[float, float]:
        """The sums of all workers, each of which walks through an even part of the sources.

        They are threads of Python, since a kernel that numba makes parallel by itself is compiled
        twice, into a copy that steps when it is fresh and one that steps when it is loaded, which
        round in other places.
        """
        workers = len(self._states)
        cuts = [worker * sources // workers for worker in range(workers + 1)]

        def part(worker: int) -> tuple[float, float]:
            own = self._states[worker : worker + 1]
            return walk(random=own, low=cuts[worker], high=cuts[worker + 1])

        found = [part(0)] if workers == 1 else list(self._threads.map(part, range(workers)))
        return math.fsum(loss for loss, _ in found), math.fsum(pull for _, pull in found)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(min(len(self._states), os.cpu_count() or 1))

    def _factors(self, chunk: Chunk, negatives: Negatives) -> tuple[Floats, Floats, Int32Array]:
        """Factors whose products are separations, of the sources and of the candidates."""
        if not negatives.nearest:
            return np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1, dtype=np.int32)
        rng = np.random.default_rng(self._states)
        snapshot = Snapshot.of(self._table, self._config, negatives.pool, rng)
        return snapshot.space.left(chunk.sources), snapshot.rights, snapshot.ids

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything that a continued run needs for the same numbers."""
        return {
            "table": self.table,
            "updates": self.updates,
            "random": self._states,
            "first_moment": self._first,
            "second_moment": self._second,
            "steps": self._steps,
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a state. ValueError where shapes differ, as with other workers."""
        own = self.state()
        refuse_other_shapes(state, own)
        for name, array in own.items():
            array[...] = state[name]
