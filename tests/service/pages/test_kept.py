"""What was drawn is drawn once, within bounds, and never shown for something else."""

from __future__ import annotations

import lxml.html
from markupsafe import Markup
from taxcheck_reports.pages import runs as pages
from taxcheck_reports.pages.kept import Kept

from taxcheck.service.store import runs
from tests.service.asking import application, client
from tests.service.pushing import push


def test_what_was_used_last_stays_within_the_room_there_is() -> None:
    kept, made = Kept(most=10), []

    def of(key: str, size: int = 4) -> None:
        def draw() -> tuple[Markup, ...]:
            made.append(key)
            return (Markup("x" * size),)

        kept.of(key, draw)

    for key in ("a", "b", "a", "c", "a", "b"):
        of(key)
    assert made == ["a", "b", "c", "b"]  # c drove out b, and b then c
    of("large", 11)
    of("large", 11)
    of("a")
    of("")
    of("")
    assert made[4:] == ["large", "large", "", ""]


def test_a_report_is_drawn_once_and_again_when_its_samples_are_erased(store, monkeypatch) -> None:
    push(store, "incident", "one")
    asked, drawn = client(application(store, open=True)), []
    before = pages._drawn
    monkeypatch.setattr(pages, "_REPORTS", Kept())
    monkeypatch.setattr(pages, "_drawn", lambda report: drawn.append(1) or before(report))
    first, second = (asked.get("/runs/one").text for _ in range(2))
    assert len(drawn) == 1
    assert body(first) == body(second)
    runs.erase_samples(store, "one")
    erased = asked.get("/runs/one").text
    assert len(drawn) == 2
    assert len(body(erased)) < len(body(first))


def body(text: str) -> str:
    return lxml.html.fromstring(text).get_element_by_id("main").text_content()
