"""How datasets stand: their newest run, since when they fail, trends, grids, baselines."""

from __future__ import annotations

import datetime as dt
import itertools
import time

import pytest
from msgspec.structs import replace
from sqlalchemy import event, insert, select

from taxcheck.service.store import datasets, runs, tables
from taxcheck.service.store.errors import NotThereError, RefusedError
from taxcheck.service.store.metrics import numbers
from taxcheck.service.store.names import project_key
from tests.service.pushing import FIRST_DAY, dated, push, sample

DAY = 86_400_000
FIRST = int(FIRST_DAY.timestamp() * 1000)
HISTORY = ("healthy", "incident", "nothing", "incident", "warned", "broken", "incident", "nothing")
STANDS = {  # after so many runs: verdict, day of the first failure, number of the newest pass
    1: ("pass", None, 0), 2: ("fail", 1, 0), 3: ("skipped", 1, 0), 4: ("fail", 1, 0),
    5: ("warn", None, 4), 6: ("error", 5, 4), 7: ("fail", 5, 4), 8: ("skipped", 5, 4),
}  # fmt: skip


def head(store):
    return datasets.one(store, "ncbi", "animals")


@pytest.mark.parametrize("runs_before", STANDS)
def test_a_dataset_stands_as_its_last_runs_say(store, runs_before):
    for day, name in enumerate(HISTORY[:runs_before]):
        push(store, dated(name, day), f"run-{day}")
    verdict, failing, passed = STANDS[runs_before]
    found = head(store)
    assert found.verdict == verdict
    assert found.newest == f"run-{runs_before - 1}"
    assert found.failing_since == (None if failing is None else FIRST + failing * DAY)
    assert found.newest_pass == f"run-{passed}"
    assert [r.id for r in found.recent] == [f"run-{day}" for day in range(runs_before)]


@pytest.mark.parametrize(
    "order", list(itertools.islice(itertools.permutations(range(5)), 0, 120, 17))
)
def test_the_order_of_arrival_does_not_matter(store, order):
    """As where an outbox is sent late."""
    for day in order:
        push(store, dated(HISTORY[day], day), f"run-{day}")
    found = head(store)
    assert (found.verdict, found.failing_since, found.newest_pass) == ("warn", None, "run-4")
    assert [r.id for r in found.recent] == [f"run-{day}" for day in range(5)]
    runs.remove(store, "run-4")
    found = head(store)
    assert (found.verdict, found.failing_since) == ("fail", FIRST + DAY)
    assert (found.newest_pass, found.runs) == ("run-0", 4)


def test_a_strip_has_the_last_fifty_and_the_rest_is_still_looked_at(store):
    push(store, dated("healthy", 0), "passed")
    for day in range(1, 60):
        push(store, dated("broken" if day > 4 else "incident", day))
    found = head(store)
    assert len(found.recent) == 50
    assert found.newest_pass == "passed"
    assert found.failing_since == FIRST + DAY
    runs.remove(store, "passed")
    assert (head(store).newest_pass, head(store).failing_since) == (None, FIRST + DAY)


def test_a_client_whose_clock_is_ahead_is_not_believed(store):
    push(store, dated("incident", 365 * 80), "ahead")
    row = runs.one(store, "ahead")
    assert row.created == row.received
    assert runs.report(store, "ahead").created.startswith("2105")
    push(store, replace(sample("healthy"), created="yesterday"), "undated")
    assert head(store).newest == "undated"


def test_a_dataset_whose_runs_are_gone_is_empty(store):
    push(store, "incident", "run")
    runs.remove(store, "run")
    found = head(store)
    assert (found.runs, found.newest, found.verdict, found.recent) == (0, None, None, ())
    assert datasets.grid(store, "ncbi", "animals").runs == ()
    assert datasets.trend(store, "ncbi", "animals", ["coverage"]).points == ()
    assert datasets.baseline(store, "ncbi", "animals") is None


def test_heads_are_of_the_projects_that_one_may_see(store):
    for project in ("a", "b", "c"):
        push(store, "incident", project=project)
    assert [head.project for head in datasets.heads(store)] == ["a", "b", "c"]
    assert [head.project for head in datasets.heads(store, {"b", "x"})] == ["b"]
    assert datasets.heads(store, set()) == ()
    assert [p.name for p in datasets.projects(store, {"c"})] == ["c"]
    assert {row.project for row in runs.find(store, projects={"a", "b"}).rows} == {"a", "b"}


