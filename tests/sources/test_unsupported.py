"""A file of a known kind that nobody reads is called by its name, with the way out, everywhere."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.taxonomies.opening import read_source
from taxcheck.sources.unsupported import UNSUPPORTED


def zipped(*names: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return sink.getvalue()


def _adjacency(write: Callable[[nx.DiGraph, io.BytesIO], None]) -> bytes:
    sink = io.BytesIO()
    write(nx.DiGraph([(1, 2), (1, 3), (2, 4)]), sink)
    return sink.getvalue()


GRAPHML = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">
<edge source="a" target="b"/></graph></graphml>
"""
# name of the file, its bytes, what it is called, and a word of the way out
KINDS = {
    "a.csv": (b"<!DOCTYPE html>\n<html><td>a,b</td></html>\n", "a web page", "download"),
    "a2.csv": (b"<table border='1'>\n<tr><th>a</th></tr>\n", "a table in HTML", "read_html"),
    "b.tsv": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n",
        "a pointer of git-lfs", "git lfs pull",
    ),
    "c.xlsb": (zipped("xl/workbook.bin"), r"a binary Excel workbook (.xlsb)", "as CSV"),
    "d.keras": (zipped("config.json", "model.weights.h5"), "a Keras model", "numpy.save"),
    "e.net": (b'*Vertices 2\n1 "a"\n2 "b"\n*Arcs\n1 2\n', "a network of Pajek", "child,parent"),
    "f.xml": (b'<?xml version="1.0"?>\n<phy:phyloxml xmlns:phy="x"/>', "PhyloXML", "Newick"),
    "g.nexml": (b"<nex:nexml version='0.9'></nex:nexml>", "NeXML", "Newick"),
    "h.omn": (b"Prefix: : <http://x#>\nOntology: <http://x>\n", "OWL in Manchester", "robot"),
    "j.gaf": (b"!gaf-version: 2.2\nUniProtKB\tA\tB\t\tGO:1\n", "a GAF file", "ontology itself"),
    "k.index": (b"IHNf" + bytes(60), "a FAISS index", "reconstruct_n"),
    "l.pdf": (b"%PDF-1.7\n1 0 obj\n", "a PDF document", "CSV"),
    "m.tar.Z": (b"\x1f\x9d\x90" + bytes(60), "a file of compress", "gzip -d"),
    "o.sql": (b"-- a dump\nBEGIN TRANSACTION;\nCREATE TABLE kin (a, b);\n", "a dump of SQL", "CSV"),
    "p.txt": (b" child | parent\n-------+--------\n wolf  | Canis\n", "a table drawn", "as CSV"),
    "q.md": (b"| child | parent |\n|---|---|\n| wolf | Canis |\n", "a table drawn", "as CSV"),
    "r.txt": ("Canis\n\u251c\u2500\u2500 wolf\n".encode(), "a tree drawn with", "child,parent"),
    "s.mmd": (b"graph TD;\n  a-->b;\n", "a diagram of Mermaid", "child,parent"),
    "t.report": (
        b" 50.00\t5\t5\tU\t0\tunclassified\n 50.00\t5\t0\tR\t1\troot\n",
        "a report of Kraken", "edges",
    ),
    "u.csv": (
        b"/a/[/r/IsA/,/c/en/a/,/c/en/b/]\t/r/IsA\t/c/en/a\t/c/en/b\t{}\n",
        "ConceptNet's assertions", "cut -f3,4",
    ),
    "v.txt": (
        b"id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\n",
        "SNOMED's relationships", "116680003",
    ),
    "w.rrf": (b"C0000005|A1|AUI|PAR|C0036775|A2|AUI||R1||MSH|MSH|||N||\n", "a file of UMLS", "PAR"),
    "x.txt": (b"00001 A00     0 Cholera      Cholera\n", "the list of ICD-10 codes", "code,name"),
    "y.json": (b'{"head": {"vars": ["a"]}, "results": {}}', "the result of a SPARQL", "text/csv"),
    "z.txt": (b"Canidae\n  Canis\n    red wolf\n  Vulpes\n", "an outline", "child,parent"),
    "a.adjlist": (_adjacency(nx.write_adjlist), "an adjacency list of networkx", "G.edges"),
    "b.adjlist": (
        _adjacency(nx.write_multiline_adjlist), "an adjacency list of networkx", "G.edges",
    ),
    "n.rds": (gzip.compress(b"X\n\0\0\0\3" + bytes(60)), "an object of R", "write.csv"),
}  # fmt: skip
ROOMS = {
    "mapping": open_mapping, "pairs": open_pairs, "source": read_source,
    "embeddings": open_checkpoint,
}  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("name", KINDS)
def test_it_is_named_in_every_room_with_the_way_out(tmp_path: Path, name: str, room: str) -> None:
    data, called, way_out = KINDS[name]
    (path := tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        ROOMS[room](str(path))
    said = str(caught.value)
    assert said.startswith(f"{path}: is {called}")
    assert "which taxcheck does not read; " in said
    assert way_out in said
    assert said.isprintable()


ELSEWHERE = {
    "obo": (b"format-version: 1.2\n\n[Term]\nid: X:1\n", "OBO", "table"),
    "nwk": (b'("Homo sapiens":0.1,\'Canis; x\':2E-5)"my root";\n', "a tree in Newick", "table"),
    "tree": (b"((" + b"a:1," * 2000, "a tree in Newick", "table"),
    "bin": (b"Body Regions;A01\nBreast;A01.236\n", "MeSH's list of tree numbers", "table"),
    "nex": (b"#NEXUS\nbegin trees;\ntree a = (b,c);\nend;\n", "NEXUS", "table"),
    "ttl": (b"# a thesaurus\n@prefix skos: <http://x#> .\n", "Turtle", "table"),
    "rdf": (b'<?xml version="1.0"?>\n<rdf:RDF xmlns:a="b"></rdf:RDF>', "RDF/XML", "table"),
    "owx": (b'<?xml version="1.0"?>\n<Ontology xmlns="x"></Ontology>', "OWL/XML", "table"),
    "ofn": (
        b"Prefix(:=<http://x#>)\nOntology(<http://x>\n)\n",
        "OWL in functional syntax",
        "table",
    ),
    "graphml": (GRAPHML, "GraphML", "table"),
    "dot": (b"digraph g {\n  a -> b;\n  a -> c;\n}\n", r"a graph of Graphviz \(DOT\)", "table"),
    "gml": (b"graph [\n  node [ id 0 ]\n]\n", "a graph in GML", "table"),
    "json": (json.dumps({"graphs": []}).encode(), "OBO Graph JSON", "table"),
    "tree.json": (b'{"name": "a", "children": [{"name": "b"}]}', "a tree in JSON", "table"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_read_elsewhere_is_named_too(tmp_path: Path, name: str) -> None:
    data, called, room = ELSEWHERE[name]
    path = tmp_path / f"file.{name}"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f": is {called}, .* does not read as a {room}; "):
        (open_pairs if room == "table" else read_source)(str(path))


def test_sound_files_are_none_of_them(tmp_path: Path) -> None:
    """A label may hold a bracket, a quote or a word of another format."""
    for row in (
        "(S)-a,b",
        "<html>,a",
        "{a},b",
        "graph,node",
        '"[x]",y',
        "Prefix: a,b",
        ">seq,1",
        "ORC,x",
        "graph TD,x",
        "--,x",
        " a, b\n c, d",
    ):
        (path := tmp_path / "pairs.csv").write_text(f"ancestor,descendant\n{row}\n")
        assert open_pairs(str(path)).table.column_names == ("ancestor", "descendant")
    assert len({kind.name for kind in UNSUPPORTED}) == len(UNSUPPORTED)


def test_counts_before_lineages_are_named_with_what_reads_them(tmp_path: Path) -> None:
    """Krona's text; a table of which one row is cut off is none."""
    rows = ["5\tB\tF\tBacilli", "3\tB", "2\tB\tF", "7\tA\tE"]
    (path := tmp_path / "krona.txt").write_text("\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"a count and the ranks .* as of Krona.*cut -s -f2- FILE"):
        read_source(str(path))
    path.write_text("".join(" > ".join(row.split("\t")[1:]) + "\n" for row in rows))
    assert len(read_source(str(path)).parents) == 3
    path.write_text("".join(f"{k}\tA\tB{k}\n" for k in range(20)) + "20\tA\n")
    with pytest.raises(InputError, match=r"^(?!.*Krona)"):
        read_source(str(path))
