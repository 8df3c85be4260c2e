"""EMB006 and TRAIN001 to TRAIN010: the whole finding, by hand."""

from __future__ import annotations

import pytest

from taxcheck.audit.alignment_scores import Scored
from taxcheck.audit.candidates import Way
from tests.rules.audit import (
    CLIP,
    alignment,
    coverage,
    embedding,
    judge,
    radii_of,
    reading,
    score,
    scores,
    training,
)
from tests.rules.builders import counted, sampled, some


def test_rows_under_another_order_are_told_with_both_scores() -> None:
    sound = judge("TRAIN010")
    assert sound.outcome == "pass"
    assert sound.message == "MAP 0.800 over 96 nodes as it was joined, 0.100 under a shift by one"
    other = Scored("its labels as idx", Way.IDX, 0.64, 0.5, "labels:idx")
    used = Scored("Rows were joined by labels.", None, 0.005)
    found = judge("TRAIN010", alignment=alignment(other, used=used, defect=some(3, 4, {"idx": 2})))
    assert counted(found) == (3, 4)
    assert found.message.startswith(
        "under its labels as idx MAP is 0.640, as it was joined 0.005, of rows dealt at random "
        "0.020"
    )
    assert found.fix.startswith("``taxcheck run --labels labels:idx ...`` joins the rows so; or")
    assert found.observed["MAP under other ways"] == {"its labels as idx": 0.64}
    # better by less than three standard errors and 0.05, or no better than chance
    unsure = alignment(Scored("a shift by one", Way.SHIFT, 0.9, 0.04))
    assert judge("TRAIN010", alignment=unsure).outcome == "pass"
    chance = alignment(Scored("a shift by one", Way.SHIFT, 0.06, 0.055), used=used)
    assert judge("TRAIN010", alignment=chance).outcome == "pass"


def nodes_of(result):
    return [sample.node for sample in result.samples]


def test_untrained_rows_are_observed_by_evidence_and_clade() -> None:
    clades = tuple((f"class {k}", k, 10) for k in range(12))
    gap = coverage(
        defect=some(3, 10, {"idx": 2}),
        by_evidence={"in no pair": 2, "inside the init box": 1},
        by_explanation={"in no pair": 3},
        by_both={("in no pair", "no update"): 3},
        by_clade=clades,
    )
    result = judge("EMB006", coverage=gap)
    assert counted(result) == (3, 10)
    observed = result.observed
    assert observed["never trained"] == 3
    assert observed["evidence"] == {"in no pair": 2, "inside the init box": 1}
    assert observed["explanation"] == {"in no pair": 3}
    assert observed["explanation, by evidence"] == {"in no pair, by 'no update'": 3}
    assert len(observed["most affected clades"]) == 10
    assert observed["most affected clades"]["class 3"] == "3 of 10 nodes (30.0 %)"
    assert sampled(result) == [{"idx": 2}]
    # 1 of 10 in the box: exactly the share that is still let off
    let_off = judge("EMB006", {"box_share": 0.1}, coverage=gap)
    assert let_off.count == 2
    one = coverage(defect=some(1, 10, {"idx": 2}), by_evidence={"in no pair": 1})
    assert "1 of 10 rows (10.0 %) was never trained" in judge("EMB006", coverage=one).message
    root = coverage(defect=some(1, 1_000, {"idx": 0}), by_evidence={"inside the init box": 1})
    assert judge("EMB006", coverage=root).samples == ()
    assert (
        judge("EMB006", coverage=coverage(defect=some(0, 0))).reason == "there is no row to judge"
    )


def test_few_updates_are_observed_by_depth() -> None:
    depths = ((0, 1, 0, 90.0), (1, 2, 1, 2.5), (2, 1, 0, 5.0))
    few = coverage(updates=(0, 5, 100, 100), updates_by_depth=depths)
    result = judge("TRAIN006", coverage=few)
    assert counted(result) == (2, 4)
    assert result.observed == {
        "rows with too few": 2,
        "rows with none": 1,
        "median": 52.5,
        "mean by depth": {"0": 90.0, "1": 2.5, "2": 5.0},
        "rows with none by depth": {"0": 0, "1": 1, "2": 0},
    }
    assert sampled(result) == [{"idx": 0, "updates": 0}, {"idx": 1, "updates": 5}]
    assert nodes_of(result) == [0, 1]
    assert "least at depth 1: 2.5 a node" in result.message
    assert "50.0 %" in result.impact
    allowed = judge("TRAIN006", {"share": 0.5}, coverage=few)
    assert (allowed.outcome, counted(allowed), allowed.samples) == ("pass", (0, 4), ())
    many = coverage(updates=(1,) * 25)
    assert len(judge("TRAIN006", coverage=many).samples) == 20
    assert judge("TRAIN006", coverage=coverage(updates=())).reason == "there is no row to judge"


