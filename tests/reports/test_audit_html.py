from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module

import pytest

from taxcheck.audit.curve import curve_of
from taxcheck.audit_bins import AuditPictures, Untrained
from taxcheck.data_bins import Bar, Pictures
from taxcheck.registry import load_renderers
from taxcheck.report import RenderOptions
from tests.reports.audit import audited_healthy, audited_incident
from tests.reports.incident import incident
from tests.reports.tables import training

labels = import_module("taxcheck_reports.labels")
norms = import_module("taxcheck_reports.norms")
clade_spread = import_module("taxcheck_reports.clades").clade_spread
untrained = import_module("taxcheck_reports.untrained").untrained


def html(report) -> str:
    return load_renderers()["html"](report, RenderOptions()).replace("\u00a0", " ")


def test_chapters_follow_the_data_in_the_order_in_which_one_asks():
    page = html(audited_incident())
    chapters = ("untrained", "training", "place", "hierarchy", "projection")
    asked = ("data", *(f"after-{chapter}" for chapter in chapters))
    places = [page.index(f'<section id="{anchor}"') for anchor in asked]
    assert places == sorted(places)
    assert places[-1] < page.index('<section id="rules"')
    assert "after-" not in re.sub(r"<style>.*?</style>", "", html(incident()), flags=re.DOTALL)


def test_before_and_after_are_joined_in_one_sentence():
    page = html(audited_incident())
    assert (
        "29,063 of 111,103 rows (26.2 %) were never trained: as many as the nodes that are in no "
        "pair" in page
    )
    for said in (
        "in a pair: 82,040 (73.8 %)",
        "never trained: 29,063 (26.2 %)",
        "beyond the table: 18,813 (64.7 %)",
        "equal to the initial table: 10,250 (35.3 %)",
    ):
        assert said in page


@pytest.mark.parametrize(
    ("never", "lacking", "said"),
    [
        (0, 0, "All 10 rows were trained"),
        (1, 0, "1 of 10 rows (10.0 %) was never trained"),
        (3, 2, "3 of 10 rows (30.0 %) were never trained; 2 nodes are in no pair"),
    ],
)
def test_the_title_states_what_was_found(never, lacking, said):
    audit = AuditPictures(untrained=Untrained(10, never, (("unexplained", never),), (), ()))
    roles = (Bar("both", 10 - lacking), Bar("", 0), Bar("", 0), Bar("none", lacking))
    page = html(replace(incident(), audit=audit, pictures=Pictures(roles=roles)))
    assert f"<figcaption>{said}</figcaption>" in page


def test_norms_stand_beside_the_incidents():
    page = html(audited_healthy())
    assert "in the incident 0.9997" in page
    assert page.count("incident 1.0000") == 4  # the tips of two percentiles, at two widths
    assert norms.norm(0.99999) == "1 - 1e-5"
    assert norms.norm(1.0) == "1.0000"
    assert norms.norm(0.9997) == "0.9997"


def test_scores_are_told_against_their_nulls():
    page = html(audited_incident())
    assert "MAP 0.360: 6 of 8 scores are better than every null" in page
    assert "not better than depth-aware init" in page
    level = "subtrees of 10 nodes or more"
    assert f"4 of 165 clades ({level}) are wider than depth and size predict, 1 tighter" in page
    assert "At 27.0 % of the depths the median row is within 2 % of the clip" in page


def test_findings_lead_to_their_picture():
    page = html(audited_incident())
    for rule, anchor in (
        ("EMB001", "untrained-untrained"),
        ("EMB004", "place-norm-percentiles"),
        ("EMB006", "untrained-untrained"),
        ("TRAIN009", "training-curve"),
        ("HIER005", "hierarchy-clade-spread"),
    ):
        section = page[page.index(f'id="rule-{rule}"') :]
        section = section[: section.index("</article>")]
        assert f'<a href="#{anchor}">Drawn above</a>' in section
        assert f'id="{anchor}"' in page


def test_the_checkpoint_is_named_with_what_was_checked():
    assert "best.pth 92,290 rows in 10 dimensions" in html(audited_incident())
    terminal = load_renderers()["terminal"](audited_incident(), RenderOptions())
    assert "best.pth 92,290 rows in 10" in terminal


