"""The processes of one run: one alone, or several by ``torchrun`` that hold the same table.

Every process walks through the same chunks and draws the same negatives, since its generator has
the same seed; of each batch it differentiates its share of the sources, and gathers the rows and
gradients of all others. Sums are taken in the order of ranks, so the tables stay equal bit for bit,
and equal to those of one process up to the order of additions. Start with ``torchrun``:

    torchrun --nproc-per-node 2 --no-python taxcheck train ...

The first process judges the data, hands it to all others, and alone writes, measures and shows.
Torch is imported only where there are several.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from taxcheck.model.errors import TaxcheckError, UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from taxcheck.engine.config import TrainConfig

T = TypeVar("T")
_LONGEST = timedelta(days=7)  # the others wait while the first judges the data and the table


class LostError(TaxcheckError):
    """Another process of the run ended before its time; its own line says why."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The place of this process among those of its run; all of them must ask the same."""

    rank: int = 0
    world: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process writes files, measures and shows: the first does."""
        return self.rank == 0

    def share(self, value: T) -> T:
        """What the first process gives, on all of them."""
        if self.world == 1:
            return value
        import torch.distributed as dist

        box = [value if self.writes else None]
        with _waiting():
            dist.broadcast_object_list(box, src=0)
        return box[0]  # type: ignore[return-value]

    def agree(self, spent: float, ahead: float, signal: int) -> tuple[float, float, int]:
        """Both times of the first process, and the signal that any of them got; 0: none."""
        if self.world == 1:
            return spent, ahead, signal
        import torch

        own = torch.tensor([spent, ahead, signal], dtype=torch.float64)
        found = self.gather(own.cuda() if _on_cuda() else own, [3] * self.world)
        return float(found[0][0]), float(found[0][1]), max(int(numbers[2]) for numbers in found)

    def gather(self, tensor: Tensor, lengths: Sequence[int] | None = None) -> list[Tensor]:
        """The tensor of every rank, in their order; first dimensions may differ, (k, ...).

        All ranks must call it, with the same dtype and further dimensions, and with the ``lengths``
        of all first dimensions where they know them.
        """
        if self.world == 1:
            return [tensor]
        import torch
        import torch.distributed as dist

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


def rank_and_world() -> tuple[int, int]:
    """The rank of this process and how many there are, as ``torchrun`` tells it; else (0, 1)."""
    rank, world = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or world is None or not (rank + world).isdecimal() or int(world) < 2:
        return 0, 1
    return int(rank), int(world)


def join(config: TrainConfig) -> Processes:
    """Meet the other processes of the run, where there are any.

    NCCL where each process has a CUDA device, gloo everywhere else. UsageError where torch has no
    such device as the config names.
    """
    if rank_and_world()[1] == 1:
        return Processes()
    import torch
    import torch.distributed as dist

    device = device_of(config)
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_LONGEST)
    return Processes(dist.get_rank(), dist.get_world_size())


@contextlib.contextmanager
def joined(config: TrainConfig) -> Iterator[Processes]:
    """The same until the end of a block; processes that wait beyond it end with a LostError."""
    processes = join(config)
    try:
        yield processes
    finally:
        if rank_and_world()[1] > 1:
            leave()


def leave() -> None:
    """Part from the other processes, where there are any."""
    import torch.distributed as dist

    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def device_of(config: TrainConfig) -> torch.device:
    """The device that a config names. UsageError where this machine or torch has no such device.

    Under ``torchrun`` a plain "cuda" is the device of the local rank.
    """
    import torch

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


def _on_cuda() -> bool:
    """Whether numbers are exchanged between CUDA devices, else between processors."""
    import torch.distributed as dist

    return bool(dist.get_backend() == "nccl")


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    """Another process that ends meanwhile is one line, not a trace of the transport."""
    try:
        yield
    except RuntimeError:
        raise LostError(
            "another process of this run ended, see its own line; the last checkpoint is whole: "
            "continue with `resume`"
        ) from None