@pytest.mark.parametrize(
    ("id", "key", "value", "limit"),
    [("TRAIN001", "lambda_reg", 0.2, 0.2), ("TRAIN003", "init_max_radius", 0.9, 0.8)],
)
def test_a_setting_is_observed_and_sampled(id: str, key: str, value: float, limit: float) -> None:
    result = judge(id, {key: limit}, training=training({key: value}))
    assert result.outcome == "warn"
    assert result.observed == {key: value}
    assert sampled(result) == [{key: value}]
    passed = judge(id)
    assert passed.samples == ()
    assert "or more" not in passed.message


def test_a_clip_is_observed_beside_the_norms() -> None:
    limits = {"max_norm": 0.5, "norm_share": 0.2, "norm_percentile": 0.999}
    table = embedding([0.5] * 5 + [0.95] * 5)
    weak = scores(map=score(0.2, 0.2))
    given = training({"max_norm": 0.97})
    result = judge("TRAIN002", limits, embedding=table, training=given, scores=weak)
    assert result.outcome == "warn"
    assert result.observed == {
        "max_norm": 0.97,
        "share above 0.9": 0.5,
        "90th percentile": pytest.approx(0.95),
        "share beyond 0.98 of the clip's radius": 0.0,
    }
    assert sampled(result) == [{"max_norm": 0.97, "90th percentile": pytest.approx(0.95)}]
    assert result.message.startswith("the clip is 0.97; 50.0 % of the norms")
    for closed in ({"max_norm": 0.97}, {"norm_share": 0.5}):
        passed = judge(
            "TRAIN002", {**limits, **closed}, embedding=table, training=given, scores=weak
        )
        assert (passed.outcome, passed.samples) == ("pass", ())
    by_percentile = {"max_norm": 0.5, "norm_share": 0.6, "norm_percentile": 0.9}
    assert (
        judge("TRAIN002", by_percentile, embedding=table, training=given, scores=weak).outcome
        == "warn"
    )
    equal = embedding([0.5] * 4)
    exactly = {"max_norm": 0.3, "norm_share": 0.9, "norm_percentile": 0.5}
    assert (
        judge("TRAIN002", exactly, embedding=equal, training=given, scores=weak).outcome == "pass"
    )
    strong = judge("TRAIN002", limits, embedding=table, training=given)
    assert (strong.outcome, strong.message.endswith(", where the ranking is strong")) == (
        "pass",
        True,
    )
    bare = embedding(reading=reading(clip=None))
    assert judge("TRAIN002", embedding=bare, training=training({"max_norm": None})).reason == (
        "no clip is recorded, neither as max_norm nor in the checkpoint's geometry"
    )


@pytest.mark.parametrize(
    ("clip", "told"), [(0.99, "0.99"), (0.9975, "1 - 0.0025"), (1.0, "1"), (1.5, "1.5")]
)
def test_a_clip_is_worded_by_what_it_leaves(clip: float, told: str) -> None:
    result = judge("TRAIN002", training=training({"max_norm": clip}))
    assert result.message.startswith(f"the clip is {told};")


def test_rows_at_the_clip_take_a_strong_rankings_excuse() -> None:
    far = float(radii_of(0.95))
    table = embedding([0.5] * 5 + [0.95] * 5, clip_radius=far)  # half of the rows at the clip
    limits = {"max_norm": 0.5, "norm_share": 0.2}
    assert judge("TRAIN002", {**limits, "clip_share": 0.5}, embedding=table).outcome == "pass"
    assert judge("TRAIN002", {**limits, "clip_share": 0.49}, embedding=table).outcome == "warn"


def test_a_patience_of_none_is_observed_and_sampled() -> None:
    result = judge("TRAIN004", training=training(epoch=1_234, stopped_early=True))
    assert result.observed == {"early_stopping": 0.0, "stopped early": True, "epoch": 1_234}
    assert sampled(result) == [{"early_stopping": 0.0, "epoch": 1_234}]
    assert "at epoch 1,234 with a patience of 0, which means never" in result.message
    assert judge("TRAIN004").samples == ()


def test_a_table_sized_by_its_pairs_is_observed_and_sampled() -> None:
    short = training(rows=150, table_size_from_pairs=150, n_nodes=200)
    result = judge("TRAIN005", training=short)
    assert counted(result) == (50, 200)
    assert result.observed == {"rows": 150, "max idx in pairs + 1": 150, "n_nodes": 200}
    assert sampled(result) == [{"rows": 150, "n_nodes": 200}]
    sound = judge("TRAIN005", training=training(rows=150, n_nodes=200))
    assert (sound.outcome, counted(sound), sound.samples) == ("pass", (0, 200), ())


