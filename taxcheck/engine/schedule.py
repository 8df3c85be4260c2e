"""What changes over a run by plan: the learning rate, the weight of the regulariser, its end."""

from __future__ import annotations

from taxcheck.engine.config import TrainConfig


def learning_rate(config: TrainConfig, epoch: int, seconds: float = 0.0) -> float:
    """The rate in an epoch, counted from 0, after so many seconds of training.

    ``lr * burn_in_factor`` for the epochs of burn-in. Then ``lr``, or where it is linear, ``lr``
    falling to 0 over the epochs that are left, or over max_seconds if those are spent earlier.
    """
    if epoch < config.burn_in:
        return config.lr * config.burn_in_factor
    if config.lr_schedule == "constant":
        return config.lr
    left = 1 - (epoch - config.burn_in) / max(config.epochs - config.burn_in, 1)
    if config.max_seconds:
        left = min(left, 1 - seconds / config.max_seconds)
    return config.lr * max(left, 0.0)


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
