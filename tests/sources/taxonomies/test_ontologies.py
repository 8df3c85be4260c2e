"""OBO and OBO Graph JSON as projects publish them: chains, imports, contexts, frames, IRIs."""

from __future__ import annotations

import json
import random

import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.opening import read_source

HEAD = "format-version: 1.2\nontology: x\n\n"


@pytest.fixture
def ontology(tmp_path):
    """An ontology of a text or a document: its edges, what is told, and the hierarchy."""

    def read(text, **options):
        if not isinstance(text, str):
            text = json.dumps(text)
        (path := tmp_path / "ontology.txt").write_text(text, encoding="utf-8")
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


def terms(*stanzas: str) -> str:
    """Stanzas of [Term], each of tags that are separated by semicolons."""
    return HEAD + "\n".join("[Term]\nid: " + one.replace("; ", "\n") + "\n" for one in stanzas)


def test_replacements_are_followed_to_the_end(ontology):
    edges, told, found = ontology(
        terms(
            "X:1; name: root",
            "X:2; is_a: X:1",
            "X:9; is_obsolete: true; replaced_by: X:8",
            "X:8; is_obsolete: true; replaced_by: X:22",
            "X:7; is_obsolete: true; consider: X:2",
            "X:3; is_a: X:9",
            "X:4; is_a: X:8; alt_id: X:44",
            "X:5; is_a: X:7",
            "X:6; is_a: X:44",
            "X:10; alt_id: X:22; is_a: X:1",
        )
    )
    assert edges == {
        ("X:1", "X:2"),
        ("X:1", "X:10"),
        ("X:10", "X:3"),
        ("X:10", "X:4"),
        ("X:2", "X:5"),
        ("X:4", "X:6"),
    }
    assert "2 edges led to a term that is obsolete and replaced by another" in told
    assert (
        "guess: 1 edges led to a term that is obsolete, and to be considered in its place is"
        in told
    )
    assert "1 edges led to a term that is an alternative id of another" in told
    assert found.retired("X:9").successor == "X:10"
    assert found.retired("http://purl.obolibrary.org/obo/X_9").successor == "X:10"
    assert found.retired("http://purl.obolibrary.org/obo/X_1").successor == "X:1"
    assert found.retired("X:1") is None


def test_replacements_that_lead_nowhere_are_told(ontology):
    edges, told, found = ontology(
        terms(
            "X:1",
            "X:2; is_a: X:1",
            "X:3; is_a: X:8",
            "X:4; is_a: X:7",
            "X:5; is_a: X:6; is_a: X:1",
            "X:6; is_obsolete: true; replaced_by: X:1; replaced_by: X:2",
            "X:7; is_obsolete: true",
            "X:8; is_obsolete: true; replaced_by: X:9",
            "X:9; is_obsolete: true; replaced_by: X:8",
        )
    )
    assert edges == {("X:1", "X:2"), ("X:1", "X:5")}
    assert "1 edges: their target is obsolete and its replacements lead in a circle" in told
    assert "1 edges: their target is obsolete and nothing replaces it (X:4 -> X:7)" in told
    assert "1 edges: their target is obsolete and several terms replace it (X:5 -> X:6)" in told
    assert "led on" not in told
    assert found.retired("X:8").successor is None


IMPORTS = terms(
    "CL:0000000; name: cell",
    "CL:0000540; name: neuron; is_a: CL:0000000 ! cell",
    'GO:1904796; is_a: GO:0050789 {is_inferred="true"}',
    "CL:0000100; name: motor neuron; is_a: CL:0000540 ! neuron; is_a: UBERON:1",
)


def test_parents_of_imports_that_are_not_there_are_told(ontology):
    edges, told, _ = ontology(IMPORTS)
    assert edges == {("CL:0000000", "CL:0000540"), ("CL:0000540", "CL:0000100")}
    assert "1 edges: their target is not in the file (GO:1904796 -> GO:0050789)" in told
    assert "1 edges: their target is of another ontology" in told


def test_a_file_that_was_cut_is_refused(ontology):
    """Behind its first dozen terms, wherever: refused, or told, or nothing is missing."""
    draw = random.Random(3)
    stanzas = [
        f"X:{k:04}; name: n{k}"
        + "".join(f"; is_a: X:{p:04}" for p in draw.sample(range(200), 2) if k and p != k)
        for k in range(200)
    ]
    whole = terms(*stanzas)
    full = ontology(whole)[0]
    cuts = [draw.randrange(600, len(whole) - 1) for _ in range(40)]
    cuts += [whole.index("\n", cut) + 1 for cut in cuts[:20]]  # at the end of a line
    said = []
    for cut in cuts:
        try:
            edges, told, _ = ontology(whole[:cut])
        except InputError as error:
            said.append(str(error))
        else:
            assert edges <= full or "no line end" in told
            assert "not in the file" not in told or len(whole) - cut < 1500
    assert len(said) > 50
    assert all("truncated" in one for one in said)


