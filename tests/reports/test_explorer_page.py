"""The explorer's page: what is packed comes out again, and nothing in it breaks out."""

from __future__ import annotations

import base64
import json
import re
import shutil
import struct
import subprocess
import zlib
from importlib.resources import files

import numpy as np
import pytest

from taxcheck.run.registry import load_explorer
from tests.reports.chromium import NEEDS_CHROMIUM, screen
from tests.reports.explored import HOSTILE, explorer, tree
from tests.reports.test_html import Page

ISOMETRY = files("taxcheck_reports") / "templates" / "explorer" / "isometry.js"


def blocks(html: str) -> dict[str, bytes]:
    found = re.findall(r'<script type="application/octet-stream" id="b-(\w+)">([^<]*)<', html)
    return {name: zlib.decompress(base64.b64decode(text)) for name, text in found}


def numbers(content: bytes, width: int, sum_: bool) -> np.ndarray:
    planes = np.frombuffer(content, dtype=np.uint8).reshape(width, -1).astype(np.int64)
    values = (planes << (8 * np.arange(width)[:, None])).sum(axis=0)
    return np.cumsum(values) % (1 << 8 * width) if sum_ else values


def test_what_is_packed_comes_out_again():
    made = explorer(lost=(3, 20))
    found, n = blocks(load_explorer()(made)), made.n
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', load_explorer()(made))[1])
    order = numbers(found["idx"], 4, True)
    assert np.array_equal(order, made.walk)
    assert np.array_equal(numbers(found["depth"], 2, False), made.depth[order])
    flags = np.frombuffer(found["flags"], dtype=np.uint8)
    assert set(order[flags & 0x80 > 0]) == {3, 20}
    assert np.array_equal(flags & 1, made.marks[0].rows[order])
    drawn = flags < 0x80
    radii = numbers(found["radius"], 2, True) / 65534 * facts["largest"]
    assert np.abs(radii - made.radii[order])[drawn].max() < facts["largest"] / 2**16
    angle = numbers(found["angle"], 4, True) / 2**32 * 2 * np.pi
    told = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert np.abs(told - made.across[order])[drawn].max() < 2e-9
    assert np.array_equal(numbers(found["identifiers"], 4, True), 1000 + 3 * np.arange(n))
    assert found["names"].decode().split("\0") == [made.names[k] for k in order]
    assert np.array_equal(numbers(found["ranks"], 4, False), made.parent_rank[order])
    child, above = numbers(found["more"], 4, True)[:1], numbers(found["more"], 4, False)
    assert order[child[0]] == n - 1
    assert len(above) == 2


def test_angles_that_four_bytes_cannot_tell_apart_have_four_more():
    made = explorer()
    assert "fine" not in blocks(load_explorer()(made))
    angle = np.linspace(1.0, 1.0 + 1e-8, made.n)
    near = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = blocks(load_explorer()(_with(made, across=near)))
    turn = numbers(found["angle"], 4, True) + numbers(found["fine"], 4, False) / 2**32
    assert np.abs(turn / 2**32 * 2 * np.pi - angle[made.walk]).max() < 1e-15


def _with(made, **changed):
    from dataclasses import replace

    return replace(made, **changed)


def test_a_row_takes_a_few_bytes():
    """Six bytes of place, and what the tree, flags and a shuffled idx need beside them."""
    rng = np.random.default_rng(0)
    n = 5_000
    parent = np.r_[-1, (rng.random(n - 1) * np.arange(1, n)).astype(np.int64)]
    made = explorer(parent, names=(None,) * n)
    html = load_explorer()(_with(made, parent_rank=None, radii=rng.uniform(5, 9, n)))
    data = sum(len(content) for name, content in blocks_raw(html).items() if name != "names")
    assert data / n < 12.5


def blocks_raw(html: str) -> dict[str, bytes]:
    found = re.findall(r'<script type="application/octet-stream" id="b-(\w+)">([^<]*)<', html)
    return {name: base64.b64decode(text) for name, text in found}


@pytest.mark.parametrize("hyperbolic", [True, False])
@pytest.mark.parametrize("rows", [1, 3, 85])
def test_the_page_is_one_well_formed_file(hyperbolic, rows):
    parent = tree()[:rows]
    html = load_explorer()(explorer(parent, hyperbolic=hyperbolic, lost=(0,) if rows == 1 else ()))
    page = Page(html)
    assert not page.open
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for key in ("aria-labelledby", "aria-describedby", "for"):
        assert all(target in ids for said in page.values(key) for target in said.split())
    assert not {tag for tag, _ in page.elements} & {"link", "iframe", "object", "base"}
    assert all(src.startswith("data:image/png;base64,") for src in page.values("src"))
    assert "url(" not in html
    assert not re.search(r"https?://", html)


