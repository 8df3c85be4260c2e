"""What a run tells while it goes on, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taxcheck.engine.standing import Record
from taxcheck.engine.values import Floats, IntArray


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after a step, or with a ``record`` after an epoch."""

    epoch: int  # from 1
    epochs: int
    share: float  # of the pairs of this epoch, about
    seconds: float  # of training, in all
    loss: float  # mean over the pairs of this epoch so far
    lr: float
    record: Mapping[str, float] | None = None  # the line of metrics.jsonl
    improved: bool = False  # the sampled MAP is the best so far
    best_map: float | None = None
    best_epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """The end of a run. The best table is in the run's folder."""

    table: Floats  # (n, width), of the last epoch
    updates: IntArray  # (n,)
    epoch: int  # epochs that are done
    seconds: float  # of training
    stopped_early: bool
    best_map: float | None
    best_epoch: int | None
    history: tuple[Record, ...]
