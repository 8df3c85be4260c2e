"""SKOS and OWL in every syntax, held to rdflib's own queries; and nothing is ever fetched."""

from __future__ import annotations

import random
import socket
import sys
import urllib.request

import pytest

from taxcheck.model.errors import InputError, TaxcheckError, UsageError
from taxcheck.sources.readers import Candidate, reader_of
from taxcheck.sources.taxonomies.opening import read_source

rdflib = pytest.importorskip("rdflib", reason="needs the extra rdf")
OBO = "http://purl.obolibrary.org/obo/"


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Edges, what is told, and the hierarchy of a text; whoever opens a connection fails."""

    def refused(*_, **__):
        raise AssertionError("somebody asked the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(urllib.request, "urlopen", refused)

    def read(text: str | bytes, **options):
        path = tmp_path / "o.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        found = read_source(str(path), **options)
        called = found.identifiers.to_pylist()
        ends = zip(found.parents.tolist(), found.children.tolist(), strict=True)
        told = [
            *(one.line() for one in found.dropped),
            *found.notes,
            *(f"guess: {one}" for one in found.guesses),
        ]
        return {(called[p], called[c]) for p, c in ends}, " | ".join(told), found

    return read


SKOS = """# a thesaurus
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@base <http://ex.org/> .
<s> a skos:ConceptScheme .
<a> a skos:Concept ; skos:prefLabel "animals"@en, "Tiere"@de ; skos:narrower <b> .
<b> a skos:Concept ; skos:prefLabel "dogs"@en-GB, "Hunde"@de ; skos:altLabel "hounds"@en ;
    skos:broader <a> ; skos:broaderTransitive <a> ; skos:related <c> .
<c> a skos:Concept ; skos:broader <b>, <http://other.org/z>, <old> ;
    xl:prefLabel [ a xl:Label ; xl:literalForm "poodles"@en ] .
<old> a skos:Concept ; owl:deprecated true ; dct:isReplacedBy <a> .
"""


def test_skos(read):
    edges, told, found = read(SKOS)
    base = "http://ex.org/"
    assert edges == {
        (f"{base}a", f"{base}b"),
        (f"{base}b", f"{base}c"),
        (f"{base}a", f"{base}c"),
    }
    assert found.names.to_pylist() == ["animals", "dogs", "poodles"]
    assert "labels are in 3 languages, of which are read: en 2, en-gb 1" in told
    assert "1 edges: their target is of another ontology" in told
    assert "1 edges led to a term that is obsolete and replaced by another" in told
    assert found.retired(f"{base}old").successor == f"{base}a"


def test_labels_of_a_language(read):
    assert read(SKOS, language="de")[2].names.to_pylist() == ["Tiere", "Hunde", "poodles"]
    with pytest.raises(UsageError, match=r"`language` nl: .* has no label in it; it has"):
        read(SKOS, language="nl")


OWL = f"""@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix obo: <{OBO}> .
@prefix oio: <http://www.geneontology.org/formats/oboInOwl#> .
<{OBO}x.owl> a owl:Ontology ; owl:versionIRI <{OBO}x/2024-01-01/x.owl> ;
    owl:imports <http://nowhere.example/import.owl> .
obo:BFO_0000050 a owl:ObjectProperty ; rdfs:label "part of"@en .
obo:X_1 a owl:Class ; rdfs:label "whole" ; rdfs:subClassOf owl:Thing .
obo:X_2 a owl:Class ; rdfs:subClassOf obo:X_1 ; oio:hasAlternativeId "X:22" .
obo:X_3 a owl:Class ; rdfs:subClassOf
    [ a owl:Restriction ; owl:onProperty obo:BFO_0000050 ; owl:someValuesFrom obo:X_2 ],
    [ a owl:Restriction ; owl:onProperty obo:BFO_0000050 ; owl:allValuesFrom obo:X_1 ] .
obo:X_4 a owl:Class ; rdfs:subClassOf obo:X_22, obo:Y_1 ; owl:equivalentClass
    [ a owl:Class ; owl:intersectionOf ( obo:X_3 [ a owl:Restriction ;
      owl:onProperty obo:BFO_0000050 ; owl:someValuesFrom obo:X_1 ] ) ] .
