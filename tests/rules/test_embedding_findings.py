"""EMB001 to EMB010: the whole finding, by hand."""

from __future__ import annotations

from dataclasses import replace
from math import atanh, e, exp

import numpy as np
import pytest

from taxcheck.model.geometry import Geometry
from tests.rules.audit import (
    CLIP,
    embedding,
    judge,
    radii_of,
    reading,
    score,
    scores,
)
from tests.rules.builders import counted, ints, mapping, sampled, some


def nodes_of(result):
    return [sample.node for sample in result.samples]


def test_rows_that_the_table_lacks_are_sampled_where_they_are_mapped() -> None:
    holed = mapping(ints(10, 20, 30, 40), ints(0, 1, 3, 5))  # n_nodes 6, holes 2 and 4
    result = judge("EMB001", mapping=holed, embedding=embedding([0.5] * 2))
    assert counted(result) == (4, 6)
    assert result.observed == {"rows": 2, "n_nodes": 6, "missing rows": 4, "surplus rows": 0}
    assert sampled(result) == [{"idx": 3}, {"idx": 5}]
    assert nodes_of(result) == [3, 5]
    assert [(s.row, s.table) for s in result.samples] == [(3, "mapping"), (4, "mapping")]
    assert result.message.endswith("; first: idx 3 (taxid 30)")
    surplus = judge("EMB001", embedding=embedding([0.5] * 6))
    assert counted(surplus) == (2, 4)
    assert surplus.observed == {"rows": 6, "n_nodes": 4, "missing rows": 0, "surplus rows": 2}
    assert surplus.impact != judge("EMB001", embedding=embedding([0.5])).impact


def test_what_is_observed_of_rows_that_are_no_points() -> None:
    assert judge("EMB002").observed == {"count": 0, "total": 4, "dtype": "float32"}
    result = judge("EMB003", embedding=embedding(outside=some(1, 4, {"idx": 3}, far=1)))
    assert result.observed == {
        "count": 1,
        "total": 4,
        "by reason": {"far": 1},
        "geometry": "ball",
        "confidence": "certain",
        "largest norm": 0.8,
    }
    assert sampled(result) == [{"idx": 3}]


def test_what_is_observed_of_a_crowded_table() -> None:
    table = embedding([0.95] * 10, at_clip=7)
    result = judge("EMB004", embedding=table, scores=None)
    assert counted(result) == (10, 10)
    ten = {str(k): 0.95 for k in (0, 10, 25, 50, 75, 90, 99, 100)}
    assert result.observed["norm percentiles"] == pytest.approx(ten)
    assert result.observed["rows cut by the clip"] == 7
    assert result.observed["clip's radius"] == pytest.approx(2 * atanh(CLIP))
    assert result.observed["share above 0.9"] == 1.0
    assert result.observed["hyperbolic reading"] == "clean"
    assert result.observed["ranking"] is None
    strong = judge("EMB004", embedding=table)
    assert (strong.outcome, strong.observed["ranking"]) == ("warn", "strong")
    assert strong.impact != result.impact or strong.message != result.message
    weak = judge("EMB004", embedding=table, scores=scores(map=score(0.2, 0.2)))
    assert (weak.outcome, weak.observed["ranking"]) == ("fail", "weak")
    lost = judge("EMB004", embedding=embedding([CLIP] * 10))
    assert lost.observed["hyperbolic reading"] == "saturated"
    sound = judge("EMB004")
    assert counted(sound) == (0, 4)
    untold = embedding([0.5] * 4, clip_radius=None, at_clip=None)
    observed = judge("EMB004", embedding=untold, scores=None).observed
    assert observed["hyperbolic reading"] == "no clip is known"
    assert observed["rows cut by the clip"] is None


def test_half_the_norms_above_the_limit_are_counted_by_norm() -> None:
    # 5 of 10 above .9; none near the clip
    result = judge("EMB004", embedding=embedding([0.5] * 5 + [0.92] * 5), scores=None)
    assert counted(result) == (5, 10)


@pytest.mark.parametrize(("share", "outcome"), [(0.49, "warn"), (0.5, "pass")])
def test_norms_at_exactly_their_share_are_no_crowd(share: float, outcome: str) -> None:
    table = embedding([0.5] * 5 + [0.92] * 5)
    limits = {"norm_share": share, "norm_percentile": 0.93}
    assert judge("EMB004", limits, embedding=table, scores=None).outcome == outcome


