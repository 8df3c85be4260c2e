from __future__ import annotations

import re
from importlib import import_module

import numpy as np
import pytest
from msgspec.structs import replace

from taxcheck.model.finding import Outcome
from taxcheck.model.pictures import AuditPictures, Bar, Pictures, Untrained
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_renderers
from tests.reports.audit import (
    BEYOND,
    CLADE_Z,
    SAME,
    ZERO,
    audited_healthy,
    audited_incident,
    incident_table,
    lost,
)
from tests.reports.incident import incident
from tests.reports.tables import training

labels = import_module("taxcheck_reports.pictures.labels")
clade_spread = import_module("taxcheck_reports.pictures.hierarchy").clade_spread
untrained = import_module("taxcheck_reports.pictures.training").untrained


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
    nodes, never, beyond = len(lost()), np.count_nonzero(lost()), BEYOND
    assert (
        f"{never} of {nodes:,} rows ({never / nodes:.1%}) were never trained: as many as the nodes "
        "that are in no pair".replace("%)", " %)")
        in page
    )
    for what, count, of in (
        ("in a pair", nodes - never, nodes),
        ("never trained", never, nodes),
        ("beyond the table", beyond, never),
        ("recorded updates", never - beyond, never),
    ):
        assert f"{what}: {count:,} ({100 * count / of:.1f} %)" in page


@pytest.mark.parametrize(
    ("never", "lacking", "said"),
    [
        (0, 0, "All 10 rows were trained"),
        (1, 0, "1 of 10 rows (10.0 %) was never trained"),
        (3, 2, "3 of 10 rows (30.0 %) were never trained; 2 nodes are in no pair"),
    ],
)
def test_the_title_states_what_was_found(never, lacking, said):
    told = Untrained(10, never, (("unexplained", never),), (), (), trained_known=True)
    audit = AuditPictures(untrained=told)
    roles = (Bar("both", 10 - lacking), Bar("", 0), Bar("", 0), Bar("none", lacking))
    page = html(replace(incident(), audit=audit, pictures=Pictures(roles=roles)))
    shown = f"<figcaption>{said}</figcaption>" if never else f"</svg>{said}</summary>"
    assert shown in page  # what is fine is folded


@pytest.mark.parametrize("known", [False, True])
def test_that_rows_were_trained_is_said_only_where_it_is_known(known):
    told = Untrained(10, 0, (), (), (), ("no row in the table", "in no pair"), known)
    page = html(replace(incident(), audit=AuditPictures(untrained=told)))
    unknown = "No row is known to be untrained; whether the rows were trained is not recorded"
    assert (f"<figcaption>{unknown}</figcaption>" in page) is not known
    assert ("not known to be untrained: 10 (100 %)" in page) is not known
    assert ("All 10 rows were trained" in page) is known
    assert ("trained: 10 (100 %)" in page.replace("untrained: 10 (100 %)", "")) is known


def test_a_report_shows_its_reader_no_other_tables_norms_and_says_why_far_rows_are_right():
    page = html(audited_healthy())
    assert "incident" not in page.lower()
    assert "repaired start" not in page
    assert "have a norm above 0.9 in the unit ball, a radius above 2.94. That is right" in page
    assert "That is right" not in html(audited_incident())  # its rule does not pass


def test_scores_are_told_against_their_nulls():
    audit = audited_incident().audit
    page = html(audited_incident())
    pictured_alone = ("mean rank", "class separation")
    shown = [card for card in audit.scores if card.nulls and card.label not in pictured_alone]
    ranking, *_ = shown
    beyond = [card for card in shown if all(null.exceeded for null in card.nulls)]
    said = f"{len(beyond)} of {len(shown)} scores are better than every null"
    assert 0 < len(beyond) < len(shown)
    assert f"MAP {ranking.value:.3f}: {said}" in page
    assert "not better than depth-aware init" in page
    z = np.array(audit.clades.z)
    wider, tighter = np.count_nonzero(z > CLADE_Z), np.count_nonzero(z < -CLADE_Z)
    assert tighter
    level = "subtrees of 10 nodes or more"
    said = f"{wider} of {len(z)} clades ({level}) are wider than depth and size predict, {tighter}"
    assert f"{said} tighter" in page
    within = [middle >= 0.98 * audit.radii.clip for _, (_, _, middle, _, _) in audit.radii.bands]
    assert any(within)
    said = f"At {100 * np.mean(within):.1f} % of the depths the median row is within 2 % of the"
    assert f"{said} clip" in page