obo:X_8 a owl:Class ; owl:deprecated true ; obo:IAO_0100001 obo:X_7 .
obo:X_7 a owl:Class ; owl:deprecated true ; obo:IAO_0100001 "X:2" .
obo:X_5 a owl:Class ; rdfs:subClassOf obo:X_8 .
[] a owl:Class ; rdfs:subClassOf obo:X_1 .
"""
OWL_EDGES = {("X:1", "X:2"), ("X:2", "X:4"), ("X:2", "X:5")}
FUNCTIONAL = f"""Prefix(:=<http://ex.org/o#>)
Prefix( obo: = <{OBO}> )
Prefix(rdfs:=<http://www.w3.org/2000/01/rdf-schema#>)
Prefix(oio:=<http://www.geneontology.org/formats/oboInOwl#>)
# a comment (
Ontology(<{OBO}x.owl> <{OBO}x/2024-01-01/x.owl>
Import(<http://nowhere.example/import.owl>)
Declaration(Class(obo:X_1)) Declaration(Class(obo:X_2)) Declaration(Class(obo:X_3))
Declaration(Class(obo:X_4)) Declaration(Class(obo:X_5)) Declaration(Class(obo:X_7))
Declaration(Class(<{OBO}X_8>)) Declaration(ObjectProperty(obo:BFO_0000050))
AnnotationAssertion(Annotation(rdfs:comment "a (") rdfs:label obo:X_1 "whole")
AnnotationAssertion(rdfs:label obo:BFO_0000050 "part of"@en)
AnnotationAssertion(oio:hasAlternativeId obo:X_2 "X:22")
AnnotationAssertion(owl:deprecated obo:X_8 "true"^^xsd:boolean)
AnnotationAssertion(obo:IAO_0100001 obo:X_8 obo:X_7)
AnnotationAssertion(owl:deprecated obo:X_7 "true"^^xsd:boolean)
AnnotationAssertion(obo:IAO_0100001 obo:X_7 "X:2")
SubClassOf(obo:X_1 owl:Thing)
SubClassOf(Annotation(rdfs:comment "x \\"(\\"") obo:X_2 obo:X_1)
SubClassOf(obo:X_3 ObjectSomeValuesFrom(obo:BFO_0000050 obo:X_2))
SubClassOf(obo:X_3 ObjectAllValuesFrom(obo:BFO_0000050 obo:X_1))
SubClassOf (obo:X_4 obo:X_22)
SubClassOf(obo:X_4 obo:Y_1)
EquivalentClasses(obo:X_4
  ObjectIntersectionOf(obo:X_3 ObjectSomeValuesFrom(obo:BFO_0000050 obo:X_1)))
SubClassOf(obo:X_5 obo:X_8)
SubClassOf(ObjectSomeValuesFrom(obo:BFO_0000050 obo:X_1) obo:X_1)
)
"""
_CLASSES = "".join(
    f'<Declaration><Class IRI="{OBO}X_{k}"/></Declaration>' for k in (1, 2, 3, 4, 5, 7, 8)
)


def _said(which: str, of: str, value: str) -> str:
    return (
        f'<AnnotationAssertion><AnnotationProperty abbreviatedIRI="{which}"/>'
        f"<AbbreviatedIRI>obo:{of}</AbbreviatedIRI>{value}</AnnotationAssertion>"
    )


def _below(child: str, above: str) -> str:
    return f'<SubClassOf><Class abbreviatedIRI="obo:{child}"/>{above}</SubClassOf>'


def _some(kind: str, filler: str) -> str:
    return (
        f'<Object{kind}ValuesFrom><ObjectProperty abbreviatedIRI="obo:BFO_0000050"/>'
        f'<Class IRI="{OBO}{filler}"/></Object{kind}ValuesFrom>'
    )


OWL_XML = f"""<?xml version="1.0"?>
<!DOCTYPE Ontology [ <!ENTITY obo "{OBO}" > ]>
<Ontology xmlns="http://www.w3.org/2002/07/owl#" xml:base="{OBO}" ontologyIRI="{OBO}x.owl"
  versionIRI="&obo;x/2024-01-01/x.owl">
<Prefix name="obo" IRI="{OBO}"/>
<Prefix name="oio" IRI="http://www.geneontology.org/formats/oboInOwl#"/>
<Import>http://nowhere.example/import.owl</Import>{_CLASSES}
{_said("rdfs:label", "X_1", "<Literal>whole</Literal>")}
{_said("rdfs:label", "BFO_0000050", '<Literal xml:lang="en">part of</Literal>')}
{_said("oio:hasAlternativeId", "X_2", "<Literal>X:22</Literal>")}
{_said("owl:deprecated", "X_8", "<Literal>true</Literal>")}
{_said("obo:IAO_0100001", "X_8", f"<IRI>{OBO}X_7</IRI>")}
{_said("owl:deprecated", "X_7", "<Literal>true</Literal>")}
{_said("obo:IAO_0100001", "X_7", "<Literal>X:2</Literal>")}
{_below("X_1", '<Class abbreviatedIRI="owl:Thing"/>')}
{_below("X_2", f'<Class IRI="{OBO}X_1"/>')}
{_below("X_3", _some("Some", "X_2"))}{_below("X_3", _some("All", "X_1"))}
{_below("X_4", '<Class IRI="X_22"/>')}{_below("X_4", '<Class IRI="&obo;Y_1"/>')}
<EquivalentClasses><Class IRI="X_4"/><ObjectIntersectionOf><Class IRI="X_3"/>
{_some("Some", "X_1")}</ObjectIntersectionOf></EquivalentClasses>
{_below("X_5", '<Class IRI="X_8"/>')}
<SubClassOf>{_some("Some", "X_1")}<Class IRI="X_1"/></SubClassOf>
</Ontology>
"""


def serialized(syntax: str) -> str:
    graph = rdflib.Graph().parse(data=OWL, format="turtle")
    return graph.serialize(format=syntax)


@pytest.mark.parametrize("syntax", ["turtle", "xml", "nt", "json-ld", "functional", "owlxml"])
def test_owl_in_every_syntax(read, syntax):
    own = {"functional": FUNCTIONAL, "owlxml": OWL_XML, "turtle": OWL}
    text = own.get(syntax) or serialized(syntax)
    edges, told, found = read(text)
    assert edges == OWL_EDGES
    assert "1 restrictions other than some value that is named are not read" in told
    assert "1 statements of what is above anonymous classes are not read" in told
    assert "1 edges: their target is of another ontology" in told
    assert "1 edges led to a term that is an alternative id of another" in told
    assert "1 edges led to a term that is obsolete and replaced by another" in told
    assert "in 1 its genus is no stated parent (X:4 -> X:3)" in told
    assert dict(zip(found.identifiers.to_pylist(), found.names.to_pylist(), strict=True))[
        "X:1"
    ] == "whole"  # fmt: skip
    assert found.origin.version.endswith("2024-01-01/x.owl")
    for name in ("part_of", "BFO_0000050", "BFO:0000050"):
        assert read(text, relations=("is_a", name))[0] == OWL_EDGES | {("X:2", "X:3")}


@pytest.mark.parametrize("syntax", ["turtle", "xml", "nt", "json-ld"])
def test_random_concepts_as_rdflib_queries_them(read, syntax):
    draw = random.Random(13)
    skos = rdflib.Namespace("http://www.w3.org/2004/02/skos/core#")
    graph = rdflib.Graph()
    nodes = [rdflib.URIRef(f"http://ex.org/c{k}") for k in range(80)]
    for k, node in enumerate(nodes):
        graph.add((node, rdflib.RDF.type, skos.Concept))
        graph.add((node, skos.prefLabel, rdflib.Literal(f'l"{k}\n', lang="en")))
        for other in draw.sample(nodes[:k], min(k, draw.choice([0, 1, 1, 2]))):
            if draw.random() < 0.5:
                graph.add((node, skos.broader, other))
            else:
                graph.add((other, skos.narrower, node))
    asked = "SELECT ?a ?b { { ?b skos:broader ?a } UNION { ?a skos:narrower ?b } }"
    expected = {(str(a), str(b)) for a, b in graph.query(asked, initNs={"skos": skos})}
    edges, _, found = read(graph.serialize(format=syntax))
    assert edges == expected
    names = dict(zip(found.identifiers.to_pylist(), found.names.to_pylist(), strict=True))
    assert names == {str(node): f'l"{k}\n' for k, node in enumerate(nodes)}


def test_what_may_stand_before_the_first_element(read):
    before = (
        '<?xml version="1.0"?>\n<?xml-stylesheet href="http://x.example/a.xsl"?>\n<!-- a - b -->\n'
    )
    text = serialized("xml").partition("?>")[2].lstrip()
    assert read(before + text)[0] == OWL_EDGES
    assert read("\ufeff" + OWL)[0] == OWL_EDGES
    assert read(OWL.replace("@prefix", "PREFIX").replace("> .\n", ">\n", 4))[0] == OWL_EDGES


def test_plain_triples(read):
    text = "".join(
        f"<http://x.org/{a}> <http://x.org/v#{p}> <http://x.org/{b}> .\n"
        for a, p, b in (("b", "in", "a"), ("c", "in", "b"), ("c", "eats", "b"))
    )
    with pytest.raises(InputError, match=r"its predicates between nodes are in \(2\), eats \(1\)"):
        read(text)
    edges, _, _ = read(text, relations=("in",))
    assert edges == {("http://x.org/a", "http://x.org/b"), ("http://x.org/b", "http://x.org/c")}


def test_parents_of_no_type_are_nodes_where_nothing_has_one(read):
    of = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
    assert read(f"<http://x.org/b> {of} <http://x.org/a> .\n")[0] == {
        ("http://x.org/a", "http://x.org/b")
    }


RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
LAUGHS = "".join(f'<!ENTITY l{k + 1} "{f"&l{k};" * 10}">' for k in range(9))
HOSTILE = {
    "of a file": (
        f'<?xml version="1.0"?><!DOCTYPE rdf:RDF [<!ENTITY x SYSTEM "file:///etc/passwd">]>{RDF}'
        "&x;</rdf:RDF>",
        "its entity 'x' is of another file",
    ),
    "of the network": (
        f'<!DOCTYPE rdf:RDF [<!ENTITY x PUBLIC "a" "http://x.example/y">]>{RDF}&x;</rdf:RDF>',
        "is of another file",
    ),
    "a parameter": (
        f'<!DOCTYPE rdf:RDF [<!ENTITY % x SYSTEM "http://x.example/y"> %x;]>{RDF}</rdf:RDF>',
        "is of another file",
    ),
    "laughs": (f'<!DOCTYPE rdf:RDF [<!ENTITY l0 "ha">{LAUGHS}]>{RDF}&l9;</rdf:RDF>', "of others"),
    "a type": (f'<!DOCTYPE rdf:RDF SYSTEM "http://x.example/y.dtd">{RDF}</rdf:RDF>', "nothing"),
    "of OWL/XML": (
        '<!DOCTYPE Ontology [<!ENTITY x SYSTEM "file:///etc/passwd">]><Ontology>&x;</Ontology>',
        "is of another file",
    ),
    "a context": (
        '{"@context": "http://x.example/c", "@graph": [{"@id": "x:a"}]}',
        "its context is at http://x.example/c, which taxcheck does not fetch",
    ),
    "a context within": (
        '[{"@id": "x:a", "@type": "x:b", "x:p": {"@context": [{}, "c.jsonld"]}}]',
        "does not fetch",
    ),
    "an import": ('{"@context": {"@import": "http://x.example/c"}, "@graph": []}', "not fetch"),
    "deep": ("@prefix a: <b> .\n a:x a:y " + "[ a:z " * 100_000, "nested too deeply"),
    "deep OWL": ("Ontology(" + "ObjectUnionOf(" * 100_000, "nested too deeply"),
    "deep XML": ("<Ontology>" + "<a>" * 100_000, "nested too deeply"),
    "cut Turtle": (OWL[:900], "cannot be read as Turtle"),
    "cut OWL": (FUNCTIONAL[:900], "truncated"),
    "cut XML": (OWL_XML[:2000], "no sound XML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_fetched_and_nothing_swells(read, name):
    text, said = HOSTILE[name]
    with pytest.raises(TaxcheckError, match=said) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("syntax", ["turtle", "xml", "nt", "json-ld"])
def test_without_rdflib_it_is_named_with_the_command_that_installs_it(
    read, monkeypatch, tmp_path, syntax
):
    text = serialized(syntax)
    monkeypatch.setitem(sys.modules, "rdflib", None)
    with pytest.raises(InputError, match=r"which needs rdflib: pip install 'taxcheck\[rdf\]'"):
        read(text)
    assert reader_of(Candidate(str(tmp_path / "o.txt")), "taxonomy").extra == "rdf"


@pytest.mark.parametrize("turtle", [True, False])
def test_unions_of_disjoint_classes_are_told(read, turtle):
    functional = """Prefix(:=<http://x/>) Prefix(owl:=<http://www.w3.org/2002/07/owl#>)
        Ontology(<http://x/o> SubClassOf(:b :a) DisjointUnion(:a :b :c))"""
    text = """@prefix : <http://x/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        :b rdfs:subClassOf :a . :a owl:disjointUnionOf ( :b :c ) ."""
    edges, told, _ = read(text if turtle else functional)
    assert edges == {("http://x/a", "http://x/b")}
    assert "1 unions of disjoint classes are not read" in told


@pytest.mark.parametrize("syntax", ["nquads", "trig"])
@pytest.mark.parametrize("graphs", [1, 2])
def test_named_graphs_are_read_as_one(read, syntax, graphs):
    broader = rdflib.namespace.SKOS.broader
    made = rdflib.Dataset()
    edges = {("x:a", "x:b"), ("x:a", "x:c"), ("x:c", "x:d")}
    for k, (parent, child) in enumerate(sorted(edges)):
        graph = made.graph(rdflib.URIRef(f"http://x/g{k % graphs}"))
        graph.add((rdflib.URIRef(child), broader, rdflib.URIRef(parent)))
        label = rdflib.Literal('a "quoted" { label', lang="en")
        graph.add((rdflib.URIRef(child), rdflib.namespace.SKOS.prefLabel, label))
    found, told, _ = read(made.serialize(format=syntax))
    assert found == edges
    assert ("guess: 2 named graphs are read as one" in told) == (graphs == 2)
