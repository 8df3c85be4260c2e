"""Runs that arrive: kept once, within bounds, and as they were sent."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from taxcheck.model.errors import NoReportError, OtherVersionError
from taxcheck.model.written import report_from_json, report_to_json
from taxcheck.service.store import datasets, runs, tables
from taxcheck.service.store.errors import ConflictError, RefusedError, TooLargeError
from taxcheck.service.store.ingest import keep
from taxcheck.service.store.pushed import Pushed
from tests.reports.sample import REPORTS
from tests.service.pushing import dated, push, pushed, sample

OLD = sorted((Path(__file__).parents[2] / "model" / "reports").glob("*.json"))
RUN = Pushed(id="run", project="ncbi", dataset="animals")


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_comes_back_as_it_was_pushed(store, name):
    id = push(store, name)
    assert runs.report(store, id) == sample(name)
    row = runs.one(store, id)
    assert (row.verdict, row.headline) == (sample(name).verdict, sample(name).headline)


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_a_report_of_an_earlier_taxcheck_comes_back_as_it_is_read(store, path):
    raw = path.read_bytes()
    keep(store, RUN, raw)
    assert runs.report(store, "run") == report_from_json(raw)


def test_what_a_later_release_adds_stays_in_the_file(store):
    content = json.loads(report_to_json(sample("incident")))
    content["schema_version"], content["later"] = "2.7", {"more": [1, 2**70]}
    keep(store, RUN, json.dumps(content).encode())
    with store.database.reading() as connection:
        blob = connection.scalar(select(tables.run.c.blob))
    assert json.loads(store.blobs.get(blob))["later"] == content["later"]
    assert runs.report(store, "run").schema_version == "2.7"


def test_samples_are_not_in_the_file(store):
    keep(store, RUN, report_to_json(sample("incident")))
    with store.database.reading() as connection:
        blob = connection.scalar(select(tables.run.c.blob))
        rules = connection.scalars(select(tables.sample.c.rule)).all()
    assert all(result["samples"] == [] for result in json.loads(store.blobs.get(blob))["results"])
    assert sorted(rules) == [r.id for r in sample("incident").results if r.samples]


def test_the_same_run_is_kept_once(store):
    _, first = pushed(store, "incident", "run")
    _, again = pushed(store, "incident", "run")
    assert (first.created, again.created) == (True, False)
    assert (again.number, again.headline) == (1, first.headline)
    with pytest.raises(ConflictError, match="run: is there already"):
        push(store, "healthy", "run")
    with pytest.raises(ConflictError):
        push(store, "incident", "run", dataset="plants")
    assert len(runs.find(store).rows) == 1


def test_a_hundred_equal_pushes_at_once_are_one_run(store):
    raw = report_to_json(sample("incident"))
    with ThreadPoolExecutor(32) as pool:
        kept = list(pool.map(lambda _: keep(store, RUN, raw), range(100)))
    assert sum(one.created for one in kept) == 1
    assert {one.number for one in kept} == {1}
    assert datasets.one(store, "ncbi", "animals").runs == 1
    with store.database.reading() as connection:
        results = connection.scalar(select(func.count()).select_from(tables.result))
    assert results == len(sample("incident").results)


def test_thirty_two_clients_lose_nothing(store):
    """Each to a dataset that another pushes to as well, which does not exist before."""

    def client(number):
        for k in range(4):
            report = dated("incident" if k % 2 else "healthy", number + k / 10)
            push(store, report, f"{number}-{k}", dataset=f"d{number % 8}")

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(client, range(32)))
    heads = datasets.heads(store)
    assert [head.runs for head in heads] == [16] * 8
    assert len(runs.find(store, limit=500).rows) == 128
    newest = {(h.name, h.newest) for h in heads}
    assert newest == {(f"d{n % 8}", f"{n}-3") for n in range(24, 32)}


def test_equal_content_is_one_file(store):
    for k in range(3):
        push(store, "incident", f"run-{k}")
    assert len(list(store.blobs.all())) == 2  # the report, and the texts of its rules


@pytest.mark.parametrize(("raw", "error", "said"), [
    (b"", NoReportError, "no JSON"),
    (b"{}", NoReportError, "no report"),
    (b"\xff\xfe", NoReportError, "no JSON"),
    (b'{"schema_version": "99.0"}', OtherVersionError, "schema 99.0"),
    (b"[" * 10_000, TooLargeError, "10,000 levels deep"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, TooLargeError, "10,000 levels deep"),
    (b"[" + b"0," * (5 << 20) + b"0]", TooLargeError, "values"),
    (b" " * (33 << 20), TooLargeError, "34,603,008 bytes"),
    (b'{"schema_version": "2.0", "title": "\\ud800"}', NoReportError, "no JSON"),
])  # fmt: skip
def test_what_is_no_report_is_refused_and_leaves_nothing(store, raw, error, said):
    with pytest.raises(error, match=said):
        keep(store, RUN, raw)
    assert runs.find(store).rows == ()
    assert list(store.blobs.all()) == []


def test_brackets_in_texts_are_no_levels(store):
    report = replace(sample("incident"), title='a "[[[[' + "[" * 500 + '\\"{{{{\\\\')
    push(store, report, "run")
    assert runs.one(store, "run").title == report.title


@pytest.mark.parametrize(("change", "said"), [
    ({"name": "n" * 101}, "rule's name"),
    ({"id": "R" * 101}, "rule's id"),
])  # fmt: skip
def test_a_name_longer_than_any_is_refused(store, change, said):
    report = sample("incident")
    results = (replace(report.results[0], **change), *report.results[1:])
    with pytest.raises(RefusedError, match=said):
        push(store, replace(report, results=results))


def test_a_rule_of_a_plugin_is_kept_like_any_other(store):
    report = sample("incident")
    failed = next(r for r in report.results if r.outcome == "fail")
    theirs = replace(failed, id="HOUSE1", name="house <b>rule</b>\x00")
    id = push(store, replace(report, results=(*report.results, theirs)))
    (fires,) = datasets.firing(store, "HOUSE1")
    assert (fires.run, fires.outcome, fires.count) == (id, "fail", failed.count)
    assert runs.find(store, rule="HOUSE1").rows[0].id == id
    assert datasets.grid(store, "ncbi", "animals").rules[0].name == "house <b>rule</b>\ufffd"
    assert runs.report(store, id).results[-1] == theirs


@pytest.mark.parametrize("said", [
    {"id": ""}, {"id": "../x"}, {"id": "x" * 65}, {"id": "a b"}, {"project": "api"},
    {"project": "API"}, {"project": ".."}, {"dataset": "a/b"}, {"dataset": ""},
    {"dataset": "\u00e9"}, {"link": "javascript:alert(1)"}, {"link": "http://a b"},
    {"link": 'https://a"onclick='}, {"branch": "a\x00b"}, {"person": "x" * 256},
    {"commit": "a\nb"},
])  # fmt: skip
def test_names_that_cannot_be_are_refused(said):
    usual = {"id": "run", "project": "ncbi", "dataset": "animals"}
    with pytest.raises(RefusedError):
        Pushed(**usual | said)


def test_what_a_client_says_of_a_run_is_kept(store):
    said = {"commit": "abc123", "branch": "feature/<x>", "person": "Zo\u00eb",
            "link": "https://ci.example.org/1?a=b&c=d"}  # fmt: skip
    row = runs.one(store, push(store, "incident", **said))
    assert {name: getattr(row, name) for name in said} == said


def test_a_report_of_more_rules_than_anybody_could_look_at_is_refused(store):
    """Its page would take minutes, for whoever opens it."""
    report = sample("healthy")
    many = tuple(replace(report.results[0], id=f"R{k}", name=f"r{k}") for k in range(2001))
    with pytest.raises(TooLargeError, match="2,001 rules"):
        push(store, replace(report, results=many), "many")
    push(store, replace(report, results=many[:-1]), "most")
