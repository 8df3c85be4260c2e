"""Terms with all their parents in one cell, as BioPortal exports them."""

from __future__ import annotations

import pytest

from taxcheck.sources.taxonomies.opening import read_source

BIOPORTAL = """Class ID,Preferred Label,Synonyms,Definitions,Obsolete,CUI,Semantic Types,Parents
http://x/a,Root,,,false,,,http://www.w3.org/2002/07/owl#Thing
http://x/b,"B, so",x|y,,false,,,http://x/a
http://purl.obolibrary.org/obo/GO_0000001,C,,,false,,,http://x/a|http://x/b
http://x/d,D,,,true,,,http://x/b
http://x/e,E,,,false,,,http://other.org/z|GO:0000001
"""


@pytest.mark.parametrize("robot", [False, True])
def test_terms_of_a_table(tmp_path, robot):
    text = BIOPORTAL
    if robot:
        text = text.replace("Class ID", "ID").replace("Preferred Label", "LABEL")
        text = text.replace("Parents", "SubClass Of")
    (path := tmp_path / "o.csv").write_text(text)
    found = read_source(str(path))
    called = found.identifiers.to_pylist()
    ends = zip(found.parents.tolist(), found.children.tolist(), strict=True)
    assert {(called[p], called[c]) for p, c in ends} == {
        ("http://x/a", "http://x/b"),
        ("http://x/a", "GO:0000001"),
        ("http://x/b", "GO:0000001"),
        ("GO:0000001", "http://x/e"),
    }
    assert found.names.to_pylist() == ["Root", "B, so", "C", "E"]
    told = " | ".join([*(one.line() for one in found.dropped), *found.notes])
    assert "1 terms: obsolete (http://x/d)" in told
    assert "1 edges: their target is of another ontology" in told
    assert "several parents in a cell are separated by '|'" in told
