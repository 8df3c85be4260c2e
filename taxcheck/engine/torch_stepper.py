"""Training by autograd on any device: of the table only the rows of a batch are touched."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.linalg import vector_norm

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.distributed import (
    Exchange,
    Places,
    batches,
    device_of,
    from_environment,
    shard,
    share,
)
from taxcheck.engine.nearest import Snapshot
from taxcheck.engine.negatives import draw
from taxcheck.engine.targets import radial_targets
from taxcheck.engine.torch_geometry import GEOMETRIES
from taxcheck.engine.torch_loss import (
    radial_regularizer,
    ranking_loss_with_margin,
    softmax_ranking_loss,
)
from taxcheck.engine.values import (
    Floats,
    Int32Array,
    IntArray,
    Negatives,
    StepResult,
    TrainingData,
    Work,
)

_LONGEST = 0.5  # hyperbolic length of one step of a row: a root meets every source of a batch
_WORD = (1 << 64) - 1
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class TorchStepper:
    """See ``values.Stepper``. Gradients of a row are summed over a batch, then it moves once.

    rsgd follows the Riemannian gradient; adam and adagrad take the plain one of the coordinates, on
    the Lorentz sheet adagrad the Riemannian. Adagrad keeps one sum a row. Adam's moments and step
    counts are those of the batches in which a row was touched. On the CPU runs repeat bit for bit.
    """

    def __init__(
        self,
        data: TrainingData,
        config: TrainConfig,
        table: Floats,
        exchange: Exchange | None = None,
    ) -> None:
        """Take a copy of a table (n, width). ``exchange`` is that of the environment if not given.

        ValueError where the table has other rows than the data, and for Adam on the sheet.
        UsageError where the device is not there.
        """
        if table.shape[0] != data.n_nodes:
            raise ValueError(f"table: {table.shape[0]} rows for {data.n_nodes} nodes")
        if config.geometry == "lorentz" and config.optimizer == "adam":
            raise ValueError(
                "optimizer: adam adds coordinates, which Lorentz rows cannot do; "
                "take geometry tangent, or rsgd or adagrad"
            )
        self._data, self._config = data, config
        self._device, self._dtype = device_of(config), _DTYPES[config.dtype]
        self._exchange = exchange or from_environment(self._device)
        self._geometry = GEOMETRIES[config.geometry]
        self._table = self._tensor(np.array(table))
        self._targets = self._tensor(radial_targets(data, config))
        n, width = self._table.shape
        moments = {"rsgd": (0, 0), "adam": (n, width), "adagrad": (n, 1)}[config.optimizer]
        self._second = torch.zeros(moments, dtype=self._dtype, device=self._device)
        adam = config.optimizer == "adam"
        self._first = torch.zeros_like(self._second[:, : width if adam else 0])
        self._steps = torch.zeros(n if adam else 0, dtype=torch.int64, device=self._device)
        self._updates = np.zeros(n, dtype=np.int64)
        # A stream of its own: whoever draws the work may hold the same seed.
        self._rng = np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=(1,)))
        self._places = Places(n)

    @property
    def table(self) -> Floats:
        """The rows (n, width): on the CPU those that training changes, else a copy of them."""
        return self._table.cpu().numpy()

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
        """Train on all of ``work``, batch by batch.

        It ends at a batch whose loss or new rows are not finite; the table is as before that batch.
        """
        loss = regularizer = 0.0
        pairs, finite = 0, True
        heat = self._config.temperature if temperature is None else temperature
        snapshot = None
        if negatives.nearest:
            snapshot = Snapshot.of(self.table, self._config, negatives.pool, self._rng)
        for batch in batches(work, self._config.batch_size):
            drawn = draw(negatives, self._data, batch, self._rng)  # (s, K)
            if snapshot:
                near = snapshot.nearest(self._data, batch, negatives)
                drawn = np.concatenate([drawn, near], axis=1)
            rows, gradient, sums = self._differentiate(batch, drawn, lambda_reg, heat)
            loss, regularizer = loss + sums[0], regularizer + sums[1]
            pairs += len(batch.positives)
            finite = bool(np.isfinite(sums).all()) and self._move(rows, gradient, lr)
            if not finite:
                break
            np.add.at(self._updates, batch.sources, 1)
            np.add.at(self._updates, batch.positives, 1)
        return StepResult(loss, regularizer, pairs, finite)

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything that a continued run needs for the same numbers."""
        return {
            "table": self.table,
            "updates": self._updates,
            "random": _words(self._rng),
            "first_moment": self._first.cpu().numpy(),
            "second_moment": self._second.cpu().numpy(),
            "steps": self._steps.cpu().numpy(),
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a state. ValueError where shapes differ; nothing has changed then."""
        for name, own in self.state().items():
            if name not in state or state[name].shape != own.shape:
                found = state[name].shape if name in state else "nothing"
                raise ValueError(f"{name}: the state has {found}, the run needs {own.shape}")
        tensors = {
            "table": self._table,
            "first_moment": self._first,
            "second_moment": self._second,
            "steps": self._steps,
        }
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(np.array(state[name])))
        self._updates[:] = state["updates"]
        _set_words(self._rng, state["random"])

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(device=self._device, dtype=self._dtype)

    def _index(self, rows: Int32Array) -> Tensor:
        return torch.from_numpy(rows).to(self._device)

    def _differentiate(
        self, batch: Work, drawn: Int32Array, lambda_reg: float, temperature: float
    ) -> tuple[Tensor, Tensor, list[float]]:
        """Distinct rows (r,), the gradient of each (r, width), and the sums of both terms."""
        rank, world = self._exchange.rank, self._exchange.world
        own = shard(batch, rank, world)
        drawn = drawn[share(len(batch.sources), rank, world)]
        pulled = np.empty(0, dtype=np.int32)
        if lambda_reg > 0:
            pulled = self._places.of(np.concatenate([batch.sources, batch.positives]))[0]
            pulled = pulled[share(len(pulled), rank, world)]
        s, p = len(own.sources), len(own.positives)
        held = np.where(drawn < 0, own.sources[:, None], drawn)  # a rejected one counts nowhere
        rows, place = self._places.of(
            np.concatenate([own.sources, own.positives, held.ravel(), pulled])
        )
        index = self._index(rows)
        leaf = self._table.index_select(0, index).requires_grad_()
        # index_select adds up its gradient in order, where indexing may use atomics.
        u, v, w, r = (
            leaf.index_select(0, self._index(k))
            for k in np.split(place, [s, s + p, s + p + held.size])
        )
        owner = self._index(np.repeat(np.arange(s, dtype=np.int32), np.diff(own.starts)))
        distance = self._geometry.distance
        d_pos = distance(u.index_select(0, owner), v)  # (p,)
        d_neg = distance(u[:, None], w.view(*held.shape, leaf.shape[1]))  # (s, K)
        terms = (d_pos, d_neg, self._index(drawn) >= 0, self._tensor(own.weights), owner)
        if self._config.loss == "softmax":
            loss = softmax_ranking_loss(*terms, temperature)
        else:
            loss = ranking_loss_with_margin(*terms, self._config.margin)
        pull = radial_regularizer(
            self._geometry.reach(r), self._targets.index_select(0, self._index(pulled))
        )
        (gradient,) = torch.autograd.grad(loss + lambda_reg * pull, leaf)
        sums = torch.stack([loss.detach(), pull.detach()])
        return self._exchange.total(index, gradient, sums, self._places)

    def _move(self, rows: Tensor, gradient: Tensor, lr: float) -> bool:
        """Update the rows and their moments, unless a new row is not finite: then nothing is."""
        rows = rows.long()
        x = self._table.index_select(0, rows)
        geometry, optimizer = self._geometry, self._config.optimizer
        riemannian = optimizer == "rsgd" or self._config.geometry == "lorentz"
        if riemannian:
            gradient = geometry.riemannian(x, gradient)
        step, moments = gradient, []
        if optimizer == "adagrad":
            length = geometry.length(x, gradient) if riemannian else vector_norm(gradient, dim=1)
            second = self._second.index_select(0, rows) + length[:, None] ** 2
            step, moments = gradient / (second.sqrt() + 1e-10), [(self._second, second)]
        elif optimizer == "adam":
            step, moments = self._adam(rows, gradient)
        step = lr * step
        if riemannian and self._config.geometry != "euclidean":
            step = step * (_LONGEST / geometry.length(x, step)[:, None]).clamp(max=1)
        new = geometry.project(geometry.retract(x, step) if riemannian else x - step, self._config)
        changes = [(self._table, new), *moments]
        if not all(bool(torch.isfinite(values).all()) for _, values in changes):
            return False
        for tensor, values in changes:
            tensor.index_copy_(0, rows, values)
        return True

    def _adam(self, rows: Tensor, gradient: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """The direction of Adam (arXiv:1412.6980, alg. 1), and the moments that it leaves."""
        first = self._first.index_select(0, rows).lerp(gradient, 0.1)
        second = self._second.index_select(0, rows).lerp(gradient**2, 0.001)
        steps = self._steps.index_select(0, rows) + 1
        t = steps.to(self._dtype)[:, None]
        direction = first / (1 - 0.9**t) / ((second / (1 - 0.999**t)).sqrt() + 1e-8)
        return direction, [(self._first, first), (self._second, second), (self._steps, steps)]


def _words(rng: np.random.Generator) -> npt.NDArray[np.uint64]:
    """The state of a PCG64 generator, (6,)."""
    state = rng.bit_generator.state
    words = [state["state"][key] >> shift & _WORD for key in ("state", "inc") for shift in (64, 0)]
    return np.array([*words, state["has_uint32"], state["uinteger"]], dtype=np.uint64)


def _set_words(rng: np.random.Generator, words: npt.NDArray[np.generic]) -> None:
    a, b, c, d, held, half = (int(word) for word in words)
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": a << 64 | b, "inc": c << 64 | d},
        "has_uint32": held,
        "uinteger": half,
    }
