"""The pages over a store: what each gathers, in how many queries, and what its forms do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest
from sqlalchemy import event, update

from taxcheck.model.vocabulary import number
from taxcheck.service.settings import Settings
from taxcheck.service.store import datasets, jobs, runs, tables, tokens
from taxcheck.service.store.asked import Build
from taxcheck.service.store.errors import NotThereError
from taxcheck.service.store.metrics import numbers
from taxcheck.service.store.store import open_store
from tests.service.pages.served import application, client, filled, page, said
from tests.service.pushing import sample

MOST = 8  # queries of a page
PAGES = ("/", "/ncbi", "/ncbi/animals", "/ncbi/animals?metric=coverage&last=500", "/runs/r6",
         "/runs/odd", "/compare?before=r1&after=r6", "/compare?before=r1&after=odd", "/compare",
         "/rules/PAIR003", "/rules/coverage_gap", "/jobs")  # fmt: skip


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The folder of a store that was filled, of which each test has a copy."""
    folder = tmp_path_factory.mktemp("full") / "data"
    store = open_store(Settings(data=folder))
    filled(store)
    store.close()
    return folder


@pytest.fixture
def store(settings, full):
    if settings.database is None:
        shutil.copytree(full, settings.data)
    opened = open_store(settings)
    if settings.database is not None:
        filled(opened)
    yield opened
    opened.close()


@pytest.fixture
def app(store):
    return application(store, open=True)


