from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.resources import files
from math import tanh

import pytest
from msgspec.structs import replace

from taxcheck.model.pictures import AuditPictures, Projection
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_renderers
from tests.reports.chromium import NEEDS_CHROMIUM
from tests.reports.incident import incident
from tests.reports.sample import REPORTS
from tests.reports.test_html import Page

PROJECTED = ("audited incident", "audited healthy", "hostile", "incident")
MOEBIUS = (files("taxcheck_reports") / "templates" / "moebius.js").read_text(encoding="utf-8")


def render(report) -> str:
    return load_renderers()["projection"](report, RenderOptions())


@pytest.mark.parametrize("name", PROJECTED)
def test_page_is_one_well_formed_file_under_two_megabytes(name):
    html = render(REPORTS[name]())
    page = Page(html)
    assert not page.open
    assert len(html.encode()) < 2_000_000
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for key in ("aria-labelledby", "aria-describedby", "for"):
        assert all(target in ids for said in page.values(key) for target in said.split())
    assert not {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "base"}
    assert not page.values("src")
    assert "url(" not in html
    assert html == render(REPORTS[name]())


def test_hostile_names_stay_data():
    html = render(REPORTS["hostile"]())
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 2
    assert "<" not in scripts[0]
    assert "\u2028" not in scripts[0]
    data = json.loads(scripts[0])
    assert data["names"][1] == "</script><script>alert(3)</script>"
    assert not [key for _, attrs in Page(html).elements for key in attrs if key.startswith("on")]


def test_names_are_shortened_where_the_page_would_grow_too_large():
    n = 3000
    long = tuple(f"{i} " + "<" * 400 for i in range(n))
    found = Projection(
        "disk", "m", ((0.5, 0.5),) * n, tuple(range(n)), long, long, (-1,) * n, (), (), n, 0
    )
    html = render(replace(incident(), audit=AuditPictures(projection=found)))
    assert len(html.encode()) < 2_000_000


def test_without_a_projection_the_page_says_so():
    assert "There is no projection in this report" in render(incident())


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_translations_of_the_disk_follow_the_formula():
    points = [complex(0.3, -0.5), complex(-0.7, 0.1), complex(0.0, 0.0), complex(0.62, 0.77)]
    pairs = [[[p.real, p.imag], [z.real, z.imag]] for p in points for z in points]
    code = f"""{MOEBIUS}
    const pairs = {json.dumps(pairs)};
    console.log(JSON.stringify(pairs.map(([p, z]) => [
      Moebius.apply(Moebius.translation(p), z),
      Moebius.apply(Moebius.carry(p, z), p),
      Moebius.apply(Moebius.compose(Moebius.translation(p), Moebius.translation(z)), [0.1, 0.2]),
    ])));"""
    said = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True).stdout
    w = complex(0.1, 0.2)
    for [p, z], found in zip(pairs, json.loads(said), strict=True):
        p, z = complex(*p), complex(*z)
        assert complex(*found[0]) == pytest.approx((z + p) / (1 + p.conjugate() * z), abs=1e-12)
        assert complex(*found[1]) == pytest.approx(z, abs=1e-9)
        first = (w + z) / (1 + z.conjugate() * w)
        assert complex(*found[2]) == pytest.approx((first + p) / (1 + p.conjugate() * first))


def small() -> Projection:
    return Projection(
        space="disk",
        method="Made by hand.",
        points=((0.0, 0.0), (2.0, 0.0), (0.0, 3.0), (-2.0, -2.0)),
        idx=(10, 11, 12, 13),
        names=("Root", "Asterias rubens", "</script><b>x", "Nemo"),
        lineages=("", "Asteroidea", "", ""),
        clade=(-1, 0, 1, 1),
        clades=("Asteroidea", "Echinoidea"),
        untrained=(False, False, True, False),
        total=4,
        seed=0,
    )


@pytest.fixture
def page(browser, tmp_path):
    path = tmp_path / "projection.html"
    report = replace(incident(), audit=AuditPictures(projection=small()))
    path.write_text(render(report), encoding="utf-8")
    browser.get_log("browser")
    size = {"width": 1280, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(path.as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.get_log("browser") == []


def _hover(browser, x: float, y: float) -> str:
    """What is told of the point at x, y of the disk, each -1 to 1."""
    from selenium.webdriver import ActionChains

    canvas = browser.find_element("id", "canvas")
    size = canvas.size["width"] / 2 - 10
    ActionChains(browser).move_to_element_with_offset(
        canvas, round(x * size), round(-y * size)
    ).perform()
    return browser.find_element("id", "note").text


@pytest.mark.browser
@NEEDS_CHROMIUM
class TestInABrowser:
    def test_a_point_tells_its_name(self, page):
        assert "Root" in _hover(page, 0, 0)
        told = _hover(page, tanh(1), 0)
        assert told.splitlines() == [
            "Asterias rubens",
            "Asteroidea · idx 11 · radius 2",
            "Asteroidea",
        ]
        told = _hover(page, 0, tanh(1.5))
        assert told.startswith("</script><b>x\n")
        assert "never trained" in told
        assert _hover(page, 0.9, 0.4) == ""

    def test_a_clade_is_picked_by_keyboard_and_hides_the_others(self, page):
        button = page.find_element("css selector", "[data-clade='0']")
        button.send_keys("\ue007")
        assert button.get_attribute("aria-pressed") == "true"
        assert page.find_element("id", "status").text == "1 of 4 points shown"
        assert _hover(page, 0, 0) == ""
        page.find_element("css selector", "[data-clade='1']").click()
        assert page.find_element("id", "status").text == "3 of 4 points shown"
        page.find_element("id", "never").click()
        assert page.find_element("id", "status").text == "1 of 4 points shown"

    def test_dragging_translates_the_disk(self, page):
        from selenium.webdriver import ActionChains

        canvas = page.find_element("id", "canvas")
        size = canvas.size["width"] / 2 - 10
        drag = ActionChains(page).move_to_element(canvas).click_and_hold()
        drag.move_by_offset(round(-0.5 * size), 0).release().perform()
        # z -> (z - 1/2) / (1 - z/2)
        assert "Root" in _hover(page, -0.5, 0)
        z = tanh(1)
        assert "Asterias" in _hover(page, (z - 0.5) / (1 - z / 2), 0)
        page.find_element("css selector", "[data-act=reset]").click()
        assert "Root" in _hover(page, 0, 0)

    def test_a_name_that_is_found_comes_to_the_middle(self, page):
        page.find_element("id", "find").send_keys("asterias")
        page.find_element("css selector", "#matches button").click()
        assert page.find_element("id", "note").text.startswith("Asterias rubens")
        assert "Asterias" in _hover(page, 0, 0)

    def test_the_keyboard_moves_and_zooms(self, page):
        canvas = page.find_element("id", "canvas")
        canvas.send_keys("\ue014")  # right arrow: the view moves right, the points left
        assert "Root" not in _hover(page, 0, 0)
        canvas.send_keys("+", "+", "0")
        assert "Root" in _hover(page, 0, 0)

    def test_without_javascript_the_still_picture_is_there(self, page):
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            page.refresh()
            assert page.find_element("css selector", "#still svg.wide").is_displayed()
            assert not page.find_element("id", "canvas").is_displayed()
        finally:
            page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
