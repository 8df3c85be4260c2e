from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from taxcheck.audit.pictures import draw_audit
from taxcheck.audit.values import (
    CladeSpread,
    Copies,
    CoverageOfTraining,
    Hubs,
    NullScore,
    Score,
)
from taxcheck.model.finding import Defect
from taxcheck.model.geometry import Geometry
from taxcheck.model.pictures import AuditPictures
from tests.reports.tables import embeddings, scores

HALF = math.tanh(1)  # the norm at hyperbolic radius 2


def drawn(**changes: object) -> AuditPictures:
    norms = np.array([0.0, 0.5, 0.95, np.nan, HALF])
    table = embeddings(norms[np.isfinite(norms)], 2, HALF)
    return draw_audit(replace(table, norms=norms, radii=2 * np.arctanh(norms), rows=5, **changes))


def test_norms_of_five_rows_one_of_them_no_number():
    norms = drawn(at_clip=1).norms
    assert norms is not None
    assert norms.rows == 4
    assert norms.over == 1
    assert norms.of == "radius"
    assert norms.clip == pytest.approx(2)
    assert norms.at_clip == 1
    # the largest of 0, 1.099, 3.664 and 2 ends the axis
    assert norms.histogram[-1][1] == pytest.approx(2 * math.atanh(0.95))
    assert dict(norms.percentiles)[100] == pytest.approx(2 * math.atanh(0.95))


def test_a_euclidean_table_has_norms_and_no_radii():
    norms = draw_audit(embeddings(np.array([0.0, 0.5]), 2, HALF, Geometry.EUCLIDEAN)).norms
    assert norms is not None
    assert norms.of == "norm"
    assert norms.clip == pytest.approx(HALF)
    assert norms.histogram[-1][1] == 1


def test_a_long_histogram_is_merged_and_keeps_every_row():
    bins = tuple((i / 200, (i + 1) / 200, i) for i in range(200))
    norms = drawn(radius_histogram=bins).norms
    assert norms is not None
    # 200 bins in groups of 3, the last of 2: (198 + 199)
    assert len(norms.histogram) == 67
    assert norms.histogram[0] == (0.0, 3 / 200, 0 + 1 + 2)
    assert norms.histogram[-1] == (198 / 200, 1.0, 198 + 199)
    assert sum(rows for *_, rows in norms.histogram) == 199 * 200 // 2


def test_radii_leave_out_a_depth_without_figures():
    found = scores(good=True)
    nan = float("nan")
    bands = (
        (0, 0.0, 0.1, 0.2, 0.3, 0.4),
        (1, nan, nan, nan, nan, nan),
        (2, 1.0, 2.0, 3.0, 4.0, 5.0),
    )
    radii = draw_audit(
        embeddings(np.array([0.1, 0.2]), 2, HALF), scores=replace(found, radius_by_depth=bands)
    ).radii
    assert radii is not None
    assert radii.bands == ((0, (0.0, 0.1, 0.2, 0.3, 0.4)), (2, (1.0, 2.0, 3.0, 4.0, 5.0)))
    assert radii.clip == pytest.approx(2)


def test_untrained_rows_are_told_by_the_strongest_evidence_first():
    never = np.array([True, True, True, False])
    coverage = CoverageOfTraining(
        rows=4,
        never=never,
        by_evidence={"in no pair": 1, "optimizer state": 1, "no row in the table": 1},
        by_explanation={"index hole": 1, "beyond the table": 2, "unexplained": 0},
        by_clade=tuple((f"clade {i}", 1, 2) for i in range(30)),
        defect=Defect(3, 4),
        updates=None,
        updates_by_depth=(),
    )
    untrained = draw_audit(embeddings(np.array([0.1]), 2, HALF), coverage).untrained
    assert untrained is not None
    assert (untrained.rows, untrained.never) == (4, 3)
    assert untrained.evidence == (
        ("no row in the table", 1),
        ("optimizer state", 1),
        ("in no pair", 1),
    )
    assert untrained.explanations == (("beyond the table", 2), ("index hole", 1))
    assert len(untrained.clades) == 20


def _cards(**changes: object) -> dict:
    found = replace(scores(good=True), **changes)
    audit = draw_audit(embeddings(np.array([0.1]), 2, HALF), scores=found)
    return {card.label: card for card in audit.scores}


