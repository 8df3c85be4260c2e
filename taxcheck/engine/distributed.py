"""Training in several processes that hold the same table and apply the same updates.

Every process walks through the same Works and draws the same negatives, since its generator has the
same seed; of each batch it differentiates its share of the sources, and gathers the rows and
gradients of all others. Sums are taken in the order of ranks, so the tables stay equal bit for bit,
and equal to those of one process up to the order of additions. Start with ``torchrun``:

    torchrun --nproc-per-node 2 -m taxcheck train ...

The first process judges the data, hands it to all others, and alone writes, measures and shows.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.peers import LostError, placed
from taxcheck.engine.values import Int32Array, Work
from taxcheck.errors import UsageError

T = TypeVar("T")
_LONGEST = timedelta(days=7)  # the others wait while the first judges the data and the table


def share(count: int, rank: int, world: int) -> slice:
    """Which of ``count`` things a rank takes: an even block, in the order of ranks."""
    return slice(count * rank // world, count * (rank + 1) // world)


def part(work: Work, sources: slice) -> Work:
    """Consecutive sources of a Work with all of their positives; nothing is copied but starts."""
    starts = work.starts[sources.start : sources.stop + 1]
    pairs = slice(int(starts[0]), int(starts[-1]))
    return Work(
        sources=work.sources[sources],
        starts=starts - starts[0],
        positives=work.positives[pairs],
        weights=work.weights[pairs],
    )


def shard(work: Work, rank: int, world: int) -> Work:
    """The sources of a Work that a rank takes; the shards of all ranks are the Work, in order."""
    return part(work, share(len(work.sources), rank, world))


def batches(work: Work, pairs: int) -> Iterator[Work]:
    """Whole sources with up to ``pairs`` positives together; one with more is a batch alone."""
    first, count = 0, len(work.sources)
    while first < count:
        fitting = int(np.searchsorted(work.starts, work.starts[first] + pairs, side="right")) - 1
        last = min(max(fitting, first + 1), count)
        yield part(work, slice(first, last))
        first = last


def device_of(config: TrainConfig) -> torch.device:
    """The device that a config names. UsageError where this machine or torch has it not.

    Under ``torchrun`` a plain "cuda" is the device of the local rank.
    """
    try:
        device = torch.device(config.device)
    except RuntimeError:
        raise UsageError(f"device = {config.device!r}: torch knows no such device") from None
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(device.type, False):
        have = ", ".join(name for name, found in available.items() if found)
        raise UsageError(f"device = {config.device!r}: not available here; there is {have}")
    if device.type == "mps" and config.dtype == "float64":
        raise UsageError("device = 'mps': it holds no float64; set dtype to float32")
    if device.type == "cuda" and device.index is None and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


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


@dataclass(frozen=True, slots=True)
class Exchange:
    """The place of this process among all of them."""

    rank: int = 0
    world: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    def share(self, value: T) -> T:
        """What the first process gives, on all of them; see ``peers.Peers``."""
        if self.world == 1:
            return value
        box = [value if self.writes else None]
        with _waiting():
            dist.broadcast_object_list(box, src=0)
        return box[0]  # type: ignore[return-value]

    def agree(self, seconds: float, signal: int) -> tuple[float, int]:
        """The seconds of the first process, and the largest signal; see ``peers.Peers``."""
        if self.world == 1:
            return seconds, signal
        own = torch.tensor([seconds, signal], dtype=torch.float64)
        found = self.gather(own.cuda() if _on_cuda() else own, [2] * self.world)
        return float(found[0][0]), max(int(numbers[1]) for numbers in found)

    def gather(self, tensor: Tensor, lengths: Sequence[int] | None = None) -> list[Tensor]:
        """The tensor of every rank, in their order; first dimensions may differ, (k, ...).

        All ranks must call it, with the same dtype and further dimensions, and with the ``lengths``
        of all first dimensions where they know them.
        """
        if self.world == 1:
            return [tensor]
        device = tensor.device if _on_cuda() else torch.device("cpu")
        if lengths is None:
            own = torch.tensor([len(tensor)], dtype=torch.int64, device=device)
            lengths = torch.cat(self.gather(own, [1] * self.world)).tolist()
        padded = torch.zeros((max(lengths), *tensor.shape[1:]), dtype=tensor.dtype, device=device)
        padded[: len(tensor)] = tensor
        gathered = [torch.empty_like(padded) for _ in lengths]
        with _waiting():
            dist.all_gather(gathered, padded)
        return [
            found[:length].to(tensor.device)
            for found, length in zip(gathered, lengths, strict=True)
        ]

    def total(
        self, rows: Tensor, gradient: Tensor, sums: Tensor, places: Places
    ) -> tuple[Tensor, Tensor, list[float]]:
        """What all ranks found together, the same on each of them bit for bit.

        Distinct rows (r,), their gradients (r, width) and sums (k,) of each rank -> the same, of
        all. Ranks are added in their order; within one no row occurs twice, so that even devices
        that add in any order have nothing to choose.
        """
        if self.world == 1:
            return rows, gradient, sums.tolist()
        found = self.gather(rows)
        lengths = [len(given) for given in found]
        every, place = places.of(torch.cat(found).cpu().numpy())
        where = torch.from_numpy(place).to(rows.device).split(lengths)  # type: ignore[no-untyped-call]
        whole = gradient.new_zeros(len(every), gradient.shape[1])
        for index, given in zip(where, self.gather(gradient, lengths), strict=True):
            whole.index_add_(0, index, given)
        added = torch.stack(self.gather(sums, [len(sums)] * self.world)).sum(0)
        return torch.from_numpy(every).to(rows.device), whole, added.tolist()


def from_environment(device: torch.device) -> Exchange:
    """Join the processes that ``torchrun`` started (RANK, WORLD_SIZE); alone without it.

    NCCL where each process has a CUDA device, gloo everywhere else. Leave with ``leave``.
    """
    if placed()[1] == 1:
        return Exchange()
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_LONGEST)
    return Exchange(dist.get_rank(), dist.get_world_size())


def leave() -> None:
    """Part from the other processes, where there are any."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def _on_cuda() -> bool:
    """Whether numbers are exchanged between CUDA devices, else between processors."""
    return bool(dist.get_backend() == "nccl")


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    """Another process that ends meanwhile is one line, not a trace of the transport."""
    try:
        yield
    except RuntimeError:
        raise LostError(
            "another process of this run ended, see its own line; the last checkpoint is whole: "
            "continue with the same command and --resume"
        ) from None