@pytest.mark.parametrize(("limit", "outcome"), [(0.5, "pass"), (0.49, "warn")])
def test_a_percentile_at_exactly_its_limit_is_no_crowd(limit: float, outcome: str) -> None:
    table = embedding([0.5] * 10)
    assert judge("EMB004", {"norm_percentile": limit}, embedding=table, scores=None).outcome == (
        outcome
    )


@pytest.mark.parametrize("key", ["clip_share", "saturated_levels", "radius_error"])
def test_a_saturation_at_exactly_its_limit_is_none(key: str) -> None:
    far = float(radii_of(0.5))
    table = embedding([0.5] * 4, clip_radius=far / 0.98, unit_roundoff=2 / exp(far))
    found = scores(saturated_levels=0.5)
    # all rows at .98 of the clip's radius, half of the levels, an error of u e^r / 2 = 1
    limits = {"clip_share": 1.0, "saturated_levels": 0.5, "radius_error": 1.0 + 1e-12}
    assert judge("EMB004", limits, embedding=table, scores=found).outcome == "pass"
    over = judge("EMB004", {**limits, key: 0.4}, embedding=table, scores=found)
    assert over.observed["hyperbolic reading"] == "saturated"
    assert counted(over) == (4, 4)


def test_one_row_that_is_a_point_is_enough_to_judge() -> None:
    radii = np.array([np.inf, 1.0])
    table = replace(embedding([0.5, 0.5]), radii=radii)
    assert counted(judge("EMB004", embedding=table)) == (0, 1)


def test_the_spread_of_the_radii() -> None:
    at = {0: 0.5, 10: 1.0, 25: 1.5, 50: 2.0, 75: 2.5, 90: 3.0, 99: 4.0, 100: 4.0}
    table = embedding(radius_percentiles=at)
    result = judge("EMB005", embedding=table)
    assert counted(result) == (0, 4)
    assert result.observed["span as a part of the median"] == 1.0  # (3 - 1) / 2
    assert judge("EMB005", {"spread": 1.0}, embedding=table).outcome == "pass"
    narrow = judge("EMB005", {"spread": 1.01}, embedding=table)
    assert (narrow.outcome, counted(narrow)) == ("warn", (4, 4))
    assert judge("EMB005", {"origin": 4.0}, embedding=table).outcome == "pass"
    near = judge("EMB005", {"origin": 4.01}, embedding=table)
    assert near.outcome == "warn"
    assert (near.impact, near.fix) != (narrow.impact, narrow.fix)
    one_origin = embedding(radius_percentiles=dict.fromkeys(at, 0.0))
    assert judge("EMB005", embedding=one_origin).observed["span as a part of the median"] == 0.0


def test_a_spread_needs_two_rows() -> None:
    assert judge("EMB005", embedding=embedding([0.5])).outcome == "skipped"
    assert judge("EMB005", embedding=embedding([0.2, 0.9])).outcome == "pass"


def test_copies_and_rays_are_told_together() -> None:
    table = embedding([0.5] * 10, duplicates=some(2, 10, {"idx": 3}, {"idx": 4}), same_direction=5)
    result = judge("EMB007", embedding=table)
    assert result.message == (
        "2 of 10 rows (20.0 %) are copies of another row; "
        "5 of 10 rows (50.0 %) lie on the ray of another row; first: row 11 (idx 3)"
    )
    assert counted(result) == (2, 10)
    assert result.observed == {"copies": 2, "on another row's ray": 5, "share on a ray": 0.5}
    assert sampled(result) == [{"idx": 3}, {"idx": 4}]
    assert (
        judge(
            "EMB007", {"same_direction": 0.5}, embedding=embedding([0.5] * 10, same_direction=5)
        ).outcome
        == "pass"
    )
    rays = judge("EMB007", embedding=embedding([0.5] * 10, same_direction=5, duplicates=some(0, 0)))
    assert counted(rays) == (5, 10)
    assert "5 of 10 rows" in rays.impact


