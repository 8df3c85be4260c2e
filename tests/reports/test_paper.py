"""What a printed page holds."""

from __future__ import annotations

import base64

import pytest

from tests.reports.chromium import NEEDS_CHROMIUM
from tests.reports.sample import REPORTS

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]


def printed(browser, address: str) -> list[tuple[str, float, float, float]]:
    """Each page's text, from where to where it reaches, and the page's width, in points."""
    pdfium = pytest.importorskip("pypdfium2")
    browser.get(address)
    paper = {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69}
    pdf = pdfium.PdfDocument(
        base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    )
    pages = []
    for page in pdf:
        texts = page.get_textpage()
        boxes = [texts.get_rect(i) for i in range(texts.count_rects())]
        left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
        pages.append((texts.get_text_range(), left, right, page.get_width()))
    return pages


def squeezed(said: str) -> str:
    """Without spaces and hyphens: where a line ends with one, PDFium gives U+FFFE in its place."""
    return "".join(said.translate({ord("-"): None, 0xFFFE: None}).split())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["incident", "audited incident"])
def test_every_finding_is_on_paper_whole(browser, pages, name):
    found = printed(browser, pages[name])
    text = squeezed("".join(said for said, *_ in found))
    told = [r for r in REPORTS[name]().results if r.outcome in ("fail", "warn", "info")]
    assert len(told) > 8
    for result in told:
        document = result.document
        for said in (result.id, result.message, document.why.split("``")[0].split("\n\n")[0]):
            assert squeezed(said) in text
    # nothing reaches into the margins, where it would be cut
    assert all(left > 20 and right < width - 20 for _, left, right, width in found)


@pytest.mark.slow
def test_a_folded_sample_is_unfolded_on_paper(browser, pages):
    text = squeezed("".join(said for said, *_ in printed(browser, pages["crowded"])))
    rules = 30
    for row in range(20):
        assert text.count(squeezed(f"Uncultured organism {row} of a very long name")) == rules
    assert "morerows" not in text
