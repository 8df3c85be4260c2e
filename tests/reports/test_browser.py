from __future__ import annotations

import pytest

from taxcheck.registry import load_renderers
from taxcheck.report import RenderOptions
from tests.reports.chromium import NEEDS_CHROMIUM, PHONE
from tests.reports.sample import REPORTS

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
FIXED = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    for name, make in REPORTS.items():
        html = load_renderers()["html"](make(), RenderOptions())
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in REPORTS}


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_opens_without_an_error_or_a_request(browser, pages, name):
    browser.get_log("performance")
    browser.get(pages[name])
    assert browser.get_log("browser") == []
    requests = [e["message"] for e in browser.get_log("performance")]
    sent = [m for m in requests if '"Network.requestWillBeSent"' in m]
    assert all(pages[name] in message for message in sent)
    assert not [m for m in sent if '"url":"http' in m]


@pytest.mark.parametrize("name", REPORTS)
def test_a_phone_scrolls_in_one_direction(browser, pages, name):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    browser.get(pages[name])
    assert browser.execute_script(FIXED)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_incident_is_told_on_the_first_screen(browser, pages, width, height):
    size = PHONE | {"width": width, "height": height, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(pages["incident"])
    bottom = browser.execute_script(
        "return document.querySelector('.looked').getBoundingClientRect().bottom"
    )
    assert bottom <= height
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def _shown(browser) -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll('table.rules tbody tr, dl.skipped dd')]"
        ".filter(e => e.checkVisibility({contentVisibilityAuto: true})).map(e => e.className)"
    )


def test_filter_chips_show_one_outcome_and_all_again(browser, pages):
    browser.get(pages["incident"])
    before = _shown(browser)
    browser.find_element("css selector", "[data-show=fail]").click()
    assert _shown(browser) == ["fail"] * 5
    browser.find_element("css selector", "[data-show=pass]").click()
    assert _shown(browser) == ["pass"] * 20
    pressed = browser.find_elements("css selector", ".chips [aria-pressed=true]")
    assert [button.get_attribute("data-show") for button in pressed] == ["pass"]
    browser.find_element("css selector", "[data-show=all]").click()
    # the passes stay open once they were asked for
    assert _shown(browser) == [*before[:9], *["pass"] * 20, *before[9:]]


def test_the_copy_button_says_what_it_did(browser, pages):
    browser.get(pages["incident"])
    button = browser.find_element("css selector", ".do .copy")
    button.click()
    browser.implicitly_wait(1)
    assert browser.find_element("css selector", ".do .copy").text in ("Copied", "Selected")


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


def test_the_keyboard_can_see_where_it_is(browser, pages):
    browser.get(pages["incident"])
    browser.find_element("css selector", "body").send_keys("\ue004\ue004")
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


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
