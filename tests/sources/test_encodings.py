"""Text in UTF-16 and UTF-32 is known with its mark and without, in every room of readers."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from taxcheck.sources.encodings import wide_encoding
from taxcheck.sources.taxonomies.opening import read_source

SOURCES = {
    "t.nwk": "((a,b)c,'\u00e9t\u00e9')e;\n",
    "t.nex": "#NEXUS\nbegin trees;\n tree one = ((a,b)c,d)e;\nend;\n",
    "t.obo": "format-version: 1.2\n\n[Term]\nid: A:1\n\n[Term]\nid: A:2\nname: \u00e9\nis_a: A:1\n",
    "t.ttl": "@prefix s: <http://www.w3.org/2004/02/skos/core#> .\n<x:a> s:broader <x:b> .\n",
    "t.rdf": '<?xml version="1.0" encoding="UTF-16"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/'
    '02/22-rdf-syntax-ns#" xmlns:s="http://www.w3.org/2004/02/skos/core#"><s:Concept rdf:about='
    '"x:a"><s:broader rdf:resource="x:b"/></s:Concept></rdf:RDF>',
    "t.json": '{"id": "a", "children": [{"id": "b"}, {"id": "c"}]}',
    "t.csv": "child,parent\nb,a\nc,a\nd,b\n",
}
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_in_wide_text_is_the_same(tmp_path: Path, name: str) -> None:
    (plain := tmp_path / name).write_text(SOURCES[name].replace("UTF-16", "utf-8"), "utf-8")
    want = read_source(str(plain))
    for encoding in ENCODINGS:
        (path := tmp_path / f"wide.{name}").write_text(SOURCES[name], encoding)
        packed = tmp_path / f"wide.{name}.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        for one in (path, packed):
            found = read_source(str(one))
            assert found.identifiers == want.identifiers
            assert np.array_equal(found.parents, want.parents)
            assert np.array_equal(found.children, want.children)


@pytest.mark.parametrize(
    "head",
    [
        "child,parent\n\u00e9,a\n".encode(),
        np.arange(1, 300, dtype="<i2").tobytes(),  # every other byte is NUL
        np.arange(300, dtype=">i2").tobytes(),
        b"",
        b"\0\0",
        b"PK\3\4\0\0\0\0",
    ],
)
def test_what_is_no_wide_text(head: bytes) -> None:
    assert wide_encoding(head) is None
