"""What a page does: filters, unfolds, copies, with a mouse or without, with scripts or without."""

from __future__ import annotations

import csv
import re

import pytest
from taxcheck_reports import view

from taxcheck.model.finding import Outcome
from tests.reports.chromium import NEEDS_CHROMIUM, screen
from tests.reports.incident import incident
from tests.reports.sample import PAGES

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
TAB, ENTER, ESCAPE, SPACE = "\ue004", "\ue007", "\ue00c", "\ue00d"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_or_a_request(browser, pages, name):
    browser.get_log("performance")
    browser.get_log("browser")
    with screen(browser, prefers_color_scheme="dark"):
        browser.get(pages[name])
    browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0]))")
    assert browser.get_log("browser") == []
    requests = [e["message"] for e in browser.get_log("performance")]
    sent = [m for m in requests if '"Network.requestWillBeSent"' in m]
    assert all(pages[name] in message for message in sent)
    assert not [m for m in sent if '"url":"http' in m]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_incident_is_told_on_the_first_screen(browser, pages, width, height):
    with screen(browser, width, height):
        browser.get(pages["incident"])
        bottom = browser.execute_script(
            "return document.querySelector('.looked').getBoundingClientRect().bottom"
        )
    assert bottom <= height


def _shown(browser) -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll('table.rules tbody tr, dl.skipped dd')]"
        ".filter(e => e.checkVisibility({contentVisibilityAuto: true})).map(e => e.className)"
    )


def _of(*outcomes: Outcome) -> list[str]:
    return [outcome.value for outcome in outcomes for _ in range(incident().count(outcome))]


def test_filter_chips_show_one_outcome_and_all_again(browser, pages):
    browser.get(pages["incident"])
    before = _shown(browser)
    browser.find_element("css selector", "[data-show=fail]").click()
    assert _shown(browser) == _of(Outcome.FAIL)
    browser.find_element("css selector", "[data-show=pass]").click()
    assert _shown(browser) == _of(Outcome.PASS)
    pressed = browser.find_elements("css selector", ".chips [aria-pressed=true]")
    assert [button.get_attribute("data-show") for button in pressed] == ["pass"]
    browser.find_element("css selector", "[data-show=all]").click()
    # the passes stay open once they were asked for
    told = len(_of(Outcome.FAIL, Outcome.WARN, Outcome.INFO))
    assert _shown(browser) == [*before[:told], *_of(Outcome.PASS), *before[told:]]


def test_the_copy_button_says_what_it_did(browser, pages):
    wait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait(browser, 10, 0.05)
    browser.get(pages["advised"])
    button = browser.find_element("css selector", ".do .copy")
    button.click()
    wait.until(lambda _: button.text in ("Copied", "Selected"))


def test_without_javascript_everything_is_readable(browser, pages):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(pages["incident"])
    try:
        assert not browser.find_element("css selector", ".chips").is_displayed()
        assert not browser.find_element("css selector", ".copy").is_displayed()
        for heading in browser.find_elements("css selector", "h1, h2, h3"):
            assert heading.is_displayed()
        assert browser.find_element("css selector", "summary").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_hostile_text_runs_nothing(browser, pages):
    browser.get(pages["hostile"])
    scripts = browser.execute_script("return document.scripts.length")
    images = browser.execute_script("return document.images.length")
    assert (scripts, images) == (1, 0)


