"""OBO Graph JSON: https://github.com/geneontology/obographs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.identifiers import RELATIONS, curie, local
from taxcheck.sources.taxonomies.ontology import Stated, Term, hierarchy_of
from taxcheck.sources.taxonomies.text_file import TextFile

_NAMESPACE = "hasOBONamespace"
_ALTERNATIVE = "hasAlternativeId"
_CONSIDER = "consider"
_LONGEST = 1 << 30
_REPLACED = ("IAO_0100001", "replacedBy")


def read_obograph(path: str, relations: Sequence[str], namespaces: Sequence[str]) -> Hierarchy:
    """All classes of all graphs of the file."""
    source = TextFile(path)
    document = source.json(_LONGEST)
    graphs = document.get("graphs") if isinstance(document, dict) else None
    if not isinstance(graphs, list) or not all(isinstance(graph, dict) for graph in graphs):
        raise InputError(f"{source.path}: has no list of graphs; give OBO Graph JSON")
    try:
        reading = _Reading(graphs)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{source.path}: a node or edge is not as OBO Graph JSON has them "
            f"({type(error).__name__}: {error})"
        ) from None
    if not reading.terms:
        raise InputError(f"{source.path}: holds no class; give an ontology as OBO Graph JSON")
    origin = source.origin("OBO Graph JSON", reading.version)
    terms = list(reading.terms.values())
    stated = Stated(terms, origin, reading.aliases, tuple(reading.notes(len(graphs))))
    try:
        return hierarchy_of(stated, relations, namespaces)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{source.path}: an id or label holds \\u{ord(error.object[error.start]):04x}, half of "
            "a character; write the whole one"
        ) from None


class _Reading:
    """The classes of all graphs, and what else they hold."""

    def __init__(self, graphs: Sequence[Mapping[str, object]]) -> None:
        self.terms: dict[str, Term] = {}
        self.aliases: dict[str, str] = {}
        self.version: str | None = None
        self._names = dict(RELATIONS)  # of relations, by the last part of their IRI
        self._unread: Counter[str] = Counter()
        for graph in graphs:
            meta = _mapping(graph.get("meta"))
            self.version = self.version or _version(str(meta.get("version") or "")) or None
            for node in _list(graph.get("nodes")):
                self._node(node)
        for iri, name in self._names.items():
            self.aliases |= {iri: name, iri.replace("_", ":"): name}
        for graph in graphs:
            for edge in _list(graph.get("edges")):
                self._edge(edge)
            for axiom in _list(graph.get("logicalDefinitionAxioms")):
                term = self.terms.get(curie(str(axiom["definedClassId"])))
                genus = axiom.get("genusIds")
                if term is not None and isinstance(genus, list):
                    term.genus += [curie(str(one)) for one in genus]
            for what in ("equivalentNodesSets", "domainRangeAxioms", "propertyChainAxioms"):
                self._unread[what] += len(_list(graph.get(what)))

    def _node(self, node: Mapping[str, object]) -> None:
        node_type, iri = node.get("type") or "CLASS", str(node["id"])
        if node_type == "PROPERTY" and node.get("lbl"):
            self._names[local(iri)] = str(node["lbl"]).replace(" ", "_")
        elif node_type == "INDIVIDUAL":
            self._unread["individuals"] += 1
        elif node_type == "CLASS":
            label, identifier = node.get("lbl"), curie(iri)
            term = self.terms.setdefault(identifier, Term(identifier))
            term.name = term.name or (None if label is None else str(label))
            _describe(term, _mapping(node.get("meta")))

    def _edge(self, edge: Mapping[str, object]) -> None:
        child = self.terms.get(curie(str(edge["sub"])))
        if child is None:
            self._unread["edges of what is no class of the file"] += 1
        else:
            predicate = local(str(edge["pred"]))
            relation = self._names.get(predicate, predicate)
            child.links.append((relation, curie(str(edge["obj"]))))

    def notes(self, graphs: int) -> Iterator[str]:
        """What was read of several places, and what was not."""
        if graphs > 1:
            yield f"{graphs:,} graphs are read as one"
        for what, count in self._unread.items():
            if count:
                yield f"{count:,} {what} are not read"


def _describe(term: Term, meta: Mapping[str, object]) -> None:
    term.obsolete = term.obsolete or meta.get("deprecated") is True
    for value in _list(meta.get("basicPropertyValues")):
        predicate, what = local(str(value["pred"])), str(value["val"])
        if predicate == _NAMESPACE:
            term.namespace = what
        elif predicate == _ALTERNATIVE:
            term.alternatives.append(curie(what))
        elif predicate in _REPLACED:
            term.replaced_by.append(curie(what))
        elif predicate == _CONSIDER:
            term.consider.append(curie(what))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Mapping[str, object]]:
    return value if isinstance(value, list) else []


def _version(text: str) -> str:
    return text.split("/releases/")[-1].split("/")[0] if "/releases/" in text else text
