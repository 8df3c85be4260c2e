"""TRAIN001 to TRAIN009 (but TRAIN006) on hand-made values, and the incident's settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.rules.audit import CLIP, INCIDENT, embedding, judge, score, scores, training


@pytest.mark.parametrize(
    ("id", "key", "incident", "repaired"),
    [("TRAIN001", "lambda_reg", 0.1, 0.01), ("TRAIN003", "init_max_radius", 0.95, 0.85)],
)
def test_the_incidents_settings_warn_and_their_repairs_pass(
    id: str, key: str, incident: float, repaired: float
) -> None:
    result = judge(id, training=training({key: incident}))
    assert result.outcome == "warn"
    assert f"{incident:g}" in result.message
    assert judge(id, training=training({key: repaired})).outcome == "pass"
    missing = judge(id, training=training({key: None}))
    assert (missing.outcome, missing.reason) == (
        "skipped",
        f"{key} is recorded neither in the checkpoint nor beside it",
    )


@pytest.mark.parametrize(
    ("value", "outcome"), [("0.1", "warn"), ("auto", "skipped"), (True, "skipped")]
)
def test_settings_may_be_text_but_must_be_numbers(value: Any, outcome: str) -> None:
    assert judge("TRAIN001", training=training({"lambda_reg": value})).outcome == outcome


WEAK = scores(map=score(0.2, 0.2))
AT_CLIP = embedding(np.r_[np.linspace(0, 0.5, 80), np.full(20, CLIP)])


def test_a_near_clip_matters_only_where_norms_crowd_to_no_avail() -> None:
    assert judge("TRAIN002", scores=WEAK).outcome == "pass"
    result = judge("TRAIN002", embedding=embedding(INCIDENT), scores=WEAK)
    assert result.outcome == "warn"
    assert result.message == (
        "the clip is 1 - 1e-05; 30.0 % of the norms are above 0.9, their 90th percentile is 0.9997"
    )
    assert judge("TRAIN002", embedding=embedding(INCIDENT), scores=None).outcome == "warn"
    strong = judge("TRAIN002", embedding=embedding(INCIDENT))
    assert strong.outcome == "pass"
    assert strong.message.endswith(", where the ranking is strong")
    assert judge("TRAIN002", embedding=AT_CLIP).outcome == "warn"
    far = training({"max_norm": 0.98})
    given = {"embedding": embedding(INCIDENT), "scores": WEAK}
    assert judge("TRAIN002", training=far, **given).outcome == "pass"


@pytest.mark.parametrize("run", [None, training({"max_norm": None})])
def test_the_clip_is_taken_from_the_geometry_where_no_setting_names_it(run: Any) -> None:
    given = {"embedding": embedding(INCIDENT), "scores": WEAK, "training": run}
    assert judge("TRAIN002", **given).outcome == "warn"


@pytest.mark.parametrize(
    ("patience", "stopped", "outcome"),
    [
        (0, True, "fail"),
        (0, False, "pass"),
        (0, None, "skipped"),
        (25, True, "pass"),
        (25, None, "pass"),
        (None, True, "skipped"),
    ],
)
def test_patience_zero_means_never(
    patience: int | None, stopped: bool | None, outcome: str
) -> None:
    run = training({"early_stopping": patience}, stopped_early=stopped, epoch=37)
    result = judge("TRAIN004", training=run)
    assert result.outcome == outcome
    if outcome == "fail":
        assert result.message == (
            "the run stopped early at epoch 37 with a patience of 0, which means never"
        )


def test_the_incidents_table_was_sized_by_its_pairs() -> None:
    run = training(rows=92_290, table_size_from_pairs=92_290, n_nodes=111_103)
    result = judge("TRAIN005", training=run)
    assert result.outcome == "fail"
    assert result.message == (
        "the table's 92,290 rows are max(idx in pairs) + 1; the mapping has 111,103 nodes, "
        "18,813 more"
    )
    assert result.judged
    assert (result.count, result.total) == (18_813, 111_103)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "pass"),
        ({"rows": 200, "table_size_from_pairs": 180}, "pass"),
        ({"rows": 190, "table_size_from_pairs": 180}, "pass"),  # EMB001's, not this rule's
        ({"table_size_from_pairs": None}, "skipped"),
        ({"n_nodes": None}, "skipped"),
    ],
)
def test_other_sizes(changes: dict[str, Any], outcome: str) -> None:
    assert judge("TRAIN005", training=training(**changes)).outcome == outcome


@pytest.mark.parametrize(
    ("nodes", "dim", "outcome"),
    [(82_115, 10, "pass"), (82_115, 4, "info"), (7_112, 50, "pass"), (7_112, 100, "info")],
)
def test_nodes_for_each_dimension(nodes: int, dim: int, outcome: str) -> None:
    assert judge("TRAIN007", training=training(n_nodes=nodes, dim=dim)).outcome == outcome


def test_a_best_checkpoint_by_loss_alone() -> None:
    losses = tuple({"epoch": float(k), "loss": 1.0 / (k + 1)} for k in range(9))
    run = training({"best_by": "loss"}, history=losses)
    result = judge("TRAIN008", training=run)
    assert result.outcome == "info"
    assert result.message == ("the best checkpoint was chosen by loss; no ranking metric recorded")
    assert judge("TRAIN008", training=training({"best_by": "loss"})).outcome == "pass"
    for metric in ("mean_rank", "hits@10", "val_map"):
        beside = tuple({**entry, metric: 0.5} for entry in losses)
        run = training({"best_by": "loss"}, history=beside)
        assert judge("TRAIN008", training=run).outcome == "pass"
    assert judge("TRAIN008", training=training({"best_by": None})).outcome == "skipped"


def curve(*losses: float, **more: float) -> Any:
    return training(
        history=tuple({"epoch": k + 1.0, "loss": v, **more} for k, v in enumerate(losses))
    )


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (curve(*[2.0] * 10), "the loss stands still: 2 at most, 2 at the end"),
        (curve(4, 3, 2, 1, 1, 1, 1, 1, 1.1, 1.2), "the loss rises: 1 at its least, 1.2 at the end"),
        (curve(4, 3, 2, 1, float("nan"), 1), "1 step gave NaN or infinity"),
        (curve(4, 3, 2, 1, 1, nan_steps=2.0), "10 steps gave NaN or infinity"),
        # 2 % inside the clip's radius of 12.21 is 11.96, a norm of .9999872
        (
            curve(4, 3, 2, 1, 1, norm_p90=0.99999),
            "a tenth of the norms reached the clip at epoch 1",
        ),
    ],
)
def test_signs_of_trouble(run: Any, words: str) -> None:
    result = judge("TRAIN009", training=run)
    assert result.outcome == "warn"
    assert result.message == words


def test_a_burn_in_with_another_loss_is_no_rise() -> None:
    assert (
        judge("TRAIN009", training=curve(1.8, 1.75, 2.4, 1.0, 0.5, 0.3, 0.2, 0.2)).outcome == "pass"
    )


def test_a_rise_is_judged_within_the_last_stage_of_a_run() -> None:
    def staged(*losses: float) -> Any:
        refined = (4, 3, 2, 1, 1, *losses)
        history = (
            {"epoch": k + 1.0, "loss": v, "refining": float(k >= 5)} for k, v in enumerate(refined)
        )
        return judge("TRAIN009", training=training(history=tuple(history)))

    assert staged(3.0, 2.8, 2.5, 2.5, 2.5).outcome == "pass", "another temperature, another loss"
    assert "the loss rises: 2.7 at its least" in staged(3.0, 2.8, 2.5, 2.7, 2.9, 3.0).message


def test_the_incidents_90th_percentile_had_not_reached_its_clip() -> None:
    # a radius of 8.8 of 12.2: what crowds there is EMB004's
    assert judge("TRAIN009", training=curve(4, 3, 2, 1, 1, norm_p90=0.9997)).outcome == "pass"


@pytest.mark.filterwarnings("error")
def test_a_norm_below_0_that_a_damaged_record_states_reached_nothing() -> None:
    assert judge("TRAIN009", training=curve(4, 3, 2, 1, 1, norm_p90=-2.0)).outcome == "pass"


def test_norms_that_are_no_numbers_reached_nothing() -> None:
    result = judge("TRAIN009", training=curve(4, 3, 2, 1, 1, norm_p90=float("nan")))
    assert result.outcome == "pass"
    assert result.observed["records with norms at the clip"] == 0
    beyond = judge("TRAIN009", training=curve(4, 3, 2, 1, 1, norm_p90=1.5))
    assert beyond.observed["records with norms at the clip"] == 5


def test_two_records_are_no_curve() -> None:
    assert judge("TRAIN009", training=curve(2.0, 2.0)).outcome == "skipped"
    assert judge("TRAIN009", training=training(history=())).outcome == "skipped"