def test_hostile_names_stay_data():
    n = len(tree())
    html = load_explorer()(explorer(names=HOSTILE + ("n",) * (n - len(HOSTILE)), lost=(0, 2)))
    assert "alert(1)" not in html.replace("&lt;/script&gt;&lt;script&gt;alert(1)", "")
    assert not [key for _, attrs in Page(html).elements for key in attrs if key.startswith("on")]
    said = blocks(html)["names"].decode().split("\0")
    assert said[0] == HOSTILE[0]
    assert not any("\u202e" in name or len(name) > 300 for name in said)
    assert len(html) < 150_000


def test_the_still_picture_is_a_png_with_all_colours():
    html = load_explorer()(explorer())
    content = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", html)[1])
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (560, 560)
    at, parts = 8, {}
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + size]
        assert struct.unpack(">I", content[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            kind + body
        )
        parts[kind], at = body, at + 12 + size
    pixels = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(560, 561)[:, 1:]
    assert set(np.unique(pixels)) >= {0, 1, 2, 3, 4, 9, 10, 11}  # four clades, the root, edges


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_moves_of_the_plane_follow_the_formula_and_come_back():
    """At radius 30 a hundred steps there and back end where they began; near 0, as Moebius says."""
    code = (
        ISOMETRY.read_text(encoding="utf-8")
        + """
    const far = { radius: 30, angle: 1.234, turn: 0.5 };
    let view = far;
    for (let i = 0; i < 100; i++) {
      view = Isometry.walk(view, 0.7, i);
      const back = Isometry.see(view, far.radius, far.angle);
      view = Isometry.walk(view, back.distance, back.bearing);
    }
    const seen = Isometry.see(view, far.radius, far.angle);
    let home = Isometry.origin;
    for (let i = 0; i < 60; i++) home = Isometry.walk(home, 0.5, 0.3);
    const straight = home;
    for (let i = 0; i < 60; i++) home = Isometry.walk(home, 0.5, 0.3 + Math.PI);
    const p = [0.3, -0.2], q = [-0.1, 0.4], step = Isometry.step(p, q);
    const moved = Isometry.walk(Isometry.origin, step.distance, step.bearing);
    const at = Isometry.see(moved, 2 * Math.atanh(Math.hypot(...p)), Math.atan2(p[1], p[0]));
    const r = Math.tanh(at.distance / 2);
    console.log(JSON.stringify([seen.distance, straight.radius, home.radius,
      [r * Math.cos(at.bearing), r * Math.sin(at.bearing)], far.turn - view.turn]));"""
    )
    said = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True).stdout
    apart, straight, home, came, turned = json.loads(said)
    assert apart < 1 / 350  # half a pixel in a disc of 350
    assert straight == pytest.approx(30, abs=1e-9)
    assert home == pytest.approx(0, abs=0.01)  # a double's last bit of the way back, e^30 / 2 times
    assert came == pytest.approx([-0.1, 0.4], abs=1e-12)
    assert abs(turned) < 0.02


READY = "return document.getElementById('canvas').dataset.ready"


@pytest.fixture
def page(browser, tmp_path):
    from selenium.webdriver.support.wait import WebDriverWait

    n = len(tree())
    path = tmp_path / "explorer.html"
    names = ("Root", *HOSTILE, *(f"node {k}" for k in range(len(HOSTILE) + 1, n)))
    path.write_text(load_explorer()(explorer(names=names, lost=(7,))), encoding="utf-8")
    browser.get_log("browser")
    with screen(browser, 1280, 900):
        browser.get(path.as_uri())
        WebDriverWait(browser, 30).until(lambda b: b.execute_script(READY))
        yield browser
        assert browser.get_log("browser") == []


def _text(browser, id_: str) -> str:
    return browser.find_element("id", id_).text


def _settle(browser) -> None:
    browser.execute_async_script(
        "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => done()), 700);"
    )


