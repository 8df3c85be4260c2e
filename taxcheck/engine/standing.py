"""Where a run stands between two steps: what its next step and its next line depend on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from taxcheck.engine.values import StepResult

Record = dict[str, float]
Columns = Mapping[str, npt.NDArray[np.float64]]
_WHOLE = {"epoch", "pairs", "nan_steps", "refining"}


@dataclass(slots=True)
class Standing:
    """Counters of one run; all but the history are words of its checkpoints."""

    chunk_pairs: int  # pairs of one step
    epoch: int = 0  # epochs that are done
    works: int = 0  # steps that are done of the next one, and what they summed up to
    pairs: int = 0
    loss: float = 0.0
    regularizer: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0  # of training; evaluation and writing are not counted
    best_map: float | None = None
    best_epoch: int | None = None
    to_beat: float | None = None  # the MAP that patience waits to see beaten by min_delta
    waited: int = 0  # evaluations since it was
    stopped_early: bool = False
    history: list[Record] = field(default_factory=list)  # one record for each epoch

    def step(self, result: StepResult, seconds: float) -> None:
        """Count one step."""
        self.works += 1
        self.pairs += result.pairs
        self.loss += result.loss
        self.regularizer += result.regularizer
        self.epoch_seconds += seconds
        self.seconds += seconds

    def close_epoch(self, lr: float, lambda_reg: float, *, refining: bool = False) -> Record:
        """End an epoch; its record, which is the last of the history."""
        record = {
            "epoch": self.epoch + 1,
            "seconds": self.seconds,
            "loss": self.loss / max(self.pairs, 1),
            "reg_loss": self.regularizer / max(self.pairs, 1),
            "lr": lr,
            "lambda_reg": lambda_reg,
            "refining": int(refining),
            "pairs": self.pairs,
            "pairs_per_second": self.pairs / max(self.epoch_seconds, 1e-9),
            "nan_steps": 0,
        }
        self.history.append(record)
        self.epoch += 1
        self.works = self.pairs = 0
        self.loss = self.regularizer = self.epoch_seconds = 0.0
        return record

    def judge(self, score: float, min_delta: float) -> bool:
        """Note a sampled MAP; whether it is the best so far.

        Patience looks at what there was before this evaluation, and only then it is updated.
        """
        if self.to_beat is None or score > self.to_beat + min_delta:
            self.to_beat, self.waited = _number(score), 0
        else:
            self.waited += 1
        better = self.best_map is None or score > self.best_map
        if better and not math.isnan(score):
            self.best_map, self.best_epoch = score, self.epoch
            return True
        return False

    def words(self) -> dict[str, Any]:
        """All counters as plain values; ``of`` gives them back."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "history"}

    @classmethod
    def of(cls, words: Mapping[str, Any], columns: Columns) -> Standing:
        """The standing that a checkpoint holds; ValueError where it is none."""
        at = msgspec.convert(words, cls)
        at.history = records(columns)
        return at


def columns(history: list[Record]) -> dict[str, npt.NDArray[np.float64]]:
    """A history as columns (records,), NaN where an epoch has no such value."""
    names = dict.fromkeys(name for record in history for name in record)
    return {
        name: np.array([record.get(name, np.nan) for record in history], dtype=np.float64)
        for name in names
    }


def records(columns: Columns) -> list[Record]:
    """The history that such columns were made from."""
    rows = max(map(len, columns.values()), default=0)
    return [
        {
            name: int(column[row]) if name in _WHOLE else float(column[row])
            for name, column in columns.items()
            if not np.isnan(column[row])
        }
        for row in range(rows)
    ]


def _number(score: float) -> float | None:
    return None if math.isnan(score) else score
