"""Embedding tables of every engine, read without running anything in the file."""

from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.checkpoints.value import Checkpoint, Facts, Geometry, Reading, TensorInfo

__all__ = ["Checkpoint", "Facts", "Geometry", "Reading", "TensorInfo", "open_checkpoint"]
