"""The folder of one run: what is in it, and under which names."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from taxcheck.files import unwritten, whole_file
from taxcheck.model.errors import UsageError

if TYPE_CHECKING:
    from taxcheck.engine.sampling import Chunk
    from taxcheck.engine.stepper import Floats

_NUMBERED = re.compile(r"checkpoint-(\d+)\.safetensors")


class _Named:
    """The path of a file in the folder of a run."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, run: RunFolder, _: type[RunFolder]) -> Path:
        return run.path / self._name


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names and paths; nothing is made or read before ``begin``."""

    path: Path

    # The newest checkpoint, from which the run continues; a copy of its words is beside it.
    checkpoint = _Named("checkpoint.safetensors")
    best = _Named("best.safetensors")  # the table with the largest sampled MAP ...
    best_torch = _Named("best.pt")  # ... and for ``torch.load``
    metrics = _Named("metrics.jsonl")  # one line of JSON for each epoch
    record = _Named("run.json")  # what the run was asked and what came of it
    explorer = _Named("explorer.html")  # all of the best table, to be looked at
    initial = _Named("initial.npy")  # the table before training
    nan_batch = _Named("nan-batch.npz")  # the nodes of the batch that met a NaN

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep other processes out of it until the block ends.

        The lock is on the folder itself (flock); the kernel lets go of it however the process ends.
        Where a file system knows no locks there is none. UsageError where another process holds it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise unwritten(self.path, error) from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            raise UsageError(
                f"{self.path}: another process is training in it; wait until that one has ended, "
                "or give another folder"
            ) from None
        except OSError:
            pass
        try:
            yield
        finally:
            os.close(folder)

    def begin(self, *, resume: bool) -> bool:
        """Make the folder; whether there is a checkpoint to continue from.

        UsageError where a run is there that would be overwritten.
        """
        there = self.checkpoint.is_file()
        if there and not resume:
            raise UsageError(
                f"{self.path}: holds a run already; continue it with `resume`, or give another "
                "folder"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritten(self.path, error) from None
        for left in self.path.glob(".*.partial"):  # of a run that was killed while it wrote
            left.unlink(missing_ok=True)
        return there

    def write_initial(self, table: Floats) -> None:
        """Keep the table that training begins with."""
        with whole(self.initial) as file:
            np.save(file, table, allow_pickle=False)

    def write_nan_batch(self, chunk: Chunk, epoch: int, step: int, pairs: int) -> None:
        """Keep the nodes of a step, its number in the epoch, and after how many pairs it ended."""
        with whole(self.nan_batch) as file:
            np.savez(
                file,
                sources=chunk.sources,
                starts=chunk.starts,
                positives=chunk.positives,
                weights=chunk.weights,
                epoch=epoch,
                step=step,
                pairs=pairs,
            )

    def keep(self, epoch: int, count: int) -> None:
        """Give the newest checkpoint a name of its own; only ``count`` such names are kept."""
        if count > 1:
            numbered = self.path / f"checkpoint-{epoch:06d}.safetensors"
            with contextlib.suppress(OSError):
                numbered.unlink(missing_ok=True)
                try:
                    os.link(self.checkpoint, numbered)
                except OSError:  # a file system without links
                    shutil.copyfile(self.checkpoint, numbered)
        for old in self.kept()[: -count if count > 1 else None]:
            old.unlink(missing_ok=True)

    def kept(self) -> list[Path]:
        """Checkpoints with a number, oldest first; the last of them is the newest again."""
        found = [path for path in self.path.iterdir() if _NUMBERED.fullmatch(path.name)]
        return sorted(found)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name only when all of it is on the disk; else nothing of it is left.

    OutputError where there is no folder, permission or space.
    """
    with whole_file(path) as partial, partial.open("wb") as file:
        yield file
