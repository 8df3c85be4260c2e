"""Pages as a browser asks for them, over a store of real reports."""

from __future__ import annotations

from typing import Any

import lxml.html

from taxcheck.service.store.store import Store
from tests.service.asking import application, client
from tests.service.pushing import dated, push

HISTORY = ("healthy", "healthy", "incident", "warned", "nothing", "audited healthy",
           "audited incident")  # fmt: skip


def filled(store: Store) -> None:
    """Two datasets, of which one fails now, and a third of another project."""
    for day, name in enumerate(HISTORY):
        branch = ("main", "taxdump-2026-11")[day % 2]
        push(store, dated(name, day), f"r{day}", branch=branch, person="rosa", commit="6cbf1b8")
    push(store, dated("healthy", 3), "other", dataset="plants")
    push(store, dated("hostile", 4), "odd", project="demo", dataset="hostile")


def page(answer: Any, status: int = 200) -> lxml.html.HtmlElement:
    """What a page holds."""
    assert answer.status_code == status, answer.text[:600]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return lxml.html.fromstring(answer.text)


def said(found: lxml.html.HtmlElement) -> str:
    return " ".join(found.text_content().split())


__all__ = ["application", "client", "filled", "page", "said"]