@pytest.mark.parametrize(
    ("nodes", "dim", "outcome", "end"),
    [
        (200, 2, "pass", "100 for each"),
        (198, 2, "info", "99 for each: many for so few nodes"),
        (20_000, 1, "pass", "20,000 for each"),
        (20_001, 1, "info", "20,001 for each: few dimensions for so many nodes"),
    ],
)
def test_nodes_for_each_dimension(nodes: int, dim: int, outcome: str, end: str) -> None:
    result = judge("TRAIN007", training=training(n_nodes=nodes, dim=dim))
    assert (result.outcome, result.message.endswith(end)) == (outcome, True)
    assert result.observed == {
        "nodes": nodes,
        "dimensions": dim,
        "nodes for each dimension": nodes / dim,
    }
    assert sampled(result) == ([{"nodes": nodes, "dimensions": dim}] if outcome == "info" else [])


@pytest.mark.parametrize("empty", [{"n_nodes": 0}, {"dim": 0}, {"n_nodes": None, "rows": 0}])
def test_an_empty_table_has_no_dimensions_to_judge(empty: dict) -> None:
    assert judge("TRAIN007", training=training(**empty)).reason == "the table is empty"


@pytest.mark.parametrize("metric", ["map", "mean_rank", "hits@10", "MRR", "val-ndcg"])
def test_every_ranking_metric_is_known_by_its_word(metric: str) -> None:
    history = ({"epoch": 1.0, "loss": 2.0, metric: 0.5},)
    by_loss = training({"best_by": "val_loss"}, history=history)
    result = judge("TRAIN008", training=by_loss)
    assert result.outcome == "pass"
    assert result.observed == {"best_by": "val_loss", "ranking metrics": [metric]}
    bare = training({"best_by": "val_loss"}, history=({"epoch": 1.0, "loss": 2.0, "mapper": 1.0},))
    found = judge("TRAIN008", training=bare)
    assert (found.outcome, sampled(found)) == ("info", [{"best_by": "val_loss"}])
    assert judge("TRAIN008").samples == ()


def curve(*losses: float, **columns: float):
    return tuple({"epoch": 10.0 + k, "loss": x, **columns} for k, x in enumerate(losses))


def test_a_curve_is_observed_with_fall_and_rise() -> None:
    # five equal losses: smoothing changes nothing
    flat = judge("TRAIN009", training=training(history=curve(*[4.0] * 5)))
    assert flat.outcome == "warn"
    assert flat.message == "the loss stands still: 4 at most, 4 at the end"
    assert counted(flat) == (1, 5)
    assert flat.observed == {
        "records": 5,
        "clip": CLIP,
        "largest loss": 4.0,
        "last loss": 4.0,
        "drop": 0.0,
        "rise at the end": 0.0,
        "NaN steps": 0,
    }
    assert sampled(flat) == [{"sign": "the loss stands still: 4 at most, 4 at the end"}]
    assert (
        judge("TRAIN009", {"drop": 0.0}, training=training(history=curve(*[4.0] * 5))).outcome
        == "pass"
    )
    zero = judge("TRAIN009", {"drop": -1}, training=training(history=curve(*[0.0] * 5)))
    assert (zero.observed["drop"], zero.observed["rise at the end"]) == (0.0, 0.0)
    assert (
        zero.message
        == "the loss went from 0 at most to 0 at the end over 5 records without a sign of trouble"
    )


def test_four_losses_are_no_curve_and_a_nan_is_a_sign() -> None:
    assert judge(
        "TRAIN009",
        training=training(
            history=curve(
                4.0,
                3.0,
                2.0,
                1.0,
            )
        ),
    ).reason == ("4 records of the loss make no curve")
    broken = judge("TRAIN009", training=training(history=curve(4.0, 3.0, float("nan"))))
    assert broken.message == "1 step gave NaN or infinity"
    assert broken.observed["NaN steps"] == 1


def test_norms_at_the_clip_are_dated() -> None:
    history = tuple(
        {"epoch": 10.0 + k, "loss": 10.0 - k, "norm_p90": norm}
        for k, norm in enumerate([0.5, 0.5, 0.999990, 0.999991, 1.0, 0.4])
    )
    result = judge("TRAIN009", training=training(history=history))
    assert result.observed["records with norms at the clip"] == 3
    assert "a tenth of the norms reached the clip at epoch 12" in result.message
    undated = tuple({"norm_p90": norm} for norm in (0.5, 1.0))
    told = judge("TRAIN009", training=training(history=({"loss": 1.0}, *undated)))
    assert told.message == "a tenth of the norms reached the clip at record 3"


def test_the_clip_of_a_curve_is_the_runs_or_else_the_tables() -> None:
    own = judge("TRAIN009", training=training({"max_norm": 0.9}))
    assert own.observed["clip"] == 0.9
    stated = judge("TRAIN009", training=training({"max_norm": None}))
    assert stated.observed["clip"] == CLIP
    neither = judge("TRAIN009", training=training({"max_norm": None}, clip=None))
    assert neither.observed["clip"] is None
    assert "records with norms at the clip" not in neither.observed
