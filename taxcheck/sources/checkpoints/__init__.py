"""Embedding tables of every engine, read without running anything in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxcheck.sources.checkpoints.value import Checkpoint, Facts, Geometry, Reading, TensorInfo

if TYPE_CHECKING:
    from taxcheck.sources.checkpoints.opening import open_checkpoint

__all__ = ["Checkpoint", "Facts", "Geometry", "Reading", "TensorInfo", "open_checkpoint"]


def __getattr__(name: str) -> object:
    # Whoever only needs the values, as rules and metrics do, does not load a dozen readers.
    if name == "open_checkpoint":
        from taxcheck.sources.checkpoints.opening import open_checkpoint

        return open_checkpoint
    raise AttributeError(name)