def _type(browser, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def _focused(browser):
    return browser.switch_to.active_element


def _heard(browser) -> str:
    return browser.find_element("css selector", "main > .heard").get_property("textContent")


def test_the_filter_works_by_keyboard_and_is_announced(browser, pages):
    browser.get(pages["incident"])
    browser.execute_script("document.querySelector('[data-show=all]').focus()")
    _type(browser, TAB, SPACE)
    fails, rules = _of(Outcome.FAIL), len(incident().results)
    assert _shown(browser) == fails
    assert _heard(browser) == f"{len(fails)} of {rules} rules shown: FAIL"
    _type(browser, ESCAPE)
    assert _heard(browser) == f"All {rules} rules shown"
    assert _focused(browser).get_attribute("data-show") == "all"
    _type(browser, TAB, TAB, ENTER)
    assert _shown(browser) == _of(Outcome.WARN)
    # pressed once more it lets go
    _type(browser, ENTER)
    assert _heard(browser) == f"All {rules} rules shown"
    told = [result.outcome.value for result in view.told(incident())]  # in the order of causes
    assert _shown(browser)[: len(told)] == told


@pytest.mark.parametrize("name", ["incident", "comparison"])
def test_the_first_tab_is_a_link_that_skips_to_the_rules(browser, pages, name):
    browser.get(pages[name])
    _type(browser, TAB)
    assert _focused(browser).text == "Skip to the rules"
    assert _focused(browser).rect["x"] >= 0
    _type(browser, ENTER, TAB)
    top = browser.execute_script("return document.getElementById('rules').contains(arguments[0])",
                                 _focused(browser))  # fmt: skip
    assert top


@pytest.mark.slow
@pytest.mark.parametrize("name", ["incident", "comparison"])
def test_the_keyboard_reaches_everything_in_order_and_sees_where_it_is(browser, pages, name):
    browser.get(pages[name])
    told = browser.execute_script("""
      const wanted = [...document.querySelectorAll("a[href], button, summary, input, [tabindex]")]
        .filter((e) => e.checkVisibility());
      window.wanted = wanted;
      return wanted.length;
    """)
    assert told > 9
    for position in range(told):
        _type(browser, TAB)
        outline, same = browser.execute_script(
            "const at = document.activeElement, style = getComputedStyle(at);"
            "return [style.outlineStyle + style.outlineWidth, at === window.wanted[arguments[0]]];",
            position,
        )
        assert (outline, same) == ("solid3px", True)


@pytest.mark.parametrize("key", [ENTER, SPACE])
def test_what_is_folded_opens_and_closes_by_key(browser, pages, key):
    browser.get(pages["incident"])
    details = browser.find_element("css selector", "details[data-of=pass]")
    browser.execute_script("arguments[0].querySelector('summary').focus()", details)
    for opened in ("true", None):
        _type(browser, key)
        assert details.get_attribute("open") == opened


def test_a_link_to_a_finding_unfolds_it(browser, pages):
    about = "return document.querySelector('#rule-PAIR011 > .about').open"
    browser.get(pages["incident"])
    assert not browser.execute_script(about)
    link = browser.find_element("css selector", "table.rules a[href='#rule-PAIR011']")
    browser.execute_script("arguments[0].focus()", link)
    _type(browser, ENTER)
    assert browser.execute_script(about)
    browser.get("about:blank")
    browser.get(f"{pages['incident']}#rule-PAIR011")
    assert browser.execute_script(about)


@pytest.mark.parametrize("name", ["incident", "comparison", "projection of audited incident"])
def test_nothing_that_is_slipped_into_a_page_can_run_or_paint(browser, pages, name):
    browser.get(pages[name])
    browser.execute_script("""
      const script = document.createElement("script"), style = document.createElement("style");
      script.textContent = "window.ran = true";
      style.textContent = "body { display: none }";
      document.body.append(script, style);
    """)
    assert browser.execute_script("return [window.ran, document.body.checkVisibility()]") == [
        None,
        True,
    ]
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert len(refused) == 2
    assert all("Content Security Policy" in message for message in refused)


def test_the_rest_of_a_sample_unfolds_in_its_table(browser, pages):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(pages["crowded"])
    try:
        rows = browser.find_elements("css selector", ".sample:first-of-type tbody tr")[:20]
        assert [row.is_displayed() for row in rows] == [True] * 5 + [False] * 15
        browser.find_element("css selector", ".more-rows summary").click()
        assert all(row.is_displayed() for row in rows)
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.slow
def test_a_report_finds_sorts_saves_and_tells_its_bars(browser, pages, tmp_path):
    """One session of a reader: a taxon is searched, a column sorted, a sample saved, a bar read."""
    browser.get(pages["incident"])
    field = browser.find_element("css selector", "#search")
    gap = next(r for r in incident().results if r.id == "PAIR003")
    wanted = str(gap.samples[-1].taxid)  # in the part that is folded
    field.send_keys(wanted)
    found = browser.find_elements("css selector", ".search li button")
    told = browser.find_element("css selector", ".search .said").text
    assert f"taxid {wanted}" in found[0].text
    assert "PAIR003 coverage_gap" in found[0].text
    assert re.fullmatch(r"1 place|[\d,]+ places(, of which the first 10)?", told)
    field.send_keys(ENTER)
    struck = _focused(browser)
    assert wanted in struck.text
    assert "struck" in struck.get_attribute("class")
    field.send_keys(ESCAPE, "no such taxon")
    assert not browser.find_elements("css selector", ".search li button")
    assert "taxcheck why" in browser.find_element("css selector", ".search .said").text
    field.send_keys(ESCAPE)
    assert not browser.find_elements("css selector", ".search li")

    heads = browser.find_elements("css selector", ".rules th .sort")
    rules = "return [...document.querySelectorAll('table.rules tbody')[0].rows]"
    shares = rules + ".map((r) => parseFloat(r.cells[4].textContent))"
    given = browser.execute_script(rules + ".map((r) => r.cells[1].textContent)")
    heads[4].click()
    ascending = [share for share in browser.execute_script(shares) if share is not None]
    assert ascending == sorted(ascending)
    assert len(ascending) > 3
    heads[4].click()
    assert [s for s in browser.execute_script(shares) if s is not None] == ascending[::-1]
    heads[4].click()
    assert browser.execute_script(rules + ".map((r) => r.cells[1].textContent)") == given

    browser.execute_cdp_cmd(
        "Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    button = browser.find_element("css selector", "#rule-PAIR003 .csv")
    browser.execute_script("arguments[0].click()", button)
    wait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait(browser, 20, 0.1)
    wait.until(lambda _: (tmp_path / "rule-PAIR003.csv").exists())
    with (tmp_path / "rule-PAIR003.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert [row[head.index("idx")] for row in rows] == [str(s.node) for s in gap.samples]

    from selenium.webdriver import ActionChains

    bar = browser.find_element("css selector", "#data-roles .wide path.role3")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", bar)
    ActionChains(browser).move_to_element(bar).perform()
    tip = browser.find_element("css selector", ".tip")
    assert tip.text == "in no pair: 28,610 (25.9 %)"
    ActionChains(browser).move_to_element(field).perform()
    assert not tip.is_displayed()
    assert browser.execute_script(
        "return document.querySelector('#data-roles .wide path.role3 title').textContent"
    )
