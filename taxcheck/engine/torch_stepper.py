"""Training by autograd on any device: of the table only the rows of a batch are touched.

Losses take s sources, K negatives of each, p pairs. Pair i belongs to source ``owner[i]``, whose
negatives all of its pairs share. ``mask`` says which negatives count; where it is False the
distance may be anything. They are sums over pairs, so that their gradient does not depend on how
pairs are cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.linalg import vector_norm

from taxcheck.engine.config import Phase, TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.initial import radial_targets
from taxcheck.engine.processes import Processes, device_of, join
from taxcheck.engine.sampling import Chunk, Negatives, Snapshot, draw_negatives
from taxcheck.engine.stepper import Floats, StepResult, refuse_other_shapes
from taxcheck.model.arrays import Int32Array, IntArray

_LONGEST = 0.5  # hyperbolic length of one step of a row: a root meets every source of a batch
_FAR = 1e30  # a logit that leaves nothing, and whose gradient is 0 where -inf would give NaN
_WORD = (1 << 64) - 1
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class TorchStepper:
    """See ``Stepper``. Gradients of a row are summed over a batch, then it moves once.

    rsgd follows the Riemannian gradient; adam and adagrad take the plain one of the coordinates, on
    the Lorentz sheet adagrad the Riemannian. Adagrad keeps one sum a row. Adam's moments and step
    counts are those of the batches in which a row was touched. On the CPU runs repeat bit for bit.
    """

    def __init__(self, data: TrainingData, config: TrainConfig, table: Floats) -> None:
        """Take a copy of a table (n, width), and meet the other processes of the run.

        ValueError where the table has other rows than the data. UsageError where the device is not
        there.
        """
        if table.shape[0] != data.n_nodes:
            raise ValueError(f"table: {table.shape[0]} rows for {data.n_nodes} nodes")
        self._data, self._config = data, config
        self._device, self._dtype = device_of(config), _DTYPES[config.dtype]
        self._processes = join(config)
        self._model, self._space = config.model, config.model.autograd
        self._table = self._tensor(np.array(table))
        self._targets = self._tensor(radial_targets(data, config))
        n, width = self._table.shape
        moments = {"rsgd": (0, 0), "adam": (n, width), "adagrad": (n, 1)}[config.optimizer]
        self._second = torch.zeros(moments, dtype=self._dtype, device=self._device)
        adam = config.optimizer == "adam"
        self._first = torch.zeros_like(self._second[:, : width if adam else 0])
        self._steps = torch.zeros(n if adam else 0, dtype=torch.int64, device=self._device)
        self.updates: IntArray = np.zeros(n, dtype=np.int64)
        # A stream of its own: whoever draws the work may hold the same seed.
        self._rng = np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=(1,)))
        self._places = Places(n)

    @property
    def table(self) -> Floats:
        """The rows (n, width): on the CPU those that training changes, else a copy of them."""
        return self._table.cpu().numpy()

    def step(self, chunk: Chunk, phase: Phase, negatives: Negatives) -> StepResult:
        """Train on all of a chunk, batch by batch.

        It ends at a batch whose loss or new rows are not finite; the table is as before that batch.
        """
        loss = regularizer = 0.0
        pairs, finite = 0, True
        snapshot = None
        if negatives.nearest:
            snapshot = Snapshot.of(self.table, self._config, negatives.pool, self._rng)
        for batch in batches(chunk, self._config.batch_size):
            drawn = draw_negatives(negatives, self._data, batch, self._rng)  # (s, K)
            if snapshot:
                near = snapshot.nearest(self._data, batch, negatives)
                drawn = np.concatenate([drawn, near], axis=1)
            rows, gradient, sums = self._differentiate(batch, drawn, phase)
            loss, regularizer = loss + sums[0], regularizer + sums[1]
            pairs += len(batch.positives)
            finite = bool(np.isfinite(sums).all()) and self._move(rows, gradient, phase.lr)
            if not finite:
                break
            np.add.at(self.updates, batch.sources, 1)
            np.add.at(self.updates, batch.positives, 1)
        return StepResult(loss, regularizer, pairs, finite)

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything that a continued run needs for the same numbers."""
        return {
            "table": self.table,
            "updates": self.updates,
            "random": _words(self._rng),
            "first_moment": self._first.cpu().numpy(),
            "second_moment": self._second.cpu().numpy(),
            "steps": self._steps.cpu().numpy(),
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a state. ValueError where shapes differ; nothing has changed then."""
        refuse_other_shapes(state, self.state())
        tensors = {
            "table": self._table,
            "first_moment": self._first,
            "second_moment": self._second,
            "steps": self._steps,
        }
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(np.array(state[name])))
        self.updates[:] = state["updates"]
        _set_words(self._rng, state["random"])

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(device=self._device, dtype=self._dtype)

    def _index(self, rows: Int32Array) -> Tensor:
        return torch.from_numpy(rows).to(self._device)

    def _differentiate(
        self, batch: Chunk, drawn: Int32Array, phase: Phase
    ) -> tuple[Tensor, Tensor, list[float]]:
        """Distinct rows (r,), the gradient of each (r, width), and the sums of both terms."""
        rank, world = self._processes.rank, self._processes.world
        own = shard(batch, rank, world)
        drawn = drawn[share(len(batch.sources), rank, world)]
        pulled = np.empty(0, dtype=np.int32)
        if phase.lambda_reg > 0:
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
        distance = self._space.distance
        d_pos = distance(u.index_select(0, owner), v)  # (p,)
        d_neg = distance(u[:, None], w.view(*held.shape, leaf.shape[1]))  # (s, K)
        terms = (d_pos, d_neg, self._index(drawn) >= 0, self._tensor(own.weights), owner)
        if self._config.loss == "softmax":
            loss = softmax_ranking_loss(*terms, phase.temperature)
        else:
            loss = ranking_loss_with_margin(*terms, self._config.margin)
        pull = radial_regularizer(
            self._space.reach(r), self._targets.index_select(0, self._index(pulled))
        )
        (gradient,) = torch.autograd.grad(loss + phase.lambda_reg * pull, leaf)
        sums = torch.stack([loss.detach(), pull.detach()])
        return total(self._processes, index, gradient, sums, self._places)

    def _move(self, rows: Tensor, gradient: Tensor, lr: float) -> bool:
        """Update the rows and their moments, unless a new row is not finite: then nothing is."""
        rows = rows.long()
        x = self._table.index_select(0, rows)
        space, optimizer = self._space, self._config.optimizer
        riemannian = optimizer == "rsgd" or self._model.time > 0
        if riemannian:
            gradient = space.riemannian(x, gradient)
        step, moments = gradient, []
        if optimizer == "adagrad":
            length = space.length(x, gradient) if riemannian else vector_norm(gradient, dim=1)
            second = self._second.index_select(0, rows) + length[:, None] ** 2
            step, moments = gradient / (second.sqrt() + 1e-10), [(self._second, second)]
        elif optimizer == "adam":
            step, moments = self._adam(rows, gradient)
        step = lr * step
        if riemannian and self._model.hyperbolic:
            step = step * (_LONGEST / space.length(x, step)[:, None]).clamp(max=1)
        new = space.retract(x, step) if riemannian else x - step
        new = space.project(new, self._config.reach_limit)
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


def softmax_ranking_loss(
    d_pos: Tensor, d_neg: Tensor, mask: Tensor, weights: Tensor, owner: Tensor, temperature: float
) -> Tensor:
    """Sum over pairs of w * -log(e^(-d/T) / (e^(-d/T) + sum over negatives of e^(-d_n/T))).

    Nickel & Kiela 2017 (arXiv:1705.08039), eq. 6, with a temperature. The gradient is
    dL/dd = w (1 - p) / T for the pair, p its softmax probability, and -w p_n / T for a negative.
    A pair without negatives costs 0. Shapes (p,), (s, K), (s, K), (p,), (p,) -> ().
    """
    logits = torch.where(mask, -d_neg / temperature, -_FAR)
    against = torch.logsumexp(logits, dim=1)[owner] + d_pos / temperature
    return (weights * torch.logaddexp(against, torch.zeros_like(against))).sum()


def ranking_loss_with_margin(
    d_pos: Tensor, d_neg: Tensor, mask: Tensor, weights: Tensor, owner: Tensor, margin: float
) -> Tensor:
    """Sum over pairs of w * mean over negatives of max(0, margin + d - d_n).

    The mean is over the negatives that count; a pair without any costs 0.
    Shapes (p,), (s, K), (s, K), (p,), (p,) -> ().
    """
    count = mask.sum(dim=1).clamp(min=1)
    lacking = (margin + d_pos[:, None] - d_neg[owner]).clamp(min=0)  # (p, K)
    total = torch.where(mask[owner], lacking, 0.0).sum(dim=1)
    return (weights * total / count[owner]).sum()


def radial_regularizer(reach: Tensor, targets: Tensor) -> Tensor:
    """Sum over rows of (reach - target)^2, before its factor; (r,), (r,) -> ().

    The rows are those that are a source or a positive of the batch, each once. ``reach`` and the
    target, init_min + depth / max depth * (init_max - init_min), are norms in the ball and in flat
    space; elsewhere the hyperbolic radius is held against that share of the largest radius. See
    ``initial.radial_targets``.
    """
    return ((reach - targets) ** 2).sum()


def share(count: int, rank: int, world: int) -> slice:
    """Which of ``count`` things a rank takes: an even block, in the order of ranks."""
    return slice(count * rank // world, count * (rank + 1) // world)


def part(chunk: Chunk, sources: slice) -> Chunk:
    """Consecutive sources of a chunk with all of their positives; nothing is copied but starts."""
    starts = chunk.starts[sources.start : sources.stop + 1]
    pairs = slice(int(starts[0]), int(starts[-1]))
    return Chunk(
        sources=chunk.sources[sources],
        starts=starts - starts[0],
        positives=chunk.positives[pairs],
        weights=chunk.weights[pairs],
    )


def shard(chunk: Chunk, rank: int, world: int) -> Chunk:
    """The sources of a chunk that a rank takes; the shards of all ranks are the chunk, in order."""
    return part(chunk, share(len(chunk.sources), rank, world))


def batches(chunk: Chunk, pairs: int) -> Iterator[Chunk]:
    """Whole sources with up to ``pairs`` positives together; one with more is a batch alone."""
    first, count = 0, len(chunk.sources)
    while first < count:
        fitting = int(np.searchsorted(chunk.starts, chunk.starts[first] + pairs, side="right")) - 1
        last = min(max(fitting, first + 1), count)
        yield part(chunk, slice(first, last))
        first = last


class Places:
    """Distinct rows and where each came to stand, without a sort and without a pass over n."""

    def __init__(self, n: int) -> None:
        self._place = np.empty(n, dtype=np.int32)

    def of(self, rows: Int32Array) -> tuple[Int32Array, Int32Array]:
        """The distinct rows (r,), in the order of their last occurrence, and each row's place."""
        order = np.arange(len(rows), dtype=np.int32)
        self._place[rows] = order  # of repeated rows the last stays
        kept = rows[self._place[rows] == order]
        self._place[kept] = order[: len(kept)]
        return kept, self._place[rows]


def total(
    processes: Processes, rows: Tensor, gradient: Tensor, sums: Tensor, places: Places
) -> tuple[Tensor, Tensor, list[float]]:
    """What all ranks found together, the same on each of them bit for bit.

    Distinct rows (r,), their gradients (r, width) and sums (k,) of each rank -> the same, of
    all. Ranks are added in their order; within one no row occurs twice, so that even devices
    that add in any order have nothing to choose.
    """
    if processes.world == 1:
        return rows, gradient, sums.tolist()
    found = processes.gather(rows)
    lengths = [len(given) for given in found]
    every, place = places.of(torch.cat(found).cpu().numpy())
    where = torch.from_numpy(place).to(rows.device).split(lengths)  # type: ignore[no-untyped-call]
    whole = gradient.new_zeros(len(every), gradient.shape[1])
    for index, given in zip(where, processes.gather(gradient, lengths), strict=True):
        whole.index_add_(0, index, given)
    added = torch.stack(processes.gather(sums, [len(sums)] * processes.world)).sum(0)
    return torch.from_numpy(every).to(rows.device), whole, added.tolist()


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
