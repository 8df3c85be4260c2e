"""What badge, home and dataset say: never a pass that the newest reports do not say."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from taxcheck.model.finding import Outcome
from taxcheck.service.store import datasets, runs, tables
from taxcheck.service.store.store import open_store
from tests.service.asking import application, asking, client, token
from tests.service.pages.served import page, said
from tests.service.pushing import dated, push, sample


@pytest.fixture
def app(store):
    return application(store, open=True)


def badge(app, dataset="animals", shown=None, **asked):
    answer = client(app, shown).get(f"/ncbi/{dataset}/badge.svg", params=asked)
    assert answer.status_code == 200, answer.text
    return re.search("<title>(.*)</title>", answer.text)[1], answer.text


def home(app):
    return page(client(app).get("/"))


def strict(day):
    """A run that only warns, of a job that was told to fail on warnings."""
    return replace(dated("warned", day), fail_on=Outcome.WARN)


def test_a_badge_tells_verdict_cause_and_day(store, app):
    push(store, dated("healthy", 1))
    assert badge(app)[0] == "animals: pass 2026-01-02"
    push(store, dated("incident", 2))
    assert re.fullmatch(r"animals: fail: \w+ 2026-01-03", badge(app)[0])


def test_a_run_that_came_last_and_failed_is_not_hidden_by_one_of_a_later_date(store, app):
    """As where a client's clock is slow, or SOURCE_DATE_EPOCH names another day."""
    push(store, dated("healthy", 9), "passed")
    push(store, dated("incident", 2), "late")
    told, drawn = badge(app)
    assert told == "animals: unknown, the last run failed 2026-01-10"
    assert "#00775a" not in drawn
    found = home(app)
    assert said(found.find(".//h1")) == "No dataset fails; of 1 of 1 it is not known."
    assert found.xpath("//section[@aria-labelledby='unknown']//a[@href='/runs/late']")
    assert [said(cell) for cell in found.xpath("//a[@class='verdict']")] == ["UNKNOWN"]
    shown = page(client(app).get("/ncbi/animals"))
    assert said(shown.xpath("//p[@class='word']")[0]) == "UNKNOWN"
    assert shown.xpath("//p[@class='facts']/a[@href='/runs/late']")
    push(store, dated("healthy", 3), "again")  # what came last passes: nothing denies the newest
    assert badge(app)[0] == "animals: pass 2026-01-10"
    runs.remove(store, "again")  # and then what came last is the one that failed
    assert "unknown" in badge(app)[0]
    runs.remove(store, "late")
    assert badge(app)[0] == "animals: pass 2026-01-10"


def test_a_warning_that_fails_its_job_is_no_pass(store, app):
    push(store, dated("healthy", 1), "passed")
    push(store, strict(2), "strict")
    found = datasets.one(store, "ncbi", "animals")
    assert (found.verdict, found.exit_code, found.newest_pass) == ("warn", 1, "passed")
    assert found.failing_since is not None
    told, drawn = badge(app)
    assert told.startswith("animals: warn, which fails: ")
    assert "#b34700" in drawn
    assert said(home(app).find(".//h1")) == "1 of 1 dataset fails."
    shown = page(client(app).get("/ncbi/animals"))
    assert "--fail-on warn" in said(shown.xpath("//section[contains(@class, 'band')]")[0])
    assert datasets.baseline(store, "ncbi", "animals", "latest-pass").id == "passed"


def test_a_run_that_judged_nothing_does_not_end_a_failure(store, app):
    push(store, dated("incident", 1))
    push(store, dated("nothing", 2))
    assert badge(app)[0] == "animals: nothing judged 2026-01-03"
    shown = said(home(app).xpath("//section[@aria-labelledby='unknown']")[0])
    assert "newest run judged nothing; it has failed before that, since 2026-01-02" in shown


def test_a_branch_has_a_badge_of_its_own(store, app):
    push(store, dated("incident", 1), branch="main")
    push(store, dated("healthy", 2), branch="try")
    assert badge(app)[0] == "animals: pass 2026-01-03"
    assert badge(app, branch="main")[0].startswith("animals: fail: ")
    assert badge(app, branch="try")[0] == "animals: pass 2026-01-03"
    assert badge(app, branch="none")[0] == "animals: no run"
    push(store, dated("incident", 0), branch="try")
    assert badge(app, branch="try")[0] == "animals: unknown, the last run failed 2026-01-03"
    feed = client(app).get("/ncbi/animals/feed.xml?branch=main").text
    assert feed.count("<entry>") == 1


