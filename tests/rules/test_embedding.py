"""EMB001 to EMB010 on hand-made values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taxcheck.audit.values import NullScore
from taxcheck.model.geometry import Geometry
from tests.rules.audit import CLIP, INCIDENT, coverage, embedding, judge, radii_of, reading, score
from tests.rules.audit import scores as sound_scores
from tests.rules.builders import ints, mapping, some

WEAK = sound_scores(map=score(0.21, 0.2))  # the margin's lower bound is -.04


def test_the_incidents_table_lacks_18_813_rows() -> None:
    nodes = mapping(np.arange(111_103) + 7, np.arange(111_103))
    result = judge("EMB001", mapping=nodes, embedding=embedding([0.5] * 92_290))
    assert result.outcome == "fail"
    assert result.message == (
        "the table has 92,290 rows for 111,103 nodes: 18,813 nodes have no row; "
        "first: idx 92290 (taxid 92297)"
    )
    assert result.judged
    assert (result.count, result.total) == (18_813, 111_103)
    assert result.samples[0].node == 92_290


def test_a_row_too_many_belongs_to_no_node() -> None:
    result = judge("EMB001", embedding=embedding([0.5] * 5))
    assert result.outcome == "fail"
    assert result.message == "the table has 5 rows for 4 nodes: 1 row stands for no node"


def test_rows_are_not_counted_against_a_mapping_made_from_the_pairs() -> None:
    result = judge("EMB001", mapping=mapping(derived=True))
    assert result.outcome == "skipped"


def test_nan_rows_fail() -> None:
    bad = some(2, 4, {"idx": 1}, {"idx": 3})
    result = judge("EMB002", embedding=embedding(non_finite=bad))
    assert result.outcome == "fail"
    assert result.message == "2 of 4 rows (50.0 %) are not finite; first: row 11 (idx 1)"


def test_a_row_outside_says_which_space_it_was_held_against() -> None:
    bad = some(1, 4, {"idx": 3, "norm": 1.25}, **{"norm >= 1": 1})
    result = judge("EMB003", embedding=embedding(outside=bad))
    assert result.outcome == "fail"
    assert "1 of 4 rows (25.0 %) is no point of the space, read as ball: 1 norm >= 1" in (
        result.message
    )


class TestSaturation:
    """The two readings: Euclidean (norms) and hyperbolic (radii at the clip)."""

    def test_the_incident_fails_beside_a_weak_ranking_and_quotes_its_percentiles(self) -> None:
        result = judge("EMB004", embedding=embedding(INCIDENT), scores=WEAK)
        assert result.outcome == "fail"
        assert result.message.startswith(
            "norm percentiles 0 0.1000, 10 0.2897, 25 0.5742, 50 0.7094, 75 0.9527, 90 0.9997, "
            "99 1.0000, 100 1.0000; 30.0 % above 0.9"
        )
        # a radius of 2 artanh(0.9997) = ln(1.9997 / 0.0003)
        assert result.observed["radius percentiles"]["90"] == pytest.approx(8.8047, abs=1e-3)
        assert result.observed["Euclidean reading"] == "crowded"

    def test_the_incident_warns_without_pairs(self) -> None:
        result = judge("EMB004", embedding=embedding(INCIDENT), scores=None)
        assert result.outcome == "warn"
        assert result.message.endswith("bad by Euclidean, the ranking is not known")

    def test_a_null_that_ranks_perfectly_leaves_the_ranking_unknown(self) -> None:
        # a genus and its species: popularity names the one ancestor of all
        flat = sound_scores(map=score(0.9, nulls={"popularity": NullScore(1.0, -0.2)}))
        result = judge("EMB004", embedding=embedding(INCIDENT), scores=flat)
        assert result.outcome == "warn"
        assert result.message.endswith("bad by Euclidean, the ranking is not known")

    def test_a_trained_table_of_the_literature_only_warns(self) -> None:
        # Echinodermata at MAP .84: percentiles of a true run
        norms = np.interp(
            np.linspace(0, 100, 1_001), [0, 10, 50, 100], [0.02, 0.998, 0.9996, 0.9998]
        )
        result = judge("EMB004", embedding=embedding(norms))
        assert result.outcome == "warn"
        assert result.observed["share within 2 % of the clip's radius"] == 0
        assert result.message.endswith("bad by Euclidean, the ranking is strong")

    @pytest.mark.parametrize(
        ("scores", "outcome"), [(None, "fail"), (WEAK, "fail"), (sound_scores(), "warn")]
    )
    def test_rows_at_the_clip_fail_unless_the_ranking_is_strong(
        self, scores: object, outcome: str
    ) -> None:
        norms = np.r_[np.linspace(0, 0.5, 80), np.full(20, CLIP)]
        norms[70:80] = 0.95  # 30 % above 0.9, 20 % at the clip
        result = judge("EMB004", embedding=embedding(norms), scores=scores)
        assert result.outcome == outcome
        assert result.judged
        assert result.count == 20
        assert "bad by both readings" in result.message

    @pytest.mark.parametrize(
        ("scores", "outcome"), [(None, "fail"), (WEAK, "fail"), (sound_scores(), "warn")]
    )
    def test_rows_at_a_clip_far_inside_are_no_crowd_of_norms(
        self, scores: object, outcome: str
    ) -> None:
        table = embedding(
            np.r_[np.linspace(0, 0.5, 80), np.full(20, 0.7)],
            reading=reading(clip=0.7),
            clip_radius=float(radii_of(0.7)),
        )
        result = judge("EMB004", embedding=table, scores=scores)
        assert (result.outcome, result.observed["Euclidean reading"]) == (outcome, "clean")

    def test_levels_at_the_clip_are_lost_too(self) -> None:
        result = judge("EMB004", scores=sound_scores(saturated_levels=0.5, map=score(0.2, 0.2)))
        assert result.outcome == "fail"
        assert result.observed["share of depths at the clip"] == 0.5

    def test_half_precision_has_nothing_left_out_there(self) -> None:
        # u e^9 / 2 with u = 2^-11: 1.98
        table = embedding(np.tanh(np.full(100, 4.5)), unit_roundoff=2.0**-11, dtype="float16")
        assert judge("EMB004", embedding=table).outcome == "warn"  # the ranking is strong
        result = judge("EMB004", embedding=table, scores=WEAK)
        assert result.outcome == "fail"
        assert result.observed["radius error at the 90th percentile"] == pytest.approx(
            1.978, abs=1e-3
        )

    @pytest.mark.parametrize("geometry", [Geometry.LORENTZ, Geometry.TANGENT])
    def test_norms_are_not_judged_where_they_cost_nothing(self, geometry: Geometry) -> None:
        table = embedding(
            [0.999] * 50 + [0.5] * 50, reading=reading(geometry, None), clip_radius=None
        )
        result = judge("EMB004", embedding=table, scores=None)
        assert (result.outcome, result.observed["Euclidean reading"]) == ("pass", "not judged")

    def test_a_euclidean_table_is_skipped(self) -> None:
        table = embedding(reading=reading(Geometry.EUCLIDEAN, None))
        for id in ("EMB004", "EMB005", "EMB009", "EMB010"):
            assert judge(id, embedding=table).outcome == "skipped"

    def test_no_point_of_the_space_is_no_pass(self) -> None:
        nan = np.full(4, np.nan)
        table = replace(
            embedding(), norms=nan, radii=nan, norm_percentiles={}, radius_percentiles={}
        )
        for id in ("EMB004", "EMB005", "EMB009"):
            assert judge(id, embedding=table).outcome == "skipped"


def test_one_radius_for_all_warns() -> None:
    result = judge("EMB005", embedding=embedding([0.9] * 10))
    assert result.outcome == "warn"
    assert result.message.endswith("a span of 0 % of the median")


def test_a_table_still_in_its_init_box_warns() -> None:
    result = judge("EMB005", embedding=embedding(np.linspace(0, 0.002, 10)))
    assert result.outcome == "warn"
    assert "near the origin" in result.message


def test_never_trained_rows_are_told_by_evidence_and_explanation() -> None:
    gap = coverage(
        defect=some(29_063, 111_103, {"idx": 57, "evidence": "in no pair"}),
        by_evidence={"no row in the table": 18_813, "in no pair": 10_250},
        by_explanation={"in no pair": 29_063},
    )
    result = judge("EMB006", coverage=gap)
    assert result.outcome == "fail"
    assert result.message == (
        "29,063 of 111,103 rows (26.2 %) were never trained; evidence: 18,813 no row in the table, "
        "10,250 in no pair; explained by: 29,063 in no pair; first: row 11 (idx 57, evidence in no "
        "pair)"
    )


def test_a_pass_says_that_rows_were_trained_only_where_it_is_known() -> None:
    known = coverage(defect=some(0, 10), trained_known=True)
    assert judge("EMB006", coverage=known).message == "none of 10 rows was left untrained"
    result = judge("EMB006", coverage=coverage(defect=some(0, 10)))
    assert (result.outcome, result.message) == (
        "pass",
        "none of 10 rows is known to be untrained; whether they were trained is not recorded",
    )


def test_a_root_inside_the_init_box_is_where_it_belongs() -> None:
    box = {"inside the init box": 1}
    root = coverage(defect=some(1, 7_112, {"idx": 0}), by_evidence=box)
    result = judge("EMB006", coverage=root)
    assert result.outcome == "pass"
    assert "1 near the origin, where roots belong" in result.message
    many = coverage(defect=some(100, 7_112), by_evidence={"inside the init box": 100})
    assert judge("EMB006", coverage=many).outcome == "fail"
    mixed = coverage(defect=some(2, 7_112), by_evidence={**box, "in no pair": 1})
    assert judge("EMB006", coverage=mixed).count == 1  # type: ignore[union-attr]


def test_one_copied_row_warns() -> None:
    result = judge("EMB007", embedding=embedding(duplicates=some(1, 4, {"idx": 3, "equal_to": 1})))
    assert result.outcome == "warn"
    assert result.message.startswith("1 of 4 rows (25.0 %) is a copy of another row; first: ")


def test_classes_collapsed_to_rays_warn() -> None:
    result = judge("EMB007", embedding=embedding([0.5] * 100, same_direction=90))
    assert result.outcome == "warn"
    assert result.judged
    assert (result.count, result.total) == (90, 100)
    line = embedding([0.5] * 100, same_direction=90, dim=1)
    assert judge("EMB007", embedding=line).outcome == "pass"


@pytest.mark.parametrize(
    ("rank", "directions", "outcome"),
    # (rank - 1) / 9 at .2 is 2.8
    [(9.4, 9.5, "pass"), (2.81, 9.5, "pass"), (2.79, 9.5, "warn"), (9.4, 1.0, "warn")],
)
def test_empty_dimensions(rank: float, directions: float, outcome: str) -> None:
    table = embedding([0.5] * 50, dim=10, effective_rank=rank, direction_rank=directions)
    assert judge("EMB008", embedding=table).outcome == outcome


def test_too_few_rows_cannot_collapse() -> None:
    assert judge("EMB008", embedding=embedding(dim=4)).outcome == "skipped"
    assert judge("EMB008", embedding=embedding(dim=1)).outcome == "skipped"


@pytest.mark.parametrize(
    ("geometry", "radius", "roundoff", "outcome"),
    [
        (Geometry.BALL, 12.2, 2.0**-24, "pass"),  # .0059
        (Geometry.BALL, 8.0, 2.0**-11, "warn"),  # .73
        (Geometry.TANGENT, 8.0, 2.0**-11, "pass"),  # .0039
        (Geometry.LORENTZ, 7.0, 2.0**-24, "pass"),  # .036
        (Geometry.LORENTZ, 9.0, 2.0**-24, "warn"),  # 1.96
    ],
)
def test_precision(geometry: Geometry, radius: float, roundoff: float, outcome: str) -> None:
    table = embedding(reading=reading(geometry), unit_roundoff=roundoff)
    table = replace(table, radii=np.full(4, radius))
    assert judge("EMB009", embedding=table).outcome == outcome


def test_the_bound_of_a_clipped_float32_row() -> None:
    table = replace(embedding(), radii=np.full(4, 12.2))
    assert judge("EMB009", embedding=table).observed["largest bound"] == pytest.approx(
        0.0059, abs=1e-4
    )


def test_distances_at_the_ceiling() -> None:
    # the ceiling is 24.41; 2 % below it is 23.92
    far = np.r_[np.full(98, 10.0), 23.9, 24.0]
    result = judge("EMB010", embedding=embedding(sampled_distances=far))
    assert result.outcome == "pass"
    result = judge("EMB010", embedding=embedding(sampled_distances=np.r_[far, 24.4]))
    assert result.outcome == "warn"
    assert result.message == (
        "2 of 101 sampled pairs (2.0 %) are within 2 % of the largest distance, 24.41; "
        "the largest seen is 24.4"
    )
    assert judge("EMB010", embedding=embedding(ceiling=None)).outcome == "skipped"


def test_the_file_alone_is_enough() -> None:
    for id in ("EMB002", "EMB003", "EMB004", "EMB005", "EMB007", "EMB008", "EMB009", "EMB010"):
        alone = dict.fromkeys(("mapping", "pairs", "tree", "coverage", "scores", "training"))
        assert judge(id, **alone).outcome == "pass", id


def test_updates_by_depth() -> None:
    few = coverage(updates=(0, 5, 100, 100), updates_by_depth=((1, 2, 1, 2.5), (2, 2, 0, 100.0)))
    result = judge("TRAIN006", coverage=few)
    assert result.outcome == "warn"
    assert result.message == (
        "2 of 4 rows (50.0 %) had fewer than 10 updates, 1 none; the median is 52; least at depth "
        "1: 2.5 a node, 1 of 2 nodes (50.0 %) with none"
    )
    assert judge("TRAIN006", coverage=coverage(updates=None)).outcome == "skipped"
    assert judge("TRAIN006", coverage=coverage(updates=ints(10, 10))).outcome == "pass"