def test_a_table_without_rows_has_no_copies() -> None:
    empty = replace(embedding(), rows=0, duplicates=some(0, 0))
    result = judge("EMB007", embedding=empty)
    assert result.observed["share on a ray"] == 0.0


def test_dimensions_that_are_not_used_are_counted() -> None:
    table = embedding([0.5] * 50, dim=10, effective_rank=2.4, direction_rank=9.5)
    result = judge("EMB008", embedding=table)
    assert counted(result) == (8, 10)  # 10 - round(2.4)
    assert result.observed == {
        "effective rank": 2.4,
        "effective rank of directions": 9.5,
        "participation ratio": 1.8,
        "used beyond the first": pytest.approx(1.4 / 9),
    }
    assert judge("EMB008", {"used": 1.4 / 9}, embedding=table).outcome == "pass"
    none = embedding([0.5] * 50, dim=10, effective_rank=float("nan"), direction_rank=2.0)
    assert judge("EMB008", embedding=none).reason == "no row is a finite point of the space"
    sound = embedding([0.5] * 50, dim=10, effective_rank=9.0, direction_rank=9.5)
    assert counted(judge("EMB008", embedding=sound)) == (0, 10)


def test_the_error_of_radii_is_counted_and_bounded() -> None:
    # ball: u e^r / 2; with u = 2 / e the radius 1 errs by 1, the radius 2 by e
    table = replace(
        embedding(unit_roundoff=2 / e), radii=np.array([1.0, 1.0, 1.0, 2.0]), dtype="float16"
    )
    limits = {"error": 1.0 + 1e-12, "share": 0.2}
    result = judge("EMB009", limits, embedding=table)
    assert (result.outcome, counted(result)) == ("warn", (1, 4))
    assert result.observed["largest bound"] == pytest.approx(e)
    assert result.observed["median bound"] == pytest.approx(1.0)
    assert result.observed["largest radius"] == 2.0
    assert result.observed["dtype"] == "float16"
    assert judge("EMB009", {**limits, "share": 0.25}, embedding=table).outcome == "pass"
    assert counted(judge("EMB009", {**limits, "share": 0.25}, embedding=table)) == (0, 4)
    half = {"error": float(np.exp(1.0) * (2 / e) / 2), "share": 0.25}
    assert judge("EMB009", half, embedding=table).outcome == "pass"  # 1 of 4 above, 3 exactly at it


@pytest.mark.parametrize(
    ("geometry", "bound"),
    # u = 1/8, r = 2: Lorentz u e^(2r) / 2, tangent u r
    [(Geometry.LORENTZ, exp(4) / 16), (Geometry.TANGENT, 0.25), (Geometry.BALL, exp(2) / 16)],
)
def test_each_geometry_has_its_own_bound(geometry: Geometry, bound: float) -> None:
    table = embedding(reading=reading(geometry), unit_roundoff=1 / 8)
    table = replace(table, radii=np.full(4, 2.0))
    assert judge("EMB009", embedding=table).observed["largest bound"] == pytest.approx(bound)


def test_radii_beyond_every_number_keep_a_finite_bound() -> None:
    table = replace(embedding(unit_roundoff=2.0), radii=np.full(4, 400.0))
    assert judge("EMB009", embedding=table).observed["largest bound"] == pytest.approx(exp(300))


def test_what_is_observed_of_distances() -> None:
    far = np.array([1.0, 2.0, 9.8, np.inf])
    table = embedding(sampled_distances=far, ceiling=10.0, sample="3 pairs")
    result = judge("EMB010", embedding=table)
    assert (result.outcome, counted(result)) == ("warn", (1, 3))  # 9.8 is .98 of 10
    assert result.observed == {
        "ceiling": 10.0,
        "largest": 9.8,
        "median": 2.0,
        "share at the ceiling": pytest.approx(1 / 3),
        "sample": "3 pairs",
    }
    assert "33.3 %" in result.impact
    at_limit = judge("EMB010", {"share": 1 / 3}, embedding=table)
    assert (at_limit.outcome, counted(at_limit)) == ("pass", (0, 3))
    nowhere = embedding(sampled_distances=np.array([np.inf]))
    assert judge("EMB010", embedding=nowhere).reason == "no sampled pair has a finite distance"
