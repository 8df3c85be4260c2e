"""The pages as text: what they say first, and that nothing from data becomes markup."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import lxml.html
import pytest
from msgspec.structs import replace

from taxcheck.run.registry import load_pages
from tests.service.pages import made
from tests.service.pages.hostile import LONG, TEXTS
from tests.service.pages.hostile import made as hostile
from tests.service.pages.made import VALUES

HTML = [name for name in VALUES if name not in ("badge", "feed")]
HANDLER = re.compile(r"on[a-z]+", re.IGNORECASE)


def drawn(name: str, value: object = None) -> str:
    renderer, make = VALUES[name]
    return load_pages()[0][renderer](make() if value is None else value)


def page(name: str, value: object = None) -> lxml.html.HtmlElement:
    return lxml.html.fromstring(drawn(name, value))


def said(found: lxml.html.HtmlElement) -> str:
    return " ".join(found.text_content().split())


@pytest.mark.parametrize("name", HTML)
@pytest.mark.parametrize("text", TEXTS)
def test_no_text_becomes_markup(name, text):
    own, theirs = page(name), page(name, hostile(name, TEXTS[text]))
    scripts = [s.get("src") for s in theirs.iter("script")]
    assert scripts == [s.get("src") for s in own.iter("script")]
    assert all(source and source.startswith("/static/") for source in scripts)
    assert not list(theirs.iter("b", "i", "img", "iframe", "object", "style", "base")) or text
    for element in theirs.iter():
        if not isinstance(element.tag, str):
            continue
        for name, content in element.attrib.items():
            assert not HANDLER.fullmatch(name), (element.tag, name)
            if name in ("href", "src", "action", "hx-get"):
                assert re.match(r"(/(?!/)|#|https?://)", content), content


@pytest.mark.parametrize("name", HTML)
def test_a_page_loads_nothing_from_elsewhere_and_needs_no_inline_script_or_style(name):
    found = page(name)
    for element in found.iter("script", "link", "img", "form"):
        where = [element.get(key) for key in ("src", "href", "action") if element.get(key)]
        assert all(one.startswith("/") and not one.startswith("//") for one in where), where
        assert element.tag != "script" or not (element.text or "").strip()
    assert not list(found.iter("style"))
    assert not found.xpath("//@style")


@pytest.mark.parametrize("name", HTML)
def test_a_long_name_makes_no_long_page(name):
    grown = len(drawn(name, hostile(name, LONG))) - len(drawn(name, hostile(name, "name")))
    assert grown < 600_000  # hundreds of names, each cut; whole they would be millions


@pytest.mark.parametrize("name", HTML)
def test_every_id_is_there_once_and_every_anchor_leads_to_one(name):
    found = page(name)
    ids = found.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in found.xpath("//a/@href") if href.startswith("#")} <= set(ids)
    assert set(found.xpath("//label/@for")) <= set(ids)


def test_home_tells_what_fails_by_cause_before_it_lists_all():
    found = page("home")
    assert said(found.find(".//h1")) == "3 of 7 datasets fail."
    reasons = [said(h) for h in found.iter("h3")]
    assert reasons == ["idx_shifted 2 datasets", "MAP004 1 dataset"]
    first = said(found.xpath("//ul[@class='lines']/li")[0])
    assert "ncbi / animals" in first
    assert "since 2026-11-14, 4 days ago" in first
    rows = [said(row) for row in found.xpath("//table[contains(@class, 'home')]/tbody/tr")]
    assert len(rows) == 7
    assert rows[-1].startswith("no run")


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        (("pass", "pass"), "PASS All 2 datasets pass."),
        (("pass", "warn"), "WARN No dataset fails; 1 of 2 warns."),
        (("pass", "skipped"), "UNKNOWN No dataset fails; of 1 of 2 it is not known."),
        (("pass", None), "UNKNOWN No dataset fails; of 1 of 2 it is not known."),
        (("pass",), "PASS The one dataset passes."),
        ((), "EMPTY No run has come yet."),
    ],
)
def test_home_never_calls_a_pass_what_is_not_known(verdicts, word):
    lines = tuple(made.sound(f"d{at}", verdict) for at, verdict in enumerate(verdicts))
    found = page("home", replace(made.home(), failing=(), datasets=lines))
    assert said(found.xpath("//section[contains(@class, 'band')]")[0]) == word


def test_a_point_links_to_its_run_and_a_table_holds_the_same():
    found = page("dataset")
    for kind in ("wide", "narrow"):
        links = found.xpath(f"//figure[1]//svg[contains(@class, '{kind}')]//a/@href")
        assert links == [f"/runs/run-{at:03}" for at in range(made.RUNS)]
    rows = found.xpath("//table[@class='samples']/tbody/tr")
    assert [row.find(".//a").get("href") for row in rows][:2] == ["/runs/run-039", "/runs/run-038"]
    assert [said(cell) for cell in rows[0]][1:] == ["FAIL", "0.7371", "4.3", "110,478", ""]


def test_a_trend_has_its_baseline_its_waiver_and_a_mark_where_the_cause_changes():
    found = page("dataset")
    wide = found.xpath("//svg[contains(@class, 'wide')]")[0]
    labels = [text.text for text in wide.iter("text")]
    assert "baseline 1" in labels
    assert "waiver PAIR009" in labels
    turns = ["index_range_as_taxids", "closure_cut_short", "no cause", "idx_shifted"]
    assert [label for label in labels if label in turns] == turns
    assert "MAP004 by ines until 2026-12-18 (waived)" in said(found)


def test_a_number_that_never_changed_is_a_sentence_unless_it_was_asked_for():
    found = page("dataset")
    titles = [said(one) for one in found.iter("figcaption")]
    assert [title.partition(":")[0] for title in titles] == ["nodes in a pair, share", "mean rank"]
    notes = [said(note) for note in found.get_element_by_id("trends").find_class("note")]
    assert notes[:2] == [
        "rows of the mapping: 110,478 in all 40 runs shown.",
        "a number of one run: 5 in the one run that has it.",
    ]
    alone = replace(made.dataset(), trends=made.dataset().trends[2:3])
    titles = [said(one) for one in page("dataset", alone).iter("figcaption")]
    assert titles == ["rows of the mapping: 110,478 in all runs shown"]


def test_a_run_tells_its_causes_then_what_changed_then_the_report():
    found = page("run")
    headings = [said(h) for h in found.iter("h1", "h2")]
    order = ["Why", "Changed since the baseline", "Rules", "Findings", "How to reproduce"]
    assert [h for h in headings if h in order] == order
    assert "23 new" in said(found.get_element_by_id("changed"))
    files = {a.text: a.get("href") for a in found.xpath("//a[starts-with(@href, '/api/')]")}
    assert files["SARIF"] == "/api/v1/runs/run-039/report.sarif"


def test_a_run_without_a_baseline_says_so():
    found = page("run", replace(made.run(before=None)))
    assert "There is no baseline" in said(found.get_element_by_id("changed"))


def test_different_datasets_are_told_apart_first_and_nothing_is_better():
    found = page("compare different")
    words = said(found.get_element_by_id("main"))
    assert words.index("Different datasets.") < words.index("Before")
    assert "DIFFERENT DATASETS" in words
    changes = {said(cell) for cell in found.xpath("//td[@class='outcome']")}
    assert changes == {"differs", "unchanged"}
    assert "Higher is better" not in words
    assert {"fixed", "better"} <= {
        said(cell) for cell in page("compare").xpath("//td[@class='outcome']")
    }


def test_a_failed_job_shows_the_line_that_the_command_line_prints():
    found = page("job")
    assert said(found.xpath("//*[@role='alert']")[0]) == "pairs.parquet: holds no column of idx"
    assert not found.xpath("//meta[@http-equiv='refresh']")
    assert not found.xpath("//*[@hx-get]")


def test_a_job_that_runs_is_looked_at_again_with_scripts_and_without():
    found = page("job that runs")
    assert found.xpath("//noscript/meta[@http-equiv='refresh']")
    assert found.get_element_by_id("live").get("hx-get") == "/jobs/running-0f3c"


def test_what_a_person_may_not_do_is_not_offered():
    nobody = replace(made.FRAME, person=None, scopes=frozenset(("read",)), leaves=False)
    value = replace(made.run(), frame=nobody, may_push=False, may_admin=False)
    forms = page("run", value).xpath("//form/@action")
    assert set(forms) == {"/compare"}
    assert not page("run", value).xpath("//a[@href='/admin']")


def test_a_link_of_a_client_is_one_only_to_the_web():
    line = made.run().line
    for link, shown in (("javascript:alert(1)", False), ("data:text/html,x", False),
                        ("https://ci.example/1", True), ("//evil.example", False)):  # fmt: skip
        found = page("run", replace(made.run(), line=replace(line, link=link)))
        assert bool(found.xpath(f"//a[@href='{link}']")) == shown


def test_an_outcome_that_nobody_knows_is_shown_grey_and_by_its_name():
    value = replace(made.home(), datasets=(made.sound("odd", 'x" onload="y'),), failing=())
    found = page("home", value)
    word = found.xpath("//tbody//span[contains(@class, 'word-of')]")[0]
    assert word.get("class") == "word-of skipped"
    assert found.xpath("//svg[@class='strip']/path/@class") == ["s-skipped"]


@pytest.mark.parametrize("text", [None, *TEXTS])
def test_badge_and_feed_are_xml(text):
    for name in ("badge", "feed"):
        value = VALUES[name][1]() if text is None else hostile(name, TEXTS[text])
        root = ElementTree.fromstring(drawn(name, value).encode())
        assert not [e for e in root.iter() if e.tag.endswith("script")]
    if text is None:
        atom = "{http://www.w3.org/2005/Atom}"
        links = [e.find(f"{atom}link").get("href") for e in root.iter(f"{atom}entry")]
        assert links == [f"https://checks.example/runs/run-03{at}" for at in (9, 8)]
        assert root.find(f"{atom}updated").text == "2026-11-17T11:06:40Z"