def test_findings_lead_to_their_picture():
    page = html(audited_incident())
    for rule, anchor in (
        ("EMB001", "untrained-untrained"),
        ("EMB004", "place-row-radii"),
        ("EMB006", "untrained-untrained"),
        ("TRAIN009", "training-curve"),
        ("HIER005", "hierarchy-clade-spread"),
    ):
        section = page[page.index(f'id="rule-{rule}"') :]
        section = section[: section.index("</article>")]
        assert f'<a href="#{anchor}">Drawn above</a>' in section
        assert f'id="{anchor}"' in page


def test_the_checkpoint_is_named_with_what_was_checked():
    table, _ = incident_table()
    said = f"best.safetensors {len(table):,} rows in 10 dimensions"
    assert said in html(audited_incident())
    terminal = load_renderers()["terminal"](audited_incident(), RenderOptions())
    assert said in " ".join(terminal.split())


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
    report = audited_incident()
    inside = {"inside_by_depth": ((1, 10, 0.0), (2, 100, 0.1), (3, 90, 0.3))}  # 37 of 200
    without = {"updates_by_depth": ((0, 10, 0.0), (1, 20, 0.25), (2, 70, 0.5))}  # 40 of 100
    page = html(replace(report, audit=replace(report.audit, **inside, **without)))
    assert (
        "18.5 % of the children lie nearer the centre than their parent; at depth 3, 30.0 %" in page
    )
    assert "40.0 % of the nodes had no update; at depth 2, 50.0 %" in page


def test_where_nothing_is_wrong_at_any_depth_nothing_is_drawn():
    report = audited_incident()
    assert report.audit is not None
    none = {
        field: tuple((depth, n, 0.0) for depth, n, _ in getattr(report.audit, field))
        for field in ("inside_by_depth", "updates_by_depth")
    }
    assert all(len(rows) > 2 for rows in none.values())
    some = {field: (*rows[:-1], (*rows[-1][:2], 0.5)) for field, rows in none.items()}
    for shown, found in ((some, True), (none, False)):
        page = html(replace(report, audit=replace(report.audit, **shown)))
        for anchor in ("untrained-updates", "hierarchy-inside"):
            assert (f'<figure id="{anchor}">' in page) is found


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
    never = np.count_nonzero(lost())
    beyond, holes, every = str(BEYOND), str(never - BEYOND), str(never)
    assert _cells(html(audited_incident())) == [
        ["explained by", "no row in the table", "recorded updates", "all"],
        ["beyond the table", beyond, "–", beyond],
        ["in no pair", "–", holes, holes],
        ["all", beyond, holes, every],
    ]
    assert "samples cross" not in html(audited_healthy()), "every row was trained"


def test_rows_that_the_rule_leaves_out_are_told_apart():
    report = audited_incident()
    assert "of them: rows whose only evidence" not in html(report)
    results = tuple(replace(r, count=200) if r.id == "EMB006" else r for r in report.results)
    page = html(replace(report, results=results))
    assert "EMB006 counts 200 of them: rows whose only evidence is the init box" in page
    quiet = tuple(r for r in report.results if r.id != "EMB006")
    assert "samples cross" not in html(replace(report, results=quiet))


def with_finding(report, id, threshold=None, **changes):
    results = tuple(
        replace(r, threshold=threshold or r.threshold, **changes) if r.id == id else r
        for r in report.results
    )
    return replace(report, results=results)