@pytest.mark.parametrize(
    ("marks", "width"),
    [
        ([(10.0, "depth-aware init 0.020"), (14.0, "shuffled within"), (14.0, "collapsed")], 400),
        ([(205.0, "popularity 210"), (338.0, "depth-aware init 8,123")], 338),
        ([(570.0, "trained rows alone 0.790"), (505.0, "Euclidean 0.700")], 722),
        ([(0.0, "a" * 20), (338.0, "b" * 20), (169.0, "c" * 20), (170.0, "d" * 20)], 338),
    ],
)
def test_labels_beside_stems_cross_nothing(marks, width):
    placed = labels.stems(marks, width)
    boxes = [
        (left, left + len(said) * 7, lane)
        for (left, lane), (_, said) in zip(placed, marks, strict=True)
    ]
    for at, (left, right, lane) in enumerate(boxes):
        assert left >= 0
        assert right <= width
        others = [box for other, box in enumerate(boxes) if other != at]
        assert not [b for b in others if b[2] == lane and b[0] < right and left < b[1]]
        # nothing that is written above a label's own line stands in the way of its stem
        assert not [b for b in others if b[2] < lane and b[0] < marks[at][0] < b[1]]


def test_shares_by_depth_name_the_worst():
    page = html(audited_incident())
    assert "children lie nearer the centre than their parent; at depth 37, 45.0 %" in page
    assert "26.5 % of the nodes had no update; at depth 37, 36.4 %" in page


def test_where_nothing_is_wrong_at_any_depth_nothing_is_drawn():
    report = audited_incident()
    assert report.audit is not None
    none = {
        field: tuple((depth, n, 0.0) for depth, n, _ in getattr(report.audit, field))
        for field in ("inside_by_depth", "updates_by_depth")
    }
    assert all(len(rows) > 2 for rows in none.values())
    sound = replace(report, audit=replace(report.audit, **none))
    for anchor in ("untrained-updates", "hierarchy-inside"):
        assert f'<figure id="{anchor}">' in html(report)
        assert anchor not in html(sound)


def test_centred_labels_of_one_line_do_not_overlap():
    marks = [(0.0, "aaaaaaaaaa"), (50.0, "bbbbbbbbbb"), (300.0, "cc")]
    placed = labels.lanes(marks, 300)
    assert [lane for _, lane in placed] == [0, 1, 0]
    assert placed[0][0] == 0
    assert placed[2][0] == 300 - 14


def _cells(page: str) -> list[list[str]]:
    table = page[page.index("samples cross") :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[: table.index("</table>")])
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_every_never_trained_row_stands_under_its_explanation_and_its_evidence():
    assert _cells(html(audited_incident())) == [
        ["explained by", "no row in the table", "equal to the initial table", "all"],
        ["beyond the table", "18,813", "–", "18,813"],
        ["in no pair", "–", "10,250", "10,250"],
        ["all", "18,813", "10,250", "29,063"],
    ]
    assert "samples cross" not in html(audited_healthy()), "every row was trained"


def test_rows_that_the_rule_leaves_out_are_told_apart():
    report = audited_incident()
    assert "of them: rows whose only evidence" not in html(report)
    results = tuple(
        replace(r, finding=replace(r.finding, count=29000)) if r.rule.id == "EMB006" else r
        for r in report.results
    )
    page = html(replace(report, results=results))
    assert "EMB006 counts 29,000 of them: rows whose only evidence is the init box" in page
    quiet = tuple(r for r in report.results if r.rule.id != "EMB006")
    assert "samples cross" not in html(replace(report, results=quiet))


def with_finding(report, id, threshold=None, **changes):
    results = tuple(
        replace(r, finding=replace(r.finding, **changes), threshold=threshold or r.threshold)
        if r.rule.id == id
        else r
        for r in report.results
    )
    return replace(report, results=results)


def in_the_box(never, box):
    """A table of 1,000 rows of which some lie in the init box and the others are in no pair."""
    evidence = {"in no pair": never - box, "inside the init box": box}
    because = {"in no pair": never - box, "unexplained": box}
    both = {"in no pair": {"in no pair": never - box}, "unexplained": {"inside the init box": box}}
    report = audited_incident()
    drawn = Untrained(1000, never, tuple(because.items()), tuple(evidence.items()), ())
    known = report.statistics["embeddings"]["never_trained"] | {"by_both": both}
    embeddings = report.statistics["embeddings"] | {"never_trained": known}
    return replace(
        report,
        audit=replace(report.audit, untrained=drawn),
        statistics={**report.statistics, "embeddings": embeddings},
        pictures=replace(report.pictures, roles=None),
    )