def test_a_grid_has_each_rule_of_each_run(store):
    names = ("incident", "healthy", "warned")
    for day, name in enumerate(names):
        push(store, dated(name, day), name)
    grid = datasets.grid(store, "ncbi", "animals", runs=2)
    assert [run.id for run in grid.runs] == ["healthy", "warned"]
    for at, name in enumerate(names[1:]):
        results = {r.id: r for r in sample(name).results}
        for row in grid.rules:
            cell, result = row.cells[at], results.get(row.rule)
            assert (cell is None) == (result is None)
            if cell:
                assert (cell.outcome, cell.count, cell.share) == (
                    result.outcome, result.count, result.share,
                )  # fmt: skip
                assert row.name == result.name


def test_a_trend_has_every_number_that_a_report_has(store):
    day = itertools.count()
    for name in ("audited healthy", "incident", "audited incident"):
        push(store, dated(name, next(day)), name.replace(" ", "-"))
    names = datasets.metric_names(store, "ncbi", "animals")
    for name in ("coverage", "embeddings.quality.map", "embeddings.norms.percentiles.50"):
        assert name in names[:9]
    trend = datasets.trend(store, "ncbi", "animals", [*names, "PAIR003"])
    assert [point.id for point in trend.points] == [
        "audited-healthy", "incident", "audited-incident",
    ]  # fmt: skip
    assert trend.baseline == head(store).newest_pass
    for at, name in enumerate(("audited healthy", "incident", "audited incident")):
        told = numbers(sample(name))
        told["PAIR003"] = next((r.share for r in sample(name).results if r.id == "PAIR003"), None)
        for series in trend.series:
            assert series.values[at] == told.get(series.name), series.name
    assert len(datasets.trend(store, "ncbi", "animals", ["coverage"], limit=2).points) == 2


def test_a_baseline_is_what_was_chosen_or_else_the_newest_pass(store):
    for day, name in enumerate(("healthy", "warned", "incident")):
        push(store, dated(name, day), name)

    def found(which="baseline"):
        return datasets.baseline(store, "ncbi", "animals", which).id

    assert [found(), found("latest-pass"), found("latest")] == ["warned", "warned", "incident"]
    datasets.set_baseline(store, "ncbi", "animals", "healthy", "Ada")
    assert [found(), found("latest-pass")] == ["healthy", "warned"]
    assert head(store).baseline == "healthy"
    push(store, dated("incident", 5), "held")
    assert runs.one(store, "held").baseline == "healthy"
    runs.remove(store, "healthy")
    assert found() == "warned"
    assert runs.one(store, "held").baseline is None
    push(store, "incident", "elsewhere", dataset="plants")
    with pytest.raises(NotThereError, match="no run of ncbi/animals"):
        datasets.set_baseline(store, "ncbi", "animals", "elsewhere")
    with pytest.raises(RefusedError, match="is none of baseline, latest-pass, latest"):
        found("newest")


def test_scores_that_fell_are_counted_against_the_baseline(store):
    good = dated("audited healthy", 0)
    push(store, replace(good, results=()), "good")
    push(store, good, "chosen")
    datasets.set_baseline(store, "ncbi", "animals", "chosen")
    quality = good.statistics.embeddings.quality
    fallen = replace(quality, map=replace(quality.map, value=quality.map.value / 2))
    table = replace(good.statistics.embeddings, quality=fallen)
    worse = replace(good, statistics=replace(good.statistics, embeddings=table))
    push(store, replace(worse, created=dated("healthy", 2).created), "worse")
    assert (runs.one(store, "chosen").worse, runs.one(store, "worse").worse) == (0, 1)
    assert head(store).recent[-1].worse == 1


def test_webhooks_are_told_when_a_dataset_begins_or_ceases_to_fail(store):
    with store.database.writing() as connection:
        project = project_key(connection, "ncbi")
        other = project_key(connection, "other")
        rows = [
            {"key": 1, "project": project, "events": "failure recovery regression"},
            {"key": 2, "project": project, "events": "recovery"},
            {"key": 3, "project": project, "events": "failure", "paused": True},
            {"key": 4, "project": other, "events": "failure"},
        ]
        usual = {"url": "https://x", "style": "json", "secret": "s", "created": 0, "paused": False}
        connection.execute(insert(tables.webhook), [usual | row for row in rows])
    for day, name in enumerate(HISTORY[:6]):
        push(store, dated(name, day), f"run-{day}")
    push(store, dated("incident", 0.5), "late")
    query = select(tables.run.c.id, tables.delivery.c.webhook, tables.delivery.c.event).join(
        tables.run, tables.delivery.c.run == tables.run.c.key
    )
    with store.database.reading() as connection:
        told = sorted(tuple(row) for row in connection.execute(query))
    assert told == [
        ("run-1", 1, "failure"), ("run-4", 1, "recovery"), ("run-4", 2, "recovery"),
        ("run-5", 1, "failure"),
    ]  # fmt: skip


