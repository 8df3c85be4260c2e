"""The training loop: all that happens to a table, in the order in which it happens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from signal import Signals
from typing import NoReturn

import numpy as np

from taxcheck.engine.backend import chunk_pairs, make_stepper
from taxcheck.engine.checkpoint import Checkpoints
from taxcheck.engine.config import Phase, TrainConfig, out_of_patience, out_of_time, phase
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.initial import initial_table
from taxcheck.engine.pace import Pace
from taxcheck.engine.processes import Processes, join
from taxcheck.engine.progress import Evaluator, MetricsLog, Progress, Record, RunState, Trained
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.sampling import (
    Chunk,
    Negatives,
    Sampler,
    StageDraws,
    negatives_of,
    refined,
    stage_draws,
)
from taxcheck.engine.settings import check
from taxcheck.engine.stepper import Floats, Stepper
from taxcheck.engine.stops import DivergedError, StoppedError, interruptions
from taxcheck.model.errors import UsageError

MakeStepper = Callable[[TrainingData, TrainConfig, Floats], Stepper]


def train(
    data: TrainingData,
    config: TrainConfig,
    run: RunFolder | None = None,
    *,
    observe: Callable[[Progress], None] | None = None,
    resume: bool = False,
    inputs: Mapping[str, str] | None = None,
    planned: Callable[[Sequence[StageDraws]], None] | None = None,
    make: MakeStepper = make_stepper,
) -> Trained:
    """Train a table on ``data``; into the folder ``run``, or in memory alone.

    ``observe`` is called after every step and every epoch, ``planned`` once, before the first, with
    the shares of pairs that each stage draws. With ``resume`` a run that its folder
    holds goes on where its newest checkpoint stands, to the same numbers on one worker. ``inputs``
    are fingerprints by name, such as that of the mapping, which must then be the same again.
    Under ``torchrun`` all processes call it, with the same data; only the first needs a folder.

    UsageError where settings disagree, or a run is in the way or cannot be continued so;
    DivergedError at the first
    NaN; StoppedError after SIGINT or SIGTERM, with a checkpoint of that very step; OutputError
    where a file cannot be written. The newest whole checkpoint stays in all of these.
    """
    tell, pace = observe or (lambda _: None), Pace()
    sampler, negatives, lengths = _planned(data, check(config), planned)
    nearest, evaluator, processes = (
        refined(negatives, config),
        Evaluator(data, config),
        join(config),
    )
    stepper = make(data, config, initial_table(data, config, np.random.default_rng(config.seed)))
    at = RunState(chunk_pairs(config))
    kept = Checkpoints(run, data, config, inputs or {}) if run else None
    if kept:
        at = kept.begin(stepper, at, resume=resume)
    state, at = processes.share((stepper.state(), at))
    if not processes.writes:
        stepper.restore(state)
    pace.before = at.seconds
    log = MetricsLog(run.metrics, at.history) if run else None
    loop = _Loop(config, sampler, lengths, stepper, at, pace, run, kept, log)
    loop.rehearse(evaluator, processes)

    with interruptions() as asked:
        while not loop.done:
            for chunk in loop.chunks():
                began, now = time.perf_counter(), phase(config, at.epoch, at.seconds)
                result = stepper.step(chunk, now, nearest if now.refining else negatives)
                if not (result.finite and math.isfinite(result.loss)):
                    loop.diverge(chunk, result.pairs, now)
                told = pace.stepped(took := time.perf_counter() - began, result.pairs)
                spent, pace.promised, signal = processes.agree(pace.spent, pace.ahead, asked.number)
                at.step(result, took, spent)
                tell(loop.progress(now, foretold=told))
                if signal:
                    loop.stop(signal)
                if loop.late:
                    break

            tell(loop.close_epoch(evaluator, processes))
            spent, pace.promised, signal = processes.agree(pace.spent, pace.ahead, asked.number)
            if "map" in at.history[-1]:  # else a step follows, and an evaluation
                at.seconds = spent
            if signal and not loop.done:
                loop.stop(signal)

    if kept:
        kept.finish(stepper, at)
    return Trained(
        table=stepper.table,
        updates=stepper.updates,
        epoch=at.epoch,
        seconds=at.seconds,
        stopped_early=at.stopped_early,
        best_map=at.best_map,
        best_epoch=at.best_epoch,
        history=tuple(at.history),
    )


def _planned(
    data: TrainingData,
    config: TrainConfig,
    tell: Callable[[Sequence[StageDraws]], None] | None,
) -> tuple[Sampler, Negatives, list[int]]:
    """What every epoch draws, and how many pairs; one that would be empty is refused at once."""
    try:
        sampler = Sampler(data, config)
        lengths = [sampler.pairs(epoch) for epoch in range(config.epochs)]
        negatives = negatives_of(data, config)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if tell:
        tell(stage_draws(sampler, config.epochs))
    return sampler, negatives, lengths


@dataclass(frozen=True, slots=True)
class _Loop:
    """What the loop asks of itself, and its two ways to break off."""

    config: TrainConfig
    sampler: Sampler
    lengths: list[int]  # pairs of every epoch
    stepper: Stepper
    at: RunState
    pace: Pace
    run: RunFolder | None
    kept: Checkpoints | None
    log: MetricsLog | None

    @property
    def done(self) -> bool:
        """Whether no further epoch is to begin."""
        return (
            self.at.epoch >= self.config.epochs
            or self.late
            or out_of_patience(self.config, self.at.waited)
        )

    @property
    def late(self) -> bool:
        """Whether another step and the end would take longer than there is."""
        return out_of_time(self.config, self.at.seconds, self.pace.promised)

    def chunks(self) -> Iterator[Chunk]:
        """Those of this epoch that were not trained on before the run was stopped."""
        trained = self.at.works
        for number, chunk in enumerate(self.sampler.epoch(self.at.epoch, self.at.chunk_pairs)):
            if number >= trained:
                yield chunk

    def rehearse(self, evaluator: Evaluator, processes: Processes) -> None:
        """Where time is limited, see before the first step what the end will take."""
        if self.config.max_seconds and processes.writes:
            with self.pace.ending():
                evaluator.measure(self.stepper.table)
                if self.kept:
                    self.kept.prepare()

    def close_epoch(self, evaluator: Evaluator, processes: Processes) -> Progress:
        """Evaluate the table where it is due; log the epoch, and keep what is worth it."""
        at, config, kept = self.at, self.config, self.kept
        now, best = phase(config, at.epoch, at.seconds), False
        record = at.close_epoch(now)
        evaluated = at.epoch % config.evaluate_every == 0 or self.done
        with self.pace.ending() if evaluated else nullcontext():
            if evaluated:
                table = self.stepper.table if processes.writes else None
                record |= processes.share({} if table is None else evaluator.measure(table))
                waits = at.epoch < config.best_from and not self.done
                best = not waits and at.judge(record["map"], config.min_delta)
                at.stopped_early = out_of_patience(config, at.waited) and at.epoch < config.epochs
            if self.log:
                self.log.append(record)
            if kept and best:
                kept.save_best(self.stepper, at)
            if kept and (evaluated or kept.overdue):
                kept.save(self.stepper, at)
        return self.progress(now, record, improved=best)

    def progress(
        self,
        now: Phase,
        record: Record | None = None,
        *,
        improved: bool = False,
        foretold: bool = False,
    ) -> Progress:
        """What is shown after a step, or with its record after an epoch."""
        at = self.at
        return Progress(
            epoch=at.epoch if record else at.epoch + 1,
            epochs=self.config.epochs,
            share=1.0 if record else min(at.pairs / self.lengths[at.epoch], 1.0),
            seconds=at.seconds,
            loss=record["loss"] if record else at.loss / max(at.pairs, 1),
            lr=now.lr,
            record=record,
            improved=improved,
            best_map=at.best_map,
            best_epoch=at.best_epoch,
            foretold=self._foretold() if foretold else None,
            limit=self.config.max_seconds or math.inf,
        )

    def _foretold(self) -> float:
        """Seconds of the whole run, evaluations and refinement aside, by the pace of one step."""
        left = sum(self.lengths[self.at.epoch :]) - self.at.pairs
        return self.at.seconds + left * (self.pace.rate or 0.0)

    def diverge(self, chunk: Chunk, pairs: int, now: Phase) -> NoReturn:
        """End at a NaN; the nodes of the chunk are kept."""
        epoch, step, kept = self.at.epoch + 1, self.at.works + 1, ""
        if self.run and self.log:
            self.log.append({"epoch": epoch, "loss": math.nan, "lr": now.lr, "nan_steps": 1})
            self.run.write_nan_batch(chunk, epoch, step, pairs)
            kept = f"; its nodes are in {self.run.nan_batch}, the last checkpoint stays as it was"
        raise DivergedError(
            f"the loss is no number in epoch {epoch}, batch {step}{kept}; start a new run with "
            f"half of lr = {now.lr:g}, with dtype = float64, or with more burn_in"
        )

    def stop(self, signal: int) -> NoReturn:
        """End at a signal, with a checkpoint."""
        when = f"{Signals(signal).name} in epoch {self.at.epoch + 1}"
        if not self.kept or not self.run:
            raise StoppedError(f"stopped by {when}; nothing was written", signal)
        self.kept.save(self.stepper, self.at)
        raise StoppedError(
            f"stopped by {when}; {self.run.checkpoint} holds all of it: continue with `resume`",
            signal,
        )
