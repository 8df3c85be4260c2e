"""Rules and scores of two runs, beside each other."""

from __future__ import annotations

import pytest

from taxcheck.commands.compare.compare import rule_changes, score_changes
from taxcheck.model.change import Change
from tests.commands.compare.written import report, rule, score


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("pass", 0), ("fail", 3), Change.NEW),
        (("info", 0), ("warn", 3), Change.NEW),
        (("waived", 3), ("fail", 3), Change.NEW),  # nobody answers for it any more
        (("skipped", None), ("fail", 3), Change.NEW),
        (("error", None), ("warn", 3), Change.NEW),
        (("fail", 3), ("pass", 0), Change.FIXED),
        (("fail", 3), ("waived", 3), Change.WAIVED),
        (("fail", 3), ("skipped", None), Change.LOST),  # which is not fixed
        (("pass", 0), ("error", None), Change.LOST),
        (("skipped", None), ("pass", 0), Change.GAINED),
        (("skipped", None), ("skipped", None), Change.UNCHANGED),
        (("warn", 3), ("fail", 3), Change.WORSE),
        (("fail", 3), ("warn", 3), Change.BETTER),
        (("fail", 3), ("fail", 4), Change.WORSE),
        (("fail", 3), ("fail", 2), Change.BETTER),
        (("fail", 3), ("fail", 3), Change.UNCHANGED),
        (("info", 3), ("info", 4), Change.DIFFERS),
        (("pass", 0), ("pass", 4), Change.UNCHANGED),
    ],
)
def test_a_rule_from_one_run_to_the_next(before, after, expected):
    (found,) = rule_changes(report([rule("A1", *before)]), report([rule("A1", *after)]), 0.0)
    assert found.change is expected


def test_shares_are_compared_where_the_data_has_grown():
    """30 of 100, then 45 of 200: more rows, and a smaller share."""
    before, after = report([rule("A1", "fail", 30)]), report([rule("A1", "fail", 45, 200)])
    assert rule_changes(before, after, 0.0)[0].change is Change.BETTER


def test_counts_are_compared_where_there_is_no_total():
    before, after = report([rule("A1", "fail", 30, 0)]), report([rule("A1", "fail", 33, 0)])
    assert rule_changes(before, after, 0.05)[0].change is Change.WORSE
    assert rule_changes(before, after, 0.11)[0].change is Change.UNCHANGED


def test_a_rule_that_only_one_run_has():
    found = rule_changes(report([rule("A1", "fail", 1)]), report([rule("B1", "fail", 1)]), 0.0)
    assert [(c.id, c.change) for c in found] == [("A1", Change.LOST), ("B1", Change.NEW)]


def test_scores_are_worse_by_more_than_a_part_of_what_they_were():
    before = report(quality={"map": score(0.8, 0.78, 0.82)})
    after = report(quality={"map": score(0.79, 0.77, 0.81)})
    (found,) = score_changes(before, after, 0.01)
    assert (found.label, found.change, found.note) == (
        "MAP", Change.WORSE, "the intervals overlap",
    )  # fmt: skip
    assert score_changes(before, after, 0.02)[0].change is Change.UNCHANGED


def test_a_mean_rank_is_better_where_it_falls():
    before = report(quality={"mean_rank": score(9.0, 8.0, 10.0, higher=False)})
    after = report(quality={"mean_rank": score(4.0, 3.5, 4.5, higher=False)})
    (found,) = score_changes(before, after, 0.01)
    assert (found.change, found.note, found.after_interval) == (Change.BETTER, "", (3.5, 4.5))


def test_scores_of_other_protocols_are_no_better_and_no_worse():
    before = report(quality={"map": score(0.2, 0.1, 0.3)})
    after = report(quality={"map": score(0.9, 0.8, 1.0, protocol="edges")})
    (found,) = score_changes(before, after, 0.0)
    assert found.change is Change.DIFFERS
    assert found.note == "not comparable: nickel, then edges"


def test_hits_are_told_by_k_and_a_score_that_is_gone_is_said():
    before = report(quality={"map": score(0.8, 0.7, 0.9), "hits": {1: score(0.5, 0.4, 0.6)}})
    after = report(quality={"map": None, "hits": {1: score(0.5, 0.4, 0.6)}})
    found = {s.label: s.change for s in score_changes(before, after, 0.0)}
    assert found == {"hits@1": Change.UNCHANGED, "MAP": Change.LOST}