def in_the_box(never, box):
    """A table of 1,000 rows of which some lie in the init box and the others are in no pair."""
    evidence = {"in no pair": never - box, "inside the init box": box}
    because = {"in no pair": never - box, "unexplained": box}
    both = {"in no pair": {"in no pair": never - box}, "unexplained": {"inside the init box": box}}
    report = audited_incident()
    drawn = Untrained(
        1000, never, tuple(because.items()), tuple(evidence.items()), (), trained_known=True
    )
    table = report.statistics.embeddings
    table = replace(table, never_trained=replace(table.never_trained, by_both=both))
    return replace(
        report,
        audit=replace(report.audit, untrained=drawn),
        statistics=replace(report.statistics, embeddings=table),
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
    root = untrained(with_finding(in_the_box(1, 1), "EMB006", outcome=Outcome.PASS, count=0))
    assert root.title == "No sign that any of 1,000 rows was left untrained"
    assert len(root.notes) == 1


def test_the_picture_of_clades_has_the_numbers_and_the_threshold_of_its_rule():
    report, level = audited_healthy(), "clades (subtrees of 10 nodes or more)"
    z = np.array(report.audit.clades.z)
    limit = round(float(z[z > 0].mean()), 2)
    title = clade_spread(with_finding(report, "HIER005", {"z": limit})).title
    wider, tighter = np.count_nonzero(z > limit), np.count_nonzero(z < -limit)
    assert wider
    said = f"{wider} of {len(z)} {level} are wider than depth and size predict, {tighter} tighter"
    assert title == f"{said}; {report.audit.clades.named[0].label} most of all"
    none = clade_spread(with_finding(report, "HIER005", {"z": 1.01 * max(abs(z))}))
    assert none.title == f"All {len(z)} {level} are spread as depth and size predict"


@pytest.mark.parametrize(
    ("never", "wide", "narrow"),
    [(0.0, ">0 %<", "0 % untrained"), (None, ">unknown<", "training unknown")],
)
def test_of_a_clade_whose_training_nothing_tells_no_share_is_drawn(never, wide, narrow):
    report = audited_healthy()
    clades = report.audit.clades
    named = tuple(replace(clade, never_trained=never) for clade in clades.named)
    told = replace(report, audit=replace(report.audit, clades=replace(clades, named=named)))
    page = html(told)
    figure = page[page.index('<figure id="hierarchy-clade-spread"') :]
    figure = figure[: figure.index("</figure>")]
    assert wide in figure
    assert narrow in figure
    assert ("0 %" in figure) is (never == 0)


def with_curve(loss, threshold=None, **settings):
    report = audited_incident()
    own = training(loss, **settings).curve
    results = tuple(
        replace(r, threshold=threshold or r.threshold) if r.id == "TRAIN009" else r
        for r in report.results
    )
    return html(replace(report, results=results, audit=replace(report.audit, curve=own)))


def test_a_rise_of_the_loss_is_marked_by_the_threshold_in_force():
    loss = [5.0, 4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.2]
    page = with_curve(loss)
    assert "The loss rises: 1 at its least, 1.2 at the end" in page
    assert "rises: 1 at its least, 1.2 at the end<" in page
    page = with_curve(loss, {"drop": 0.1, "rise": 0.3})
    assert "The loss went from 5 at most to 1.2 at the end, 76.0 % lower" in page


def test_a_plateau_is_marked():
    page = with_curve([3.0, 3.01, 2.99, 3.0, 2.98, 2.97])
    assert page.count("stands still: 3.01 at most, 2.97 at the end</text>") == 2
    assert "The loss stands still: 3.01 at most, 2.97 at the end" in page


def test_norms_at_the_clip_and_steps_of_nan_are_told():
    page = with_curve([1.0] * 60, max_norm=0.9)
    # norm_p90 is 1 - .7^(1 + k/4): 98 % of the clip's radius, ln 19, is a norm of .8943 at k = 22.
    assert "a tenth of the norms reached the clip at epoch 23; 3 steps gave NaN or infinity" in page
    assert "epoch 60: 3 steps gave NaN" in page


def test_copies_are_told_by_group_and_the_largest_is_named():
    page = html(audited_incident())
    copied = len(ZERO) - 1 + len(SAME) - 1
    table, _ = incident_table()
    assert f"{copied} of {len(table):,} rows (0.4 %) repeat another, in 2 groups; the la" in page
    zero, same = audited_incident().audit.copies.largest
    assert f"{', '.join(zero.names)} and {len(ZERO) - len(zero.names)} more" in page
    assert f"{len(ZERO)} rows, all zero" in page
    assert f"{', '.join(same.names)}<" in page
    assert "place-copies" not in html(audited_healthy())


def test_hubs_are_told_in_ranges_that_double():
    page = html(audited_healthy())
    hubs = audited_healthy().audit.hubs
    name, times = hubs.greatest
    assert f"are among the 10 nearest of no other; {name} is of {times:,}" in page
    rows = {low: rows for low, _, rows in hubs.bins}
    assert f"4 to 7 times: {rows[4]} rows; 8 to 15 times: {rows[8]} rows" in page


def test_a_score_says_on_how_many_sources_its_nulls_were_ranked():
    report = audited_healthy()
    cards = tuple(replace(card, compared=250) for card in report.audit.scores[:1])
    page = html(replace(report, audit=replace(report.audit, scores=cards)))
    assert page.count("nulls and hollow marks: 250 of these") == 2  # at two widths
    assert "hollow marks: 250" not in html(report)


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
def test_which_table_was_read_stands_where_the_verdict_is(name):
    report = audited_healthy()
    guess = "other.weight has as many rows."
    inputs = [
        replace(one, columns={**one.columns, "guessed": guess}) if one.role == "checkpoint" else one
        for one in report.inputs
    ]
    report = replace(report, inputs=tuple(inputs))
    said = next(one.columns for one in report.inputs if one.role == "checkpoint")
    text = load_renderers()[name](report, RenderOptions()).replace("\u00a0", " ")
    told = re.sub(r"</?b>|\s+", " ", text.partition('<section id="data"')[0])
    table = f"Table: {said['table']}, {said['geometry']}, {said['rows']}"
    assert f"{table}. {guess.rstrip('.')}" in told.replace("  ", " ")
