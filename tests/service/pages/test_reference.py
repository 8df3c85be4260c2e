"""The page that describes REST says all that OpenAPI says."""

from __future__ import annotations

import lxml.html

from taxcheck.service.store.store import Store
from tests.service.asking import application, client


def test_every_operation_and_every_value_is_on_the_page(store: Store) -> None:
    app = application(store)
    answer = client(app).get("/docs")
    assert answer.status_code == 200
    found = lxml.html.fromstring(answer.text)
    shown = {" ".join(h.text_content().split()) for h in found.iter("h3")}
    description = app.openapi()
    asked = {
        f"{method.upper()} {path}"
        for path, methods in description["paths"].items()
        for method in methods
    }
    assert len(asked) > 25
    assert asked | description["components"]["schemas"].keys() == shown
    said = " ".join(found.text_content().split())
    assert "Takes a token of scope push." in said
    assert "Push a run. Its id is the client's" in said
    assert "BLAKE3 of the whole file." in said
    for named in ("Upload-Offset", "list of Head", "whole number", "in the header"):
        assert named in said, named
    assert not [a for a in found.xpath("//a/@href") if not a.startswith(("/", "#"))]
    ids = found.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {a[1:] for a in found.xpath("//a/@href") if a.startswith("#")} <= set(ids)
