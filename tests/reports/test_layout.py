"""Nothing overlaps, runs out of the page or is too small to be touched; axe finds no fault."""

from __future__ import annotations

import pytest

from tests.reports.chromium import NEEDS_CHROMIUM, screen
from tests.reports.sample import PAGES

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]

# whatever is folded is shown, so that it is measured too
OPEN = "document.querySelectorAll('details').forEach(d => { d.open = true; });"
FAULTS = """
const found = [], page = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > page) found.push("the page scrolls sideways");
for (const svg of document.querySelectorAll("svg.drawing")) {
  if (!svg.checkVisibility()) continue;
  const name = svg.querySelector("title").textContent, box = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map(
    (e) => [e.textContent, e.getBoundingClientRect()]);
  texts.forEach(([said, a], i) => {
    const out = a.left < box.left - 10 || a.right > box.right + 10;
    if (out) found.push(`${name}: ${said} leaves it`);
    for (const [other, b] of texts.slice(0, i)) {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 4) found.push(`${name}: ${said} covers ${other}`);
    }
  });
}
for (const e of document.querySelectorAll("body *")) {
  if (e.closest("svg, .scroll, .skip, .heard") || !e.checkVisibility()) continue;
  const box = e.getBoundingClientRect(), said = e.textContent.slice(0, 40);
  if (box.width && (box.right > page + 1 || box.left < -1)) found.push(`wide: ${said}`);
  if (!e.matches("button, summary, input, nav a, .causes a, .more a") || !box.width) continue;
  if (box.height < 24 || box.width < 24) found.push(`small: ${said} ${box.width} ${box.height}`);
}
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), part = new Range();
while (walk.nextNode()) {
  const words = walk.currentNode, holder = words.parentElement;
  if (!holder.closest("code, pre") || !holder.checkVisibility()) continue;
  for (const {0: option, index} of words.data.matchAll(/--[a-z-]{1,27}(?![^ ])/g)) {
    part.setStart(words, index), part.setEnd(words, index + option.length);
    const tops = new Set([...part.getClientRects()].map((box) => box.top));
    if (tops.size > 1) found.push(`broken: ${option}`);
  }
}
return found;
"""
AXE = """
const done = arguments[arguments.length - 1];
const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
axe.run(document, {runOnly, resultTypes: ["violations"]}).then(
  ({violations}) => done(violations.map((v) => [v.id, v.impact, v.nodes[0].html])), String);
"""


@pytest.mark.parametrize(
    "name", [n if n == "incident" else pytest.param(n, marks=pytest.mark.slow) for n in PAGES]
)
def test_everything_has_its_place_at_every_width(browser, pages, name):
    # 640 is also what a screen of 1280 px has at a zoom of 200 %
    browser.get(pages[name])
    browser.execute_script(OPEN)
    for width in (1280, 640, 390, 320):
        with screen(browser, width):
            assert browser.execute_script(FAULTS) == [], width


# colours do not depend on the width, nor the order of a page on its colours
@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize(
    "name",
    ["incident", "audited incident", "nothing", "odd", "comparison", "projection of incident",
     "projection of audited incident"],
)  # fmt: skip
def test_axe_finds_nothing(browser, pages, name, width, scheme):
    axe = pytest.importorskip("selenium_axe_python").Axe(browser)
    with screen(browser, width, prefers_color_scheme=scheme):
        browser.get(pages[name])
        browser.execute_script(OPEN)
        axe.inject()
        assert browser.execute_async_script(AXE) == []


def test_a_chosen_filter_is_seen_where_colours_are_forced(browser, pages):
    with screen(browser, forced_colors="active"):
        browser.get(pages["incident"])
        colours = browser.execute_script(
            "return [...document.querySelectorAll('.chips button')].slice(0, 2)"
            ".map(e => getComputedStyle(e).backgroundColor)"
        )
        assert colours[0] != colours[1]


def test_nothing_moves_by_itself(browser, pages):
    for name in ("audited incident", "projection of audited incident"):
        browser.get(pages[name])
        assert browser.execute_script("return document.getAnimations().length") == 0