@pytest.mark.parametrize("last", ["is_a: X:11", "relationship: part_of", "id", "[Te", 'def: "a'])
def test_a_last_line_that_is_cut_is_refused(ontology, last):
    with pytest.raises(InputError, match="truncated"):
        ontology(terms("X:1", "X:2; is_a: X:1", "X:20; is_a: X:1") + f"\n[Term]\nid: X:21\n{last}")


def test_frames_of_one_id_are_merged(ontology):
    edges, told, found = ontology(
        terms(
            "X:1; name: root",
            "X:2; name: A; is_a: X:1",
            "X:3; name: B; is_a: X:2",
            "X:2; is_a: X:1; xref: FOO:1",
            "X:3; name: other; is_a: X:1",
        )
    )
    assert edges == {("X:1", "X:2"), ("X:2", "X:3"), ("X:1", "X:3")}
    assert "2 terms have several frames, which were merged (X:2, X:3); in 1 the names dif" in told
    assert found.names.to_pylist() == ["root", "A", "B"]


def test_edges_of_some_context_are_left_out(ontology):
    text = terms(
        "U:1; name: root",
        "U:2; name: limb; is_a: U:1",
        'U:3; name: wing; is_a: U:1; relationship: part_of U:2 {gci_relation="part_of", '
        'gci_filler="NCBITaxon:8782"} ! limb',
        'U:4; is_a: U:2 {source="gci_x", gci_filler="NCBITaxon:1", gci_relation="part_of"}',
        'U:5; is_a: U:2 {source="x"} ! limb; relationship: part_of U:1 {is_inferred="true"}',
    )
    edges, told, _ = ontology(text, relations=("is_a", "part_of"))
    assert edges == {("U:1", "U:2"), ("U:1", "U:3"), ("U:2", "U:5"), ("U:1", "U:5")}
    assert "2 edges: they hold in some context only (gci_relation, gci_filler)" in told
    assert "1 edges: they hold in some context only" in ontology(text)[1]


def test_what_is_not_read_is_told(ontology):
    text = terms(
        "X:1",
        "X:2; is_a: X:1; intersection_of: X:1 ! one; intersection_of: part_of X:3; xref: Y:1",
        "X:3; is_a: X:1; intersection_of: X:2; intersection_of: part_of X:1 ! it",
        "X:4; is_a: X:1; union_of: X:2; union_of: X:3",
    )
    text += "\n[Instance]\nid: X:i\ninstance_of: X:1\n\n[Typedef]\nid: part_of\nname: part of\n"
    _, told, _ = ontology(text)
    assert "2 terms have a logical definition (intersection_of), which is not read" in told
    assert "in 1 its genus is no stated parent (X:3 -> X:2)" in told
    assert "2 lines of union_of are not read" in told
    assert "1 [Instance] stanzas are not read" in told


def test_relations_by_the_names_of_their_typedefs(ontology):
    text = terms("X:1", "X:2; relationship: BFO:0000050 X:1", "X:3; is_a: X:2")
    text += "\n[Typedef]\nid: BFO:0000050\nname: part of\nxref: RO:1 ! x\n"
    for asked in ("BFO:0000050", "part_of", "RO:1"):
        assert ontology(text, relations=("is_a", asked))[0] == {("X:1", "X:2"), ("X:2", "X:3")}


def test_iris_modifiers_and_escapes(ontology):
    obo = "http://purl.obolibrary.org/obo/"
    edges, _, found = ontology(
        HEAD + f'! a comment\n[Term] ! one\nid: {obo}GO_0008150\nname: all! of it {{a="}}"}}\n\n'
        f'[Term]\nid: GO:0000002 ! two\nis_a: {obo}GO_0008150{{source="y ! z"}}\n\n'
        "[Term]\nid: EC\\:1.1\nname: a\\, b \\{c\\}\nis_a: GO:0000002{}\n"
    )
    assert edges == {("GO:0008150", "GO:0000002"), ("GO:0000002", "EC:1.1")}
    assert found.names.to_pylist()[2] == "a, b {c}"


