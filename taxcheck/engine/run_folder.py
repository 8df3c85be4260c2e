"""The folder of one run: what is in it, and under which names."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from taxcheck.engine.values import Floats, Work
from taxcheck.errors import OutputError, UsageError

_NUMBERED = re.compile(r"checkpoint-(\d+)\.safetensors")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names and paths; nothing is made or read before ``begin``."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        """The newest checkpoint, from which the run continues; a copy of its words is beside it."""
        return self.path / "checkpoint.safetensors"

    @property
    def best(self) -> Path:
        """The table with the largest sampled MAP."""
        return self.path / "best.safetensors"

    @property
    def best_torch(self) -> Path:
        """The same for ``torch.load``."""
        return self.path / "best.pt"

    @property
    def metrics(self) -> Path:
        """One line of JSON for each epoch."""
        return self.path / "metrics.jsonl"

    @property
    def record(self) -> Path:
        """What the run was asked and what came of it."""
        return self.path / "run.json"

    @property
    def initial(self) -> Path:
        """The table before training."""
        return self.path / "initial.npy"

    @property
    def nan_batch(self) -> Path:
        """The nodes of the batch that met a NaN."""
        return self.path / "nan-batch.npz"

    def begin(self, *, resume: bool) -> bool:
        """Make the folder; whether there is a checkpoint to continue from.

        UsageError where a run is there that would be overwritten.
        """
        there = self.checkpoint.is_file()
        if there and not resume:
            raise UsageError(
                f"{self.path}: holds a run already; continue it with --resume, or give another "
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

    def write_nan_batch(self, work: Work, epoch: int, step: int, pairs: int) -> None:
        """Keep the nodes of a step, its number in the epoch, and after how many pairs it ended."""
        with whole(self.nan_batch) as file:
            np.savez(
                file,
                sources=work.sources,
                starts=work.starts,
                positives=work.positives,
                weights=work.weights,
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
    partial: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(".partial", f".{path.name}.", path.parent)
        partial = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        partial.replace(path)
        partial = None
        _settle(path.parent)
    except OSError as error:
        raise unwritten(path, error) from None
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Have the new name on the disk too, where folders can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unwritten(path: Path, error: OSError) -> OutputError:
    """The one line for a file that cannot be written."""
    return OutputError(f"{path}: cannot be written: {error.strerror or error}")
