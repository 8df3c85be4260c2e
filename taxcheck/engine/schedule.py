"""What changes over a run by plan: the learning rate, the weight of the regulariser, its end."""

from __future__ import annotations

from dataclasses import dataclass

from taxcheck.engine.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Phase:
    """How one epoch is trained."""

    lr: float
    refining: bool  # against the nearest candidates, at the temperature of refinement


def phase(config: TrainConfig, epoch: int, seconds: float = 0.0) -> Phase:
    """The plan of an epoch, counted from 0, after so many seconds of training.

    ``lr * burn_in_factor`` for the epochs of burn-in. Then ``lr``, or where it is linear, ``lr``
    falling to 0 over what is left before refinement: of the epochs, or of max_seconds where those
    are spent earlier. Refinement starts again at ``refine_lr``.
    """
    if epoch < config.burn_in:
        return Phase(config.lr * config.burn_in_factor, False)
    done = (epoch - config.burn_in) / max(config.epochs - config.burn_in, 1)
    if config.max_seconds:
        done = max(done, seconds / config.max_seconds)
    before = 1 - config.refine
    refining = config.refine > 0 and done >= before
    lr = config.refine_lr if refining else config.lr
    if config.lr_schedule == "constant":
        return Phase(lr, refining)
    left = (1 - done) / config.refine if refining else 1 - done / before
    return Phase(lr * min(max(left, 0.0), 1.0), refining)


def regularizer_weight(config: TrainConfig, epoch: int) -> float:
    """The weight in an epoch, counted from 0: that of the last step of the schedule up to it."""
    steps = [weight for start, weight in config.lambda_schedule if start <= epoch]
    return steps[-1] if steps else config.lambda_reg


def out_of_time(config: TrainConfig, seconds: float) -> bool:
    """Whether the seconds of training are spent."""
    return 0 < config.max_seconds <= seconds


def out_of_patience(config: TrainConfig, waited: int) -> bool:
    """Whether so many evaluations without improvement end a run; a patience of 0 never does."""
    return 0 < config.early_stopping <= waited