GRAPHS = {
    "graphs": [
        {
            "id": "http://purl.obolibrary.org/obo/x.json",
            "nodes": [
                {"id": "http://purl.obolibrary.org/obo/X_1", "lbl": "root", "type": "CLASS"},
                {"id": "http://purl.obolibrary.org/obo/X_2"},
                {
                    "id": "http://purl.obolibrary.org/obo/X_8",
                    "type": "CLASS",
                    "meta": {
                        "deprecated": True,
                        "basicPropertyValues": [
                            {
                                "pred": "http://purl.obolibrary.org/obo/IAO_0100001",
                                "val": "http://purl.obolibrary.org/obo/X_7",
                            }
                        ],
                    },
                },
                {
                    "id": "X:7",
                    "type": "CLASS",
                    "meta": {
                        "deprecated": True,
                        "basicPropertyValues": [{"pred": "oboInOwl#consider", "val": "X:2"}],
                    },
                },
                {"id": "http://www.ebi.ac.uk/efo/EFO_0000001", "lbl": "e", "type": "CLASS"},
                {"id": "http://purl.obolibrary.org/obo/BFO_0000050", "type": "PROPERTY",
                 "lbl": "part of"},
                {"id": "http://x.org/i", "type": "INDIVIDUAL"},
            ],
            "edges": [
                {"sub": "X:2", "pred": "is_a", "obj": "http://purl.obolibrary.org/obo/X_1"},
                {"sub": "EFO:0000001", "pred": "is_a", "obj": "X:8"},
                {"sub": "X:2", "pred": "is_a", "obj": "Y:1"},
            ],
            "logicalDefinitionAxioms": [
                {"definedClassId": "X:2", "genusIds": ["X:1"], "restrictions": [{}]}
            ],
            "equivalentNodesSets": [{"nodeIds": ["X:1", "X:2"]}],
        },
        {
            "nodes": [{"id": "http://purl.obolibrary.org/obo/X_3", "lbl": "in two"}],
            "edges": [
                {
                    "sub": "http://purl.obolibrary.org/obo/X_3",
                    "pred": "http://purl.obolibrary.org/obo/BFO_0000050",
                    "obj": "http://purl.obolibrary.org/obo/X_2",
                }
            ],
        },
    ]
}  # fmt: skip


def test_several_graphs_of_obo_json(ontology):
    edges, told, found = ontology(GRAPHS, relations=("is_a", "BFO:0000050"))
    assert edges == {("X:1", "X:2"), ("X:2", "X:3"), ("X:2", "EFO:0000001")}
    assert "2 graphs are read as one" in told
    assert "1 individuals are not read" in told
    assert "1 equivalentNodesSets are not read" in told
    assert "1 terms have a logical definition" in told
    assert "1 edges: their target is of another ontology" in told
    assert found.retired("X:8").successor == "X:2"


def test_random_ontologies_as_obonet_reads_them(ontology, tmp_path):
    obonet = pytest.importorskip("obonet", reason="needs the package obonet")
    draw = random.Random(11)
    stanzas = []
    for k in range(120):
        tags = [f"X:{k:03}", f"name: n{k}"]
        for p in draw.sample(range(120), draw.choice([0, 1, 1, 3])):
            kind = draw.choice(["is_a: ", "relationship: part_of ", "relationship: other "])
            tags.append(f"{kind}X:{p:03}" + draw.choice(["", " ! n", ' {a="b"} ! n']))
        if k % 17 == 5:
            tags.append("is_obsolete: true")
        stanzas.append("; ".join(tags))
    text = terms(*stanzas) + "\n[Typedef]\nid: part_of\n"
    edges = ontology(text, relations=("is_a", "part_of"))[0]
    (tmp_path / "o.obo").write_text(text)
    graph = obonet.read_obo(str(tmp_path / "o.obo"))
    living = {node for node, data in graph.nodes(data=True) if data}
    assert edges == {
        (parent, child)
        for child, parent, relation in graph.edges(keys=True)
        if relation in ("is_a", "part_of") and {child, parent} <= living and child != parent
    }


def test_relations_that_lead_down(ontology):
    body = terms(
        "X:1; relationship: has_part X:2; relationship: BFO:0000051 X:3; relationship: near X:4",
        "X:2", "X:3; relationship: part_of X:1", "X:4",
    )  # fmt: skip
    edges, told, found = ontology(body, relations=["has_part"])
    assert edges == {("X:1", "X:2")}
    assert "has_part leads down" in told
    assert found.guesses == ()
    assert ontology(body, relations=["BFO:0000051", "part_of"])[0] == {("X:1", "X:3")}
    edges, _, found = ontology(body, relations=["near"])
    assert edges == {("X:4", "X:1")}
    assert found.guesses == ("what near leads to is read as the parent",)


def test_edges_of_what_is_no_class_are_counted(ontology):
    nodes = [{"id": one, "lbl": one, "type": "CLASS"} for one in ("X:1", "X:2")]
    edges = [{"sub": one, "pred": "is_a", "obj": "X:1"} for one in ("X:2", "X:9")]
    found, told, _ = ontology({"graphs": [{"nodes": nodes, "edges": edges}]})
    assert found == {("X:1", "X:2")}
    assert "1 edges of what is no class of the file are not read" in told