@contextmanager
def queries(store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*told):
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)", told[2]):
            seen.append(told[2])

    event.listen(store.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(store.database.engine, "before_cursor_execute", note)


def test_every_page_asks_the_database_eight_times_at_most(store, app):
    text, _ = tokens.create(store, "rosa", ["read"])
    browser = client(app)
    browser.post("/login", data={"token": text})
    page(browser.get("/"))  # from here on the session is known to be used
    for address in PAGES:
        with queries(store) as seen:
            page(browser.get(address))
        assert len(seen) <= MOST, (address, seen)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_holds_no_script_style_or_address_that_its_policy_forbids(app, address):
    answer = client(app).get(address)
    found = page(answer)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not found.xpath("//style | //*[@style] | //script[not(@src)]")
    for file in found.xpath("//script/@src | //link[@rel='stylesheet' or @rel='icon']/@href"):
        got = client(app).get(file)
        assert got.status_code == 200
        assert "immutable" in got.headers["cache-control"]


@pytest.mark.slow
def test_every_link_of_every_page_leads_somewhere(app):
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = client(app).get(address)
        assert answer.status_code == 200, address
        if not answer.headers["content-type"].startswith("text/html") or "/api/" in address:
            continue
        found = page(answer)
        ids = set(found.xpath("//@id"))
        for href in found.xpath("//a/@href | //link/@href | //img/@src"):
            where, _, anchor = href.partition("#")
            assert where or anchor in ids, href
            if where.startswith("/") and where not in seen and where not in waiting:
                waiting.append(where)
    assert len(seen) > 60
    assert {
        "/admin",
        "/jobs",
        "/jobs/new",
        "/compare",
        "/ncbi/animals/feed.xml",
        "/runs/r6/explorer",
    } <= seen


def test_home_is_of_the_newest_runs(app):
    found = page(client(app).get("/"))
    assert said(found.find(".//h1")) == "2 of 3 datasets fail."
    rows = found.xpath("//table[contains(@class, 'home')]/tbody/tr")
    assert [said(row.find("td")) for row in rows] == ["ERROR", "FAIL", "PASS"]


def test_a_run_is_told_beside_its_baseline(app):
    found = page(client(app).get("/runs/r6"))
    assert said(found.find(".//h1")).endswith("have the neighbours of a random place.")
    changed = said(found.get_element_by_id("changed"))
    assert "worse against the run of 2026-01-06 00:00" in changed
    downloads = found.xpath("//a[contains(@href, '/api/v1/runs/r6/report.')]/@href")
    assert len(downloads) == 5
    first = page(client(app).get("/runs/r0"))
    assert "There is no baseline" not in said(first)


def test_the_trend_is_of_the_number_that_was_asked_for(app):
    found = page(client(app).get("/ncbi/animals?metric=embeddings.quality.map&last=50"))
    figures = found.xpath("//figure/figcaption")
    newest, before = (
        number(numbers(sample(name))["embeddings.quality.map"])
        for name in ("audited incident", "audited healthy")
    )
    told = f"MAP: {newest} in the newest run, {before} in the baseline"
    assert [said(one) for one in figures] == [told]
    chosen = found.xpath("//select[@id='metric']/option[@selected]/@value")
    assert chosen == ["embeddings.quality.map"]


def test_forms_do_what_they_say_and_the_page_says_it(store, app):
    browser = client(app)

    def send(address: str, **fields: str) -> str:
        answer = browser.post(address, data=fields)
        assert answer.status_code == 303, answer.text
        found = page(browser.get(answer.headers["location"]))
        return said(found.xpath("//p[@role='status']")[0])

    assert "is pinned" in send("/runs/r0/pin", pinned="yes")
    assert runs.one(store, "r0").pinned
    assert "no longer pinned" in send("/runs/r0/pin", pinned="")
    assert "is the baseline" in send("/runs/r0/baseline", set="yes")
    assert datasets.one(store, "ncbi", "animals").baseline == "r0"
    assert "newest run that passed" in send("/runs/r0/baseline", set="")
    assert "note was added" in send("/runs/r0/notes", text="<b>seen</b>")
    assert "<b>seen</b>" in said(page(browser.get("/runs/r0")).get_element_by_id("notes"))
    assert "samples" in send("/runs/r0/erase")
    assert runs.one(store, "r0").erased
    assert "removed" in send("/runs/r0/remove")
    with pytest.raises(NotThereError):
        runs.one(store, "r0")
    wrong = browser.post("/ncbi/animals/remove", data={"name": "Animals"})
    assert "type its name" in said(page(wrong, 422))
    assert "removed" in send("/ncbi/animals/remove", name="animals")
    assert [head.name for head in datasets.heads(store)] == ["hostile", "plants"]


def test_a_job_is_asked_for_by_a_form_that_says_why_where_it_is_refused(app):
    browser = client(app)
    told = {"kind": "gate", "project": "ncbi", "dataset": "animals", "mapping": "/etc/passwd"}
    found = page(browser.post("/jobs/new", data=told), 422)
    refusal = said(found.xpath("//*[@role='alert']")[0])
    assert refusal.startswith("'/etc/passwd': is in none of the folders")
    assert found.xpath("//input[@name='mapping']/@value") == ["/etc/passwd"]
    found = page(browser.post("/jobs/new", data=told | {"embeddings": "x"}), 422)
    assert "this kind of job has no `embeddings`" in said(found)
    answer = browser.post("/jobs/new", data=told | {"kind": "build", "mapping": "",
                                                    "taxonomy": "ncbi"})  # fmt: skip
    address = answer.headers["location"]
    found = page(browser.get(address))
    assert "queued" in said(found.get_element_by_id("live"))
    assert address in page(browser.get("/jobs")).xpath("//table//a/@href")
    answer = browser.post(f"{address}/cancel")
    found = page(browser.get(answer.headers["location"]))
    assert "cancelled" in said(found.get_element_by_id("live"))


def test_jobs_that_look_stuck_come_first(store, app):
    id = jobs.submit(store, project="ncbi", dataset="animals", asked=Build(source="ncbi"))
    old = jobs.submit(store, project="ncbi", dataset="animals", asked=Build(source="ncbi"))
    with store.database.writing() as connection:
        hours = tables.job.c.created - 7_300_000
        connection.execute(update(tables.job).where(tables.job.c.id == old).values(created=hours))
    rows = page(client(app).get("/jobs")).xpath("//table/tbody/tr")
    assert [row.find(".//th/a").get("href") for row in rows] == [f"/jobs/{old}", f"/jobs/{id}"]
    assert "no worker has taken it up for 2 hours" in said(rows[0])


def test_administration_shows_what_is_made_once_and_keeps_to_its_project(store):
    filled(store)
    text, _ = tokens.create(store, "whole", ["admin"])
    browser = client(application(store))
    browser.post("/login", data={"token": text})
    made = browser.post("/admin/tokens", data={"name": "ci", "may-push": "yes", "project": "demo"})
    assert made.headers["cache-control"] == "no-store"
    new = said(page(made).find_class("copyable")[0].find("pre"))
    assert tokens.known(store, new).scopes == ("push",)
    assert new not in browser.get("/admin").text
    hook = {"project": "demo", "url": "https://93.184.215.14/x", "on-failure": "yes"}
    secret = page(browser.post("/admin/webhooks", data=hook)).find_class("copyable")[0]
    assert len(said(secret.find("pre"))) == 64
    assert "failure" in said(page(browser.get("/admin")))
    assert "scope" in said(page(browser.post("/admin/tokens", data={"name": "x"}), 422))
    assert "swept" in browser.post("/admin/sweep").headers["location"]

    part, _ = tokens.create(store, "part", ["admin"], project="ncbi")
    other = client(application(store))
    other.post("/login", data={"token": part})
    seen = said(page(other.get("/admin")))
    assert "part" in seen
    assert "whole" not in seen
    assert "93.184.215.14" not in seen
    assert "Who changed what" not in seen
    page(other.post("/admin/sweep"), 403)
    page(other.post("/admin/tokens", data={"name": "x", "may-admin": "yes"}), 403)


def test_a_form_of_another_site_changes_nothing(store, app):
    answer = client(app, Origin="https://evil.example").post("/runs/r0/remove")
    assert answer.status_code == 403
    assert runs.one(store, "r0")


def test_whoever_is_not_signed_in_is_asked_to_and_led_back(store):
    filled(store)
    text, _ = tokens.create(store, "rosa", ["read"])
    browser = client(application(store))
    asked = browser.get("/ncbi/animals")
    found = page(asked, 401)
    assert found.xpath("//input[@name='back']/@value") == ["/ncbi/animals"]
    assert "not known here" in said(page(browser.post("/login", data={"token": "tck_x"}), 401))
    answer = browser.post("/login", data={"token": text, "back": "/ncbi/animals"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ncbi/animals")
    found = page(browser.get("/ncbi/animals"))
    assert "rosa" in said(found.xpath("//div[@class='who']")[0])
    assert not found.xpath("//form[@method='post' and @action != '/logout']")
    assert browser.post("/logout").headers["location"] == "/login"
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil", "x"])
def test_signing_in_leads_nowhere_else(store, back):
    text, _ = tokens.create(store, "rosa", ["read"])
    answer = client(application(store)).post("/login", data={"token": text, "back": back})
    assert answer.headers["location"] == "/"


def test_who_may_see_one_project_sees_no_other(store):
    filled(store)
    text, _ = tokens.create(store, "demo", ["read", "push", "admin"], project="demo")
    browser = client(application(store))
    browser.post("/login", data={"token": text})
    assert "ncbi" not in said(page(browser.get("/")))
    assert page(browser.get("/ncbi/animals"), 403) is not None
    for address in ("/runs/r0", "/runs/r0/explorer"):
        assert "is not here" in said(page(browser.get(address), 404))
    assert "is not here" in said(page(browser.get("/compare?before=odd&after=r0"), 404))
    assert browser.post("/runs/r0/remove").status_code == 404
    assert "ncbi" not in said(page(browser.get("/rules/PAIR003")))


def test_what_is_not_there_is_one_sentence_on_a_page(app):
    for address, sentence in (
        ("/runs/none", "run 'none': is not here; it was never pushed, or was removed"),
        ("/ncbi/none", "dataset ncbi/none: is not here; nothing was pushed to it"),
        ("/none", "project none: is not here"),
        ("/rules/none", "'none': no run that came here has a rule or a cause of this name"),
        ("/a/b/c/d", "there is nothing at this address"),
    ):
        found = page(client(app).get(address), 404)
        assert said(found.find(".//h1")) == sentence
    refused = page(client(app).get("/ncbi/animals?last=x"), 422)
    assert said(refused.find(".//h1")).startswith("last: ")


def test_badge_and_feed(app):
    badge = client(app).get("/ncbi/animals/badge.svg")
    assert badge.headers["content-type"] == "image/svg+xml"
    assert (
        ElementTree.fromstring(badge.text).get("aria-label")
        == "animals: fail: misplaced_rows 2026-01-07"
    )
    feed = client(app).get("/ncbi/animals/feed.xml")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    atom = "{http://www.w3.org/2005/Atom}"
    root = ElementTree.fromstring(feed.content)
    links = [entry.find(f"{atom}link").get("href") for entry in root.iter(f"{atom}entry")]
    assert links == [f"http://127.0.0.1:8740/runs/r{day}" for day in range(6, -1, -1)]


def test_a_page_of_hostile_names_is_whole(app):
    for address in ("/demo/hostile", "/runs/odd", "/compare?before=r1&after=odd"):
        found = page(client(app).get(address))
        assert all(src.startswith("/static/") for src in found.xpath("//script/@src"))
        assert not found.xpath("//script[not(@src)]")
        assert not [a for e in found.iter() for a in e.attrib if a.lower().startswith("on")]