def test_score_cards_have_an_axis_that_holds_all_their_marks():
    cards = _cards()
    assert next(iter(cards)) == "MAP"
    assert (cards["MAP"].lowest, cards["MAP"].highest) == (0, 1)
    assert (cards["mean rank"].lowest, cards["mean rank"].highest) == (1, 8123.0)
    assert cards["mean rank"].logarithmic
    assert cards["class separation"].highest == pytest.approx((2.31 + 0.06) * 1.1)
    assert "order-dependent form 1.68" in cards["class separation"].remark
    negative = replace(scores(good=True).spearman, value=-0.2, low=-0.3, high=-0.1)
    assert _cards(spearman=negative)["radius with depth (Spearman)"].lowest == -1


def test_a_null_is_exceeded_only_by_the_lower_bound():
    nulls = {"a": NullScore(0.1, 0.2), "b": NullScore(0.3, 0.0), "c": NullScore(float("nan"), 1.0)}
    card = _cards(map=Score(0.4, 0.3, 0.5, nulls, "", 10, 20))["MAP"]
    assert [(null.label, null.exceeded) for null in card.nulls] == [("a", True), ("b", False)]
    assert not card.beats_every_null


def test_a_score_that_is_no_number_is_left_out():
    assert "MAP" not in _cards(map=Score(float("nan"), 0, 1, {}, "", 0, 0))


def test_clades_are_counted_on_either_side():
    z = [9.0, -4.0, 3.6, 3.4, 0.0, 0.1]
    found = tuple(CladeSpread(i, f"c{i}", 10, 3, 2.0, 1.0, v, 0.5) for i, v in enumerate(z))
    table = embeddings(np.array([0.1]), 2, HALF)
    judged = replace(scores(good=True), clades=found)
    clades = draw_audit(table, scores=judged).clades
    assert clades is not None
    assert clades.z == (-4.0, 0.0, 0.1, 3.4, 3.6, 9.0)
    assert [clade.label for clade in clades.named] == ["c0", "c1", "c2", "c3", "c5", "c4"]
    assert sum(n for *_, n in clades.scores) == 6


def test_a_table_alone_draws_its_norms_and_nothing_else():
    audit = drawn()
    assert audit.norms is not None
    assert (audit.untrained, audit.radii, audit.clades, audit.scores) == (None, None, None, ())


def test_shares_by_depth_speak_of_what_is_wrong():
    found = replace(scores(good=True), monotone_by_depth=((1, 4, 0.75), (2, 0, 0.0), (3, 10, 1.0)))
    coverage = CoverageOfTraining(
        rows=9,
        never=np.zeros(9, dtype=bool),
        by_evidence={},
        by_explanation={},
        by_clade=(),
        defect=Defect(0, 9),
        updates=None,
        updates_by_depth=((0, 1, 0, 7.0), (1, 8, 2, 3.5)),
    )
    audit = draw_audit(embeddings(np.array([0.1]), 2, HALF), coverage, found)
    assert audit.inside_by_depth == ((1, 4, 0.25), (3, 10, 0.0))
    assert audit.updates_by_depth == ((0, 1, 0.0), (1, 8, 0.25))


def test_copies_and_hubs_are_named():
    groups = (Copies(4, (2, 5, 8), 0.0), Copies(2, (1, 3), 0.5))
    table = embeddings(
        np.array([0.1] * 9), 2, HALF, duplicates=Defect(4, 9), copy_groups=2, largest_copies=groups
    )
    hubs = Hubs(10, 9, (7, 5), ((0, 1), (1, 2), (2, 1), (3, 4), (5, 1)))
    found = replace(scores(good=True), hubs=hubs, hubness=0.7)
    audit = draw_audit(table, scores=found, names=lambda rows: [f"taxon {row}" for row in rows])
    assert audit.copies is not None
    assert (audit.copies.rows, audit.copies.copied, audit.copies.groups) == (9, 4, 2)
    assert audit.copies.largest[0].names == ("taxon 2", "taxon 5", "taxon 8")
    assert audit.hubs is not None
    assert audit.hubs.greatest == ("taxon 7", 5)
    assert audit.hubs.bins == ((0, 0, 1), (1, 1, 2), (2, 3, 5), (4, 7, 1))
    assert audit.hubs.skew == 0.7


def test_without_copies_and_without_a_history_nothing_is_drawn():
    audit = drawn()
    assert (audit.copies, audit.hubs, audit.curve) == (None, None, None)
