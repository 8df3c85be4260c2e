"""The pages in a browser: a walk through them, with scripts and without; names; sizes; axe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.reports.chromium import NEEDS_CHROMIUM, screen
from tests.reports.test_layout import AXE, FAULTS, OPEN

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
PAGES = {
    "home": "/",
    "project": "/ncbi",
    "dataset": "/ncbi/animals",
    "run": "/runs/r6",
    "compare": "/compare?before=r1&after=r6",
    "different": "/compare?before=r1&after=odd",
    "form of compare": "/compare",
    "rule": "/rules/PAIR003",
    "jobs": "/jobs",
    "new job": "/jobs/new",
    "admin": "/admin",
    "login": "/login",
    "failure": "/runs/none",
    "hostile dataset": "/demo/hostile",
    "hostile run": "/runs/odd",
}


# Of a hostile report each list is as long as it may be, and axe looks at each entry for minutes:
# here it has a few of each.
_FEW = """
for (const list of document.querySelectorAll("ul, ol, tbody, dl")) {
  for (const entry of [...list.children].slice(3)) entry.remove();
}
for (const finding of [...document.querySelectorAll("main article")].slice(4)) finding.remove();
"""


@contextmanager
def scripts(browser, enabled: bool) -> Iterator[None]:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not enabled})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def follow(browser, wanted: str) -> None:
    """Click what a selector finds first, and wait for the page that it leads to."""
    wait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait(browser, 20, 0.05)
    stale = pytest.importorskip("selenium.common.exceptions").StaleElementReferenceException
    before = browser.find_element("css selector", "html")

    def clicked(_) -> bool:
        try:
            browser.find_element("css selector", wanted).click()
        except stale:  # a page that renews itself took it away between the two
            return False
        return True

    wait.until(clicked)
    expected = pytest.importorskip("selenium.webdriver.support.expected_conditions")
    wait.until(expected.staleness_of(before))


def text(browser, wanted: str) -> str:
    """What a selector finds first says, read in one step: a page that renews itself may not come
    between finding and reading."""
    return browser.execute_script(
        "return document.querySelector(arguments[0]).innerText.trim()", wanted
    )


def heading(browser) -> str:
    return text(browser, "h1")


@pytest.mark.parametrize("enabled", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_walk_from_home_to_a_job(browser, served, enabled):
    with scripts(browser, enabled):
        browser.get(served)
        assert heading(browser) == "2 of 3 datasets fail."
        follow(browser, "a[href='/ncbi/animals']")
        assert heading(browser) == "animals"
        follow(browser, ".cells li:last-child a")
        assert heading(browser).endswith("have the neighbours of a random place.")
        follow(browser, "form[action='/compare'] button")
        assert heading(browser).startswith("Findings: 23 new.")
        follow(browser, "nav[aria-label=Site] a[href='/jobs']")
        follow(browser, "table th a")
        assert heading(browser) == "build of ncbi / animals"
        assert text(browser, ".state .word-of") == "queued"


@pytest.mark.parametrize("enabled", [True, False])
def test_a_point_of_a_trend_leads_to_its_run(browser, served, enabled):
    with scripts(browser, enabled):
        browser.get(f"{served}/ncbi/animals?metric=coverage")
        follow(browser, "svg.wide a[href='/runs/r2'] path")
        assert browser.current_url == f"{served}/runs/r2"


def test_another_number_is_drawn_without_a_new_page_and_has_its_address(browser, served):
    ui = pytest.importorskip("selenium.webdriver.support.ui")
    browser.get(f"{served}/ncbi/animals")
    browser.execute_script("window.same = true")
    ui.Select(browser.find_element("id", "metric")).select_by_value("embeddings.quality.map")
    ui.WebDriverWait(browser, 20, 0.05).until(lambda b: text(b, "figcaption").startswith("MAP"))
    assert browser.execute_script("return window.same")
    assert "metric=embeddings.quality.map" in browser.current_url
    browser.refresh()
    assert text(browser, "figcaption").startswith("MAP")


def test_without_scripts_another_number_is_a_form_away(browser, served):
    ui = pytest.importorskip("selenium.webdriver.support.ui")
    with scripts(browser, False):
        browser.get(f"{served}/ncbi/animals")
        ui.Select(browser.find_element("id", "metric")).select_by_value("embeddings.quality.map")
        follow(browser, ".choose button")
        assert text(browser, "figcaption").startswith("MAP")


def test_a_job_is_looked_at_again_by_itself(browser, served):
    ui = pytest.importorskip("selenium.webdriver.support.ui")
    browser.get(f"{served}/jobs")
    follow(browser, "table th a")
    browser.execute_script("document.querySelector('#live .state').id = 'old'")
    ui.WebDriverWait(browser, 20, 0.1).until(lambda b: not b.find_elements("id", "old"))
    assert text(browser, ".state .word-of") == "queued"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_or_a_request_to_another_host(browser, served, name):
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(f"{served}{PAGES[name]}")
    browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 100))")
    told = [entry["message"] for entry in browser.get_log("browser")]
    assert [one for one in told if "404 (Not Found)" not in one or name != "failure"] == []
    requests = [e["message"] for e in browser.get_log("performance")]
    sent = [m for m in requests if '"Network.requestWillBeSent"' in m]
    assert sent
    assert all(served in message for message in sent)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_everything_has_its_place_at_every_width(browser, served, name):
    browser.get(f"{served}{PAGES[name]}")
    browser.execute_script(OPEN)
    for width in (1280, 640, 390, 320):
        with screen(browser, width):
            assert browser.execute_script(FAULTS) == [], width


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, served, name, width, scheme):
    axe = pytest.importorskip("selenium_axe_python").Axe(browser)
    with screen(browser, width, prefers_color_scheme=scheme):
        browser.get(f"{served}{PAGES[name]}")
        if name == "hostile run":
            browser.execute_script(_FEW)
        browser.execute_script(OPEN)
        axe.inject()
        assert browser.execute_async_script(AXE) == []


@pytest.mark.parametrize("name", ["hostile dataset", "hostile run", "different"])
def test_names_with_scripts_run_nothing(browser, served, name):
    browser.get(f"{served}{PAGES[name]}")
    found = browser.execute_script(
        "return [...document.scripts].map(s => s.getAttribute('src'))"
        ".concat([...document.images].map(i => i.getAttribute('src')))"
    )
    assert all(src.startswith(("/static/", "/demo/hostile/badge.svg")) for src in found)
    assert browser.execute_script("return document.querySelectorAll('iframe, object').length") == 0


def test_what_is_slipped_into_a_page_does_not_run(browser, served):
    browser.get(served)
    browser.execute_script("""
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      const asked = document.createElement("a");
      asked.setAttribute("hx-on:click", "window.ran = true");
      document.body.append(asked);
      htmx.process(document.body);
      asked.click();
    """)
    assert browser.execute_script("return window.ran") is None