def test_where_a_rule_or_a_cause_fires_now(store):
    report = sample("incident")
    rule = next(r for r in report.results if r.outcome == "fail")
    push(store, dated("incident", 0), "old", dataset="mended")
    push(store, dated("healthy", 1), "mended", dataset="mended")
    push(store, dated("incident", 2), "broken", dataset="broken", project="b")
    for name in (rule.id, rule.name, report.causes[0].name):
        fires = datasets.firing(store, name)[-1]
        assert {f.run for f in datasets.firing(store, name)} == {fires.run} == {"broken"}
        assert (fires.project, fires.dataset) == ("b", "broken")
        assert {row.id for row in runs.find(store, rule=name).rows} == {"old", "broken"}
        assert datasets.firing(store, name, {"ncbi"}) == ()
    assert fires.outcome == report.causes[0].certainty
    assert datasets.firing(store, "NONE999") == ()


def test_a_dataset_is_removed_with_all_of_its_runs(store):
    push(store, "incident", "run")
    push(store, "incident", "other", dataset="plants")
    datasets.remove_dataset(store, "ncbi", "animals", "Ada")
    assert [row.id for row in runs.find(store).rows] == ["other"]
    for call in (head, lambda s: datasets.trend(s, "ncbi", "animals", [])):
        with pytest.raises(NotThereError, match="ncbi/animals: is not here"):
            call(store)
    with store.database.reading() as connection:
        keys = connection.scalars(select(tables.result.c.run).distinct()).all()
    assert len(keys) == 1


def test_the_story_of_a_page_is_what_its_parts_say_in_six_queries(store):
    for day in range(3):
        push(store, dated("healthy", day), f"r{day}")
    push(store, dated("incident", 3), "bad")
    seen: list[str] = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    found = datasets.story(store, "ncbi", "animals")
    assert len([said for said in seen if said.lstrip().startswith("SELECT")]) == 6
    assert found.head == datasets.one(store, "ncbi", "animals")
    assert found.grid == datasets.grid(store, "ncbi", "animals")
    assert tuple(n for n, _ in found.numbers) == datasets.metric_names(store, "ncbi", "animals")
    drawn = [series.name for series in found.trend.series]
    assert drawn == ["coverage", "pairs.depth.shares.1", "pairs.depth.shares.2-5",
                     "pairs.depth.shares.>5"]  # fmt: skip
    assert found.trend == datasets.trend(store, "ncbi", "animals", drawn, 100)
    assert found.baseline == datasets.baseline(store, "ncbi", "animals")
    one = datasets.story(store, "ncbi", "animals", ["coverage"], last=2)
    assert [point.id for point in one.trend.points] == ["r2", "bad"]
    assert len(one.grid.runs) == 4


def test_a_clock_that_is_off_is_put_right_by_what_the_client_says_of_it(store):
    """A run of a slow clock is not taken for one older than what came before it."""
    push(store, replace(sample("healthy"), created=moment(minutes=-5)), "first")
    slow = int(time.time() * 1000) - 3 * DAY
    report = replace(sample("incident"), created=moment(days=-3))
    push(store, report, "slow", clock=slow)
    assert head(store).newest == "slow"
    assert abs(runs.one(store, "slow").created - time.time() * 1000) < 10_000
    fast = int(time.time() * 1000) + 400 * DAY
    push(store, replace(sample("healthy"), created=moment(days=399)), "fast", clock=fast)
    assert head(store).newest == "slow"  # it ran a day before it was sent
    near = int(time.time() * 1000) - 30_000
    push(store, replace(sample("healthy"), created=moment(minutes=-9)), "near", clock=near)
    assert abs(runs.one(store, "near").created - time.time() * 1000 + 540_000) < 5_000


def moment(**later):
    return (dt.datetime.now(dt.UTC) + dt.timedelta(**later)).isoformat()
