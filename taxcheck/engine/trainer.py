"""The training loop: all that happens to a table, in the order in which it happens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from signal import Signals
from typing import NoReturn

import numpy as np

from taxcheck.engine.checkpoint import Checkpoints
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.draws import Draws
from taxcheck.engine.initial import initial_table
from taxcheck.engine.meeting import join
from taxcheck.engine.nearest import refined
from taxcheck.engine.negatives import negatives
from taxcheck.engine.progress import Progress, Trained
from taxcheck.engine.quality import Quality
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.schedule import out_of_patience, out_of_time, phase, regularizer_weight
from taxcheck.engine.standing import Standing
from taxcheck.engine.steppers import chunk_pairs, make_stepper
from taxcheck.engine.stops import DivergedError, StoppedError, interruptions
from taxcheck.engine.tracker import MetricsTracker
from taxcheck.engine.values import Floats, Negatives, Stepper, TrainingData, Work
from taxcheck.errors import UsageError

MakeStepper = Callable[[TrainingData, TrainConfig, Floats], Stepper]


def train(
    data: TrainingData,
    config: TrainConfig,
    run: RunFolder | None = None,
    *,
    observe: Callable[[Progress], None] | None = None,
    resume: bool = False,
    inputs: Mapping[str, str] | None = None,
    make: MakeStepper = make_stepper,
) -> Trained:
    """Train a table on ``data``; into the folder ``run``, or in memory alone.

    ``observe`` is called after every step and every epoch. With ``resume`` a run that its folder
    holds goes on where its newest checkpoint stands, to the same numbers on one worker. ``inputs``
    are fingerprints by name, such as that of the mapping, which must then be the same again.
    Under ``torchrun`` all processes call it, with the same data; only the first needs a folder.

    UsageError where a run is in the way or cannot be continued so; DivergedError at the first
    NaN; StoppedError after SIGINT or SIGTERM, with a checkpoint of that very step; OutputError
    where a file cannot be written. The newest whole checkpoint stays in all of these.
    """
    tell = observe or (lambda _: None)
    draws, others = _planned(data, config)
    nearest = refined(others, config)
    quality = Quality(data, config)
    peers = join(config)
    stepper = make(data, config, initial_table(data, config, np.random.default_rng(config.seed)))
    kept = Checkpoints(run, data, config, inputs or {}) if run else None
    at = Standing(chunk_pairs(config))
    if kept:
        at = kept.begin(stepper, at, resume=resume)
    state, at = peers.share((stepper.state(), at))
    if not peers.writes:
        stepper.restore(state)
    tracker = MetricsTracker(run.metrics, at.history) if run else None

    with interruptions() as asked:
        while not _done(at, config):
            weight = regularizer_weight(config, at.epoch)
            for number, work in enumerate(draws.epoch(at.epoch, at.chunk_pairs)):
                if number < at.works:
                    continue  # trained before the run was stopped
                began, plan = time.perf_counter(), phase(config, at.epoch, at.seconds)
                lr = plan.lr
                if plan.refining:
                    result = stepper.step(work, lr, weight, nearest, config.refine_temperature)
                else:
                    result = stepper.step(work, lr, weight, others)
                if not (result.finite and math.isfinite(result.loss)):
                    _diverged(work, result.pairs, at, lr, run, tracker)
                seconds, signal = peers.agree(time.perf_counter() - began, asked.number)
                at.step(result, seconds)
                tell(_progress(draws, config, at, lr))
                if signal:
                    _stopped(signal, stepper, at, kept, run)
                if out_of_time(config, at.seconds):
                    break

            plan = phase(config, at.epoch, at.seconds)
            lr, best = plan.lr, False
            record = at.close_epoch(lr, weight, refining=plan.refining)
            evaluated = at.epoch % config.evaluate_every == 0 or _done(at, config)
            if evaluated:
                record |= peers.share(quality.measure(stepper.table) if peers.writes else {})
                best = at.judge(record["map"], config.min_delta)
                at.stopped_early = out_of_patience(config, at.waited) and at.epoch < config.epochs
            if tracker:
                tracker.append(record)
            if kept and best:
                kept.save_best(stepper, at)
            if kept and (evaluated or kept.overdue):
                kept.save(stepper, at)
            tell(_progress(draws, config, at, lr, record=record, improved=best))
            _, signal = peers.agree(0.0, asked.number)
            if signal and not _done(at, config):
                _stopped(signal, stepper, at, kept, run)

    if kept:
        kept.finish(stepper, at)
    return Trained(
        stepper.table,
        stepper.updates,
        at.epoch,
        at.seconds,
        at.stopped_early,
        at.best_map,
        at.best_epoch,
        tuple(at.history),
    )


def _planned(data: TrainingData, config: TrainConfig) -> tuple[Draws, Negatives]:
    """What every epoch draws; an epoch that would be empty is refused before the first begins."""
    try:
        draws = Draws(data, config)
        for epoch in range(config.epochs):
            draws.admitted(epoch)
        return draws, negatives(data, config)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _done(at: Standing, config: TrainConfig) -> bool:
    return (
        at.epoch >= config.epochs
        or out_of_time(config, at.seconds)
        or out_of_patience(config, at.waited)
    )


def _progress(
    draws: Draws,
    config: TrainConfig,
    at: Standing,
    lr: float,
    *,
    record: Mapping[str, float] | None = None,
    improved: bool = False,
) -> Progress:
    ended = record is not None
    return Progress(
        epoch=at.epoch if ended else at.epoch + 1,
        epochs=config.epochs,
        share=1.0 if ended else min(at.pairs / draws.admitted(at.epoch), 1.0),
        seconds=at.seconds,
        loss=record["loss"] if record else at.loss / max(at.pairs, 1),
        lr=lr,
        record=record,
        improved=improved,
        best_map=at.best_map,
        best_epoch=at.best_epoch,
    )


def _diverged(
    work: Work,
    pairs: int,
    at: Standing,
    lr: float,
    run: RunFolder | None,
    tracker: MetricsTracker | None,
) -> NoReturn:
    epoch, step, kept = at.epoch + 1, at.works + 1, ""
    if run and tracker:
        tracker.append({"epoch": epoch, "loss": math.nan, "lr": lr, "nan_steps": 1})
        run.write_nan_batch(work, epoch, step, pairs)
        kept = f"; its nodes are in {run.nan_batch}, the last checkpoint stays as it was"
    raise DivergedError(
        f"the loss is no number in epoch {epoch}, batch {step}{kept}; start a new run with half "
        f"of lr = {lr:g}, with dtype = float64, or with more burn_in"
    )


def _stopped(
    signal: int,
    stepper: Stepper,
    at: Standing,
    kept: Checkpoints | None,
    run: RunFolder | None,
) -> NoReturn:
    when = f"{Signals(signal).name} in epoch {at.epoch + 1}"
    if not kept or not run:
        raise StoppedError(f"stopped by {when}; nothing was written", signal)
    kept.save(stepper, at)
    raise StoppedError(
        f"stopped by {when}; {run.checkpoint} holds all of it: continue with the same command and "
        "--resume",
        signal,
    )
