"""How far a run is and how good its table: counters, lines of metrics.jsonl, the evaluation."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from taxcheck.audit.metrics.bootstrap import mean_interval
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import rank
from taxcheck.audit.metrics.strata import draw
from taxcheck.engine.config import Phase, TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.run_folder import whole
from taxcheck.engine.stepper import Floats, StepResult
from taxcheck.files import unwritten
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import IntArray

Record = dict[str, float]
Columns = Mapping[str, npt.NDArray[np.float64]]
PERCENTILES = {"norm_p10": 10, "norm_p50": 50, "norm_p90": 90, "norm_p99": 99}
_WHOLE = {"epoch", "pairs", "nan_steps", "refining", "stage"}
CLOCK = {"seconds", "epoch_seconds", "pairs_per_second"}  # what no two runs share
_SAMPLE = 0x5A3E  # keeps the sample's generator apart from others of the same seed


@dataclass(slots=True)
class RunState:
    """Where a run is between two steps; all but the history are words of its checkpoints."""

    chunk_pairs: int  # pairs of one step
    epoch: int = 0  # epochs that are done
    works: int = 0  # chunks of the next one that are done, and what they summed up to
    pairs: int = 0
    loss: float = 0.0
    regularizer: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0  # of training, with its evaluations and files
    best_map: float | None = None
    best_epoch: int | None = None
    to_beat: float | None = None  # the MAP that patience waits to see beaten by min_delta
    waited: int = 0  # evaluations since it was
    stopped_early: bool = False
    history: list[Record] = field(default_factory=list)  # one record for each epoch

    def step(self, result: StepResult, seconds: float, spent: float) -> None:
        """Count one step of so many seconds, after which so many are spent in all."""
        self.works += 1
        self.pairs += result.pairs
        self.loss += result.loss
        self.regularizer += result.regularizer
        self.epoch_seconds += seconds
        self.seconds = spent

    def close_epoch(self, phase: Phase) -> Record:
        """End an epoch; its record, which is the last of the history."""
        record = {
            "epoch": self.epoch + 1,
            "seconds": self.seconds,
            "loss": self.loss / max(self.pairs, 1),
            "reg_loss": self.regularizer / max(self.pairs, 1),
            "lr": phase.lr,
            "lambda_reg": phase.lambda_reg,
            "refining": int(phase.refining),
            "stage": phase.stage,
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
            self.to_beat, self.waited = None if math.isnan(score) else score, 0
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
    def of(cls, words: Mapping[str, Any], columns: Columns) -> RunState:
        """The state that a checkpoint holds; ValueError where it is none."""
        at = msgspec.convert(words, cls)
        at.history = records(columns)
        return at


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after a step, or with a ``record`` after an epoch."""

    epoch: int  # from 1
    epochs: int
    share: float  # of the pairs of this epoch, about
    seconds: float  # of training, in all, with its evaluations and files
    loss: float  # mean over the pairs of this epoch so far
    lr: float
    record: Mapping[str, float] | None = None  # the line of metrics.jsonl
    improved: bool = False  # the sampled MAP is the best so far
    best_map: float | None = None
    best_epoch: int | None = None
    foretold: float | None = None  # seconds of the whole run, told once, by the pace of one step
    limit: float = math.inf  # max_seconds


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


class Evaluator:
    """Measures a table; the sources are drawn once, so that two evaluations can be compared."""

    def __init__(self, data: TrainingData, config: TrainConfig) -> None:
        counts = np.diff(data.starts)
        filled = np.flatnonzero(counts)
        self._seed = [config.seed, _SAMPLE]
        rng = np.random.default_rng(self._seed)
        drawn = draw(filled, counts[filled], config.evaluate_sources, rng, data.depth[filled])
        self._positives = Lists.from_csr(data.starts, data.ancestors, drawn.sources)
        self._drawn = drawn.counted(counts[drawn.sources], self._positives.lengths)
        self._geometry, self._workers = config.geometry, config.workers or None

    def measure(self, table: Floats) -> dict[str, float]:
        """MAP and mean rank, estimated from the sample, and percentiles of all norms.

        The protocol of Nickel & Kiela 2017 (``metrics.ranking.Protocol.NICKEL``), candidates are
        all rows. Beside the mean rank are its 95 % interval, and the median and 99th percentile of
        the ranks of single pairs: few pairs may carry most of a mean. Norms of every hyperbolic
        model are those of the ball, tanh(radius / 2).
        """
        space, drawn = Space.of(table, self._geometry), self._drawn
        found = rank(space, self._positives, workers=self._workers)
        edges = found.edges.astype(np.float64)
        mean = mean_interval(
            found.rank_sum, np.random.default_rng(self._seed), edges=edges, drawn=drawn
        )
        middle, tail = drawn.quantiles(found.ranks, found.owner, (0.5, 0.99))
        return {
            "map": drawn.mean(found.average_precision),
            "mean_rank": mean.value,
            "mean_rank_low": mean.low,
            "mean_rank_high": mean.high,
            "rank_p50": middle,
            "rank_p99": tail,
        } | norms(space)


def norms(space: Space) -> dict[str, float]:
    """Percentiles of the norms, as points of the unit ball or of flat space; NaN without points."""
    lengths = np.tanh(space.radii / 2) if space.hyperbolic else space.radii
    lengths = lengths[np.isfinite(lengths)]
    if not len(lengths):
        return dict.fromkeys([*PERCENTILES, "norm_max"], float("nan"))
    found = np.percentile(lengths, list(PERCENTILES.values()))
    named = zip(PERCENTILES, found.tolist(), strict=True)
    return {**dict(named), "norm_max": float(lengths.max())}


class MetricsLog:
    """The records of epochs, as lines of JSON; a line is written at once, so it is seen whole.

    Lines are not forced onto the disk: checkpoints hold the same records, and rewrite the file.
    """

    def __init__(self, path: Path, history: list[Record]) -> None:
        """Begin with the records of a checkpoint: what a lost run wrote after it is gone."""
        self._path = path
        with whole(path) as file:
            file.write(b"".join(map(_line, history)))

    def append(self, record: Mapping[str, float]) -> None:
        """Add the record of an epoch. OutputError where there is no space."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            with contextlib.closing(os.fdopen(descriptor, "wb", buffering=0)) as file:
                line = _line(record)
                if file.write(line) != len(line):
                    raise OSError("No space left on device")
        except OSError as error:
            raise unwritten(self._path, error) from None


def _line(record: Mapping[str, float]) -> bytes:
    """Strict JSON: what is no finite number is null."""
    plain = {name: value if math.isfinite(value) else None for name, value in record.items()}
    return json.dumps(plain).encode() + b"\n"


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