@pytest.mark.browser
@NEEDS_CHROMIUM
class TestInABrowser:
    def test_a_name_is_found_walked_to_and_told(self, page):
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys

        page.find_element("css selector", "[data-view=disc]").click()
        page.find_element("id", "find").send_keys("node 84", Keys.ENTER)
        _settle(page)
        told = _text(page, "at").splitlines()
        assert told[0] == "node 84"
        assert "1252 · idx 84 · depth 3 · radius 6.000 · its parent is the nearest row" in told[1]
        assert "Root" in told
        assert "also below Root" in _text(page, "at")
        canvas = page.find_element("id", "canvas")
        ActionChains(page).move_to_element(canvas).perform()  # what was found is in the middle
        assert _text(page, "note").startswith("node 84")
        address = page.execute_script("return location.hash")
        assert "view=disc" in address
        assert "at=84" in address
        page.refresh()
        _settle(page)
        assert _text(page, "at").startswith("node 84")
        assert "view=disc" in page.execute_script("return location.hash")

    def test_a_lasso_gives_identifiers(self, page):
        """Around the right half: rows whose cosine is positive, and nothing else."""
        from selenium.webdriver import ActionChains

        page.find_element("id", "lasso").click()
        canvas = page.find_element("id", "canvas")
        wide, high = canvas.size["width"], canvas.size["height"]
        drag = (
            ActionChains(page, duration=20)
            .move_to_element_with_offset(canvas, 3, 4 - high // 2)
            .click_and_hold()
        )
        for dx, dy in ((wide // 2 - 8, 0), (0, high - 8), (8 - wide // 2, 0)):
            drag.move_by_offset(dx, dy)
        drag.release().perform()
        made = explorer(lost=(7,))
        right = int(np.count_nonzero((made.across[:, 0] * made.radii) > 1e-9))
        assert _text(page, "taken-n").startswith(f"{right} rows in the lasso")
        kept = page.execute_async_script("""
          const done = arguments[0], make = URL.createObjectURL;
          URL.createObjectURL = (blob) => { blob.text().then(done); return make.call(URL, blob); };
          document.getElementById('csv').click();""")
        lines = kept.split("\r\n")
        assert lines[0] == "idx,identifier,name"
        cells = [line.split(",")[:2] for line in lines if re.match(r"\d+,\d+,", line)]
        inside = np.flatnonzero(made.across[:, 0] * made.radii > 1e-9)
        assert sorted(int(idx) for idx, _ in cells) == inside.tolist()
        assert all(int(identifier) == 1000 + 3 * int(idx) for idx, identifier in cells)

    @pytest.mark.slow
    def test_moves_there_and_back_leave_every_pixel(self, page):
        picture = "return document.getElementById('canvas').toDataURL()"
        page.find_element("css selector", "[data-view=disc]").click()
        _settle(page)
        before = page.execute_script(picture)
        canvas = page.find_element("id", "canvas")
        canvas.send_keys("\ue014" * 5)
        _settle(page)
        assert page.execute_script(picture) != before
        canvas.send_keys("\ue012" * 5)
        _settle(page)
        assert page.execute_script(picture) == before

    @pytest.mark.slow
    def test_what_was_found_is_shown_alone_and_hostile_names_are_words(self, page):
        page.find_element("css selector", "#colour option[value=findings]").click()
        page.find_element("css selector", "#legend button").click()
        n = len(tree())
        assert f"{n - n // 2} rows duplicate" in _text(page, "taken-n")
        page.find_element("id", "find").send_keys("<script>")
        _settle(page)
        found = page.find_element("css selector", "#matches button")
        assert found.text == HOSTILE[0]
        assert page.execute_script("return document.querySelectorAll('#at script').length") == 0

    @pytest.mark.slow
    def test_a_narrow_screen_holds_it_and_axe_finds_nothing(self, page):
        axe = pytest.importorskip("selenium_axe_python").Axe(page)
        axe.inject()
        assert [one["id"] for one in axe.run()["violations"]] == []
        with screen(page, 390, 844):
            _settle(page)
            wide = "return document.documentElement.scrollWidth"
            assert page.execute_script(wide) <= 390
            shown = page.find_element("id", "canvas").size
            assert shown["width"] >= 320

    @pytest.mark.slow
    def test_without_a_stream_to_unpack_or_without_script_a_still_picture_is_there(self, page):
        at = page.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.DecompressionStream"}
        )
        try:
            page.refresh()
            assert "DecompressionStream" in _text(page, "says")
            assert page.find_element("id", "still").is_displayed()
        finally:
            page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", at)
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            page.refresh()
            assert page.find_element("id", "still").is_displayed()
            assert not page.find_element("id", "find").is_displayed()
        finally:
            page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