def test_who_fails_without_a_cause_has_no_link_to_one(store, app):
    push(store, dated("healthy", 1), "passed")
    with store.database.writing() as connection:
        gone = {"cause": None, "exit_code": 1, "verdict": "fail"}
        connection.execute(tables.run.update().values(**gone))
    assert "no cause was named" in said(home(app))
    assert not home(app).xpath("//a[starts-with(@href, '/rules/no')]")


def test_a_token_in_an_address_shows_badge_and_feed_and_nothing_else(store):
    app = application(store)
    push(store, dated("healthy", 1), "mine")
    push(store, "healthy", project="foreign")
    watch = token(store, "watch", project="ncbi")
    assert badge(app, token=watch)[0] == "animals: pass 2026-01-02"
    asked = client(app)
    assert asked.get(f"/ncbi/animals/feed.xml?token={watch}").status_code == 200
    assert asked.get(f"/foreign/animals/badge.svg?token={watch}").status_code == 403
    for path in ("/", "/ncbi/animals", "/runs/mine", "/api/v1/runs", "/api/v1/runs/mine"):
        assert asked.get(path, params={"token": watch}).status_code == 401, path
        assert client(app, watch).get(path).status_code == 403, path
    for scopes in (("read",), ("read", "watch"), ("admin",)):
        answer = asked.get("/ncbi/animals/badge.svg", params={"token": token(store, *scopes)})
        assert answer.status_code == 403
        assert "revoke this one" in answer.text
    assert asked.get("/ncbi/animals/badge.svg?token=tck_none").status_code == 401
    assert asked.get("/ncbi/animals/badge.svg").status_code == 401


def test_only_what_was_asked_for_with_a_token_may_be_shown_by_other_pages(store):
    """How wide a picture is tells what is written in it."""
    app = application(store)
    push(store, "healthy")
    policy = "cross-origin-resource-policy"
    watch = token(store, "watch")
    answer = client(app).get(f"/ncbi/animals/badge.svg?token={watch}")
    assert answer.headers[policy] == "cross-origin"
    answer = client(app, token(store, "read")).get("/ncbi/animals/badge.svg")
    assert answer.headers[policy] == "same-origin"


def test_a_token_that_pushes_chooses_no_baseline(store):
    """As in REST: it would decide how the runs of others are judged."""
    push(store, "healthy", "one")
    pusher = asking(store, "push", "read")
    assert pusher.post("/runs/one/baseline", data={"set": "yes"}).status_code == 403
    assert "Set as baseline" not in pusher.get("/runs/one").text
    assert datasets.one(store, "ncbi", "animals").baseline is None
    admin = asking(store, "admin")
    assert admin.post("/runs/one/baseline", data={"set": "yes"}).status_code == 303
    assert datasets.one(store, "ncbi", "animals").baseline == "one"


def test_a_rule_of_another_project_is_not_told_to_exist(store):
    report = sample("incident")
    first = report.results[0]
    named = replace(first, id="SECRET001", name="secret_of_theirs")
    push(store, replace(report, results=(named, *report.results[1:])), project="foreign")
    push(store, "healthy", project="mine")
    app = application(store)
    mine = client(app, token(store, "read", project="mine"))
    everybody = client(app, token(store, "read"))
    for name in ("SECRET001", "secret_of_theirs"):
        assert everybody.get(f"/rules/{name}").status_code == 200
        assert mine.get(f"/rules/{name}").status_code == 404


def test_what_stood_before_the_columns_were_there_stands_after(store, settings):
    """Verdicts become exit codes, and the run that came last is found."""
    push(store, dated("healthy", 9), "passed")
    push(store, dated("incident", 2), "late")
    with store.database.writing() as connection:
        for said in (
            "ALTER TABLE run DROP COLUMN exit_code",
            "ALTER TABLE dataset DROP COLUMN latest",
            "UPDATE alembic_version SET version_num = '0001'",
        ):
            connection.execute(text(said))
    store = open_store(settings)
    assert datasets.one(store, "ncbi", "animals").late.id == "late"
    assert [runs.one(store, id).exit_code for id in ("passed", "late")] == [0, 1]
    store.close()


def test_runs_without_a_number_are_not_passed_over_in_silence(store, app):
    """The line of a trend leads past them."""
    for day, name in enumerate(("healthy", "incident", "nothing", "healthy")):
        push(store, dated(name, day))
    shown = said(page(client(app).get("/ncbi/animals?metric=coverage")).get_element_by_id("trends"))
    assert "1 run shown above has it not" in shown
    push(store, dated("healthy", 5), dataset="steady")
    push(store, dated("nothing", 6), dataset="steady")
    push(store, dated("healthy", 7), dataset="steady")
    shown = said(page(client(app).get("/ncbi/steady")).get_element_by_id("trends"))
    assert "in all 2 runs that have it (1 shown above has it not)" in shown
