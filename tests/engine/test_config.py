"""What changes over a run by plan."""

from __future__ import annotations

from dataclasses import replace

from taxcheck.engine.config import TrainConfig, phase
from tests.engine.tiny import CONFIG


def test_learning_rates() -> None:
    def learning_rate(config: TrainConfig, *at: float) -> float:
        return phase(config, *at).lr

    linear = replace(CONFIG, lr=1.0, epochs=10, burn_in=2, burn_in_factor=0.01)
    assert [learning_rate(linear, k) for k in (0, 1)] == [0.01, 0.01]
    assert [learning_rate(linear, k) for k in (2, 6, 9)] == [1.0, 0.5, 0.125]
    timed = replace(linear, max_seconds=100.0)
    assert learning_rate(timed, 2, 75.0) == 0.25
    assert learning_rate(timed, 9, 1.0) == 0.125
    assert learning_rate(timed, 9, 101.0) == 0.0
    ends = replace(linear, refine=0.5, refine_lr=0.1)
    assert [learning_rate(ends, k) for k in (0, 2, 4)] == [0.01, 1.0, 0.5]
    assert [learning_rate(ends, k) for k in (6, 8)] == [0.1, 0.05]
    assert [phase(ends, k).refining for k in (0, 5, 6, 9)] == [False, False, True, True]
    constant = replace(linear, lr_schedule="constant")
    assert [learning_rate(constant, k) for k in (0, 2, 9)] == [0.01, 1.0, 1.0]


def test_regularizer_weights() -> None:
    stepped = replace(CONFIG, lambda_reg=0.5, lambda_schedule=((2, 0.0), (4, 0.01)))
    assert [phase(stepped, k).lambda_reg for k in range(6)] == [0.5, 0.5, 0, 0, 0.01, 0.01]
    assert phase(CONFIG, 7).lambda_reg == CONFIG.lambda_reg