def test_the_picture_of_untrained_rows_counts_what_its_rule_counts():
    few = untrained(with_finding(in_the_box(7, 2), "EMB006", count=5))
    assert few.title == "5 of 1,000 rows (0.5 %) were never trained"
    assert "trained 993, near the origin, not counted 2, never trained 5" in few.description
    assert "explains it: in no pair 5;" in few.description
    assert few.description.endswith("how it is known: in no pair 5.")
    many = untrained(with_finding(in_the_box(7, 2), "EMB006", count=7))
    assert many.title == "7 of 1,000 rows (0.7 %) were never trained"
    assert "not counted" not in many.description
    root = untrained(with_finding(in_the_box(1, 1), "EMB006", found=False, count=0))
    assert root.title == "No sign that any of 1,000 rows was left untrained"
    assert len(root.notes) == 1


def test_the_picture_of_clades_has_the_numbers_and_the_threshold_of_its_rule():
    report = audited_incident()
    assert "; Streptomyces most of all" in clade_spread(report).title
    lax = with_finding(report, "HIER005", {"z": 6.0}, count=3, observed={"scattered": 3})
    picture = clade_spread(lax)
    assert picture.title.startswith(
        "3 of 165 clades (subtrees of 10 nodes or more) are wider than depth and size predict, 0 "
    )
    none = with_finding(report, "HIER005", {"z": 12.0}, count=0, observed={"scattered": 0})
    assert clade_spread(none).title.startswith("All 165 clades (subtrees of 10 nodes or more)")


def with_curve(loss, threshold=None, **settings):
    report = audited_incident()
    own = curve_of(training(loss, **settings), None)
    results = tuple(
        replace(r, threshold=threshold or r.threshold) if r.rule.id == "TRAIN009" else r
        for r in report.results
    )
    return html(replace(report, results=results, audit=replace(report.audit, curve=own)))


def test_a_rise_of_the_loss_is_marked_by_the_threshold_in_force():
    loss = [5.0, 4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.2]
    page = with_curve(loss)
    assert "The loss rises by 20.0 % from 1 at epoch 6 to 1.2 at the end" in page
    assert "rises by 20.0 % from its least, 1<" in page
    page = with_curve(loss, {"drop": 0.1, "rise": 0.3})
    assert "The loss went from 5 at most to 1.2 at the end, 76.0 % lower" in page


def test_a_plateau_is_marked():
    page = with_curve([3.0, 3.01, 2.99, 3.0, 2.98, 2.97])
    assert page.count("stands still: 3.01 at most, 2.97 at the end</text>") == 2
    assert "The loss stands still: 3.01 at most, 2.97 at the end" in page


def test_norms_at_the_clip_and_steps_of_nan_are_told():
    page = with_curve([1.0] * 60, max_norm=0.9)
    # norm_p90 is 1 - .7^(1 + k/4): 98 % of the clip's radius, ln 19, is a norm of .8943 at k = 22.
    assert "a tenth of the rows is at the clip from epoch 23; 3 steps gave NaN or infinity" in page
    assert "epoch 60: 3 steps gave NaN" in page


def test_copies_are_told_by_group_and_the_largest_is_named():
    page = html(audited_incident())
    assert "1,244 of 92,290 rows (1.3 %) repeat another, in 41 groups; the largest holds" in page
    assert "idx 5, idx 9, idx 12, idx 40 and 1,096 more" in page
    assert "1,100 rows, all zero" in page
    assert "idx 70, idx 71<" in page
    assert "place-copies" not in html(audited_healthy())


def test_hubs_are_told_in_ranges_that_double():
    page = html(audited_healthy())
    assert "are among the 10 nearest of no other; idx 7 is of 812" in page
    assert "4 to 7 times: 2,500 rows; 8 to 15 times: 0 rows" in page


def test_a_score_says_on_how_many_sources_its_nulls_were_ranked():
    report = audited_healthy()
    cards = tuple(replace(card, compared=250) for card in report.audit.scores[:1])
    page = html(replace(report, audit=replace(report.audit, scores=cards)))
    assert page.count("nulls and hollow marks: 250 of these") == 2  # at two widths
    assert "hollow marks: 250" not in html(report)
