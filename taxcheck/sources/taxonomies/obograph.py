"""OBO Graph JSON: https://github.com/geneontology/obographs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.ontology import Term, hierarchy_of
from taxcheck.sources.taxonomies.text_file import TextFile

_NAMESPACE = "hasOBONamespace"
_ALTERNATIVE = "hasAlternativeId"
_REPLACED = ("IAO_0100001", "replacedBy")
# What the commonest relations are called where the file does not say it.
_RELATIONS = {
    "subClassOf": "is_a",
    "BFO_0000050": "part_of",
    "BFO_0000051": "has_part",
    "BFO_0000066": "occurs_in",
    "RO_0002202": "develops_from",
    "RO_0002211": "regulates",
    "RO_0002212": "negatively_regulates",
    "RO_0002213": "positively_regulates",
}


def read_obograph(path: str, relations: Sequence[str], namespaces: Sequence[str]) -> Hierarchy:
    """All classes of all graphs of the file."""
    source = TextFile(path)
    try:
        document = json.loads(source.text())
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno:,})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(
            f"{source.path}: is no whole JSON document{where}; it may be truncated: copy it again"
        ) from None
    graphs = document.get("graphs") if isinstance(document, dict) else None
    if not isinstance(graphs, list) or not all(isinstance(graph, dict) for graph in graphs):
        raise InputError(f"{source.path}: has no list of graphs; give OBO Graph JSON")
    try:
        terms, version = _terms(graphs)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{source.path}: a node or edge is not as OBO Graph JSON has them "
            f"({type(error).__name__}: {error})"
        ) from None
    if not terms:
        raise InputError(f"{source.path}: holds no class; give an ontology as OBO Graph JSON")
    origin = source.origin("OBO Graph JSON", version)
    try:
        return hierarchy_of(list(terms.values()), origin, relations or ("is_a",), namespaces)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{source.path}: an id or label holds \\u{ord(error.object[error.start]):04x}, half of "
            "a character; write the whole one"
        ) from None


def _terms(graphs: Sequence[Mapping[str, object]]) -> tuple[dict[str, Term], str | None]:
    terms: dict[str, Term] = {}
    names = dict(_RELATIONS)
    version: str | None = None
    for graph in graphs:
        meta = _mapping(graph.get("meta"))
        version = version or _version(str(meta.get("version") or "")) or None
        for node in _list(graph.get("nodes")):
            node_type, identifier = node.get("type", "CLASS"), _curie(str(node["id"]))
            if node_type == "PROPERTY" and node.get("lbl"):
                names[_local(str(node["id"]))] = str(node["lbl"]).replace(" ", "_")
            if node_type == "CLASS":
                label = node.get("lbl")
                term = terms.setdefault(identifier, Term(identifier))
                term.name = term.name or (None if label is None else str(label))
                _describe(term, _mapping(node.get("meta")))
    for graph in graphs:
        for edge in _list(graph.get("edges")):
            child = terms.get(_curie(str(edge["sub"])))
            if child is not None:
                predicate = str(edge["pred"])
                relation = names.get(_local(predicate), _local(predicate))
                child.links.append((relation, _curie(str(edge["obj"]))))
    return terms, version


def _describe(term: Term, meta: Mapping[str, object]) -> None:
    term.obsolete = term.obsolete or meta.get("deprecated") is True
    for value in _list(meta.get("basicPropertyValues")):
        predicate, what = _local(str(value["pred"])), str(value["val"])
        if predicate == _NAMESPACE:
            term.namespace = what
        elif predicate == _ALTERNATIVE:
            term.alternatives.append(_curie(what))
        elif predicate in _REPLACED:
            term.replaced_by.append(_curie(what))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Mapping[str, object]]:
    return value if isinstance(value, list) else []


def _local(iri: str) -> str:
    return iri.rsplit("/", 1)[-1].rsplit("#", 1)[-1]


def _curie(iri: str) -> str:
    """http://purl.obolibrary.org/obo/GO_0005575 is GO:0005575; anything else stays."""
    if not iri.startswith(("http://", "https://")):
        return iri
    prefix, underscore, local = _local(iri).partition("_")
    return f"{prefix}:{local}" if underscore and local else iri


def _version(text: str) -> str:
    return text.split("/releases/")[-1].split("/")[0] if "/releases/" in text else text
