"""SKOS, RDFS and OWL in Turtle, RDF/XML, N-Triples and JSON-LD, taken apart by rdflib.

Of the triples only those are kept that make a hierarchy. Nothing is fetched: neither owl:imports,
nor remote contexts, nor what an entity of XML names.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from taxcheck.model.errors import InputError
from taxcheck.sources.files import damaged
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.identifiers import curie, local
from taxcheck.sources.taxonomies.rdf_kinds import has_graphs
from taxcheck.sources.taxonomies.statements import (
    ANNOTATIONS,
    BROADER,
    IS_A,
    PLAIN,
    PREFERRED,
    TRANSITIVE,
    Statements,
)
from taxcheck.sources.taxonomies.text_file import TextFile
from taxcheck.sources.taxonomies.xml_prolog import refuse_entities

_MOST_BYTES = 1 << 30
_RDF, _RDFS, _OWL, _SKOS, _XL = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/2004/02/skos/core#",
    "http://www.w3.org/2008/05/skos-xl#",
)
_TYPES = {f"{_OWL}Class", f"{_RDFS}Class", f"{_SKOS}Concept"}
_LABELS = {f"{_SKOS}prefLabel": PREFERRED, f"{_RDFS}label": PLAIN}
# Predicate: relation, and whether its object is above its subject.
_ABOVE = {
    f"{_RDFS}subClassOf": (IS_A, True),
    f"{_SKOS}broader": (BROADER, True),
    f"{_SKOS}narrower": (BROADER, False),
    f"{_SKOS}broaderTransitive": (TRANSITIVE, True),
    f"{_SKOS}narrowerTransitive": (TRANSITIVE, False),
}
_PARTS = {
    f"{_OWL}onProperty",
    f"{_OWL}someValuesFrom",
    f"{_OWL}intersectionOf",
    f"{_OWL}equivalentClass",
    f"{_RDF}first",
    f"{_RDF}rest",
    f"{_XL}prefLabel",
    f"{_XL}literalForm",
}
_VERSIONS = (f"{_OWL}versionInfo", f"{_OWL}versionIRI")
_FORMATS = {"turtle": "Turtle", "xml": "RDF/XML", "nt": "N-Triples", "json-ld": "JSON-LD"}
_WITH_GRAPHS = {"nt": "nquads", "turtle": "trig"}
_SHOWN = 8


def read_turtle(path: str, **options: Any) -> Hierarchy:
    """Classes or concepts of a file in Turtle; as are the options, so is ``read_rdf``."""
    return read_rdf(path, "turtle", **options)


def read_rdf_xml(path: str, **options: Any) -> Hierarchy:
    """Classes or concepts of a file in RDF/XML."""
    return read_rdf(path, "xml", **options)


def read_ntriples(path: str, **options: Any) -> Hierarchy:
    """Classes or concepts of a file in N-Triples."""
    return read_rdf(path, "nt", **options)


def read_json_ld(path: str, **options: Any) -> Hierarchy:
    """Classes or concepts of a file in JSON-LD whose contexts are in it."""
    return read_rdf(path, "json-ld", **options)


def read_rdf(
    path: str,
    syntax: str,
    relations: Sequence[str],
    namespaces: Sequence[str],
    language: str | None = None,
) -> Hierarchy:
    """The classes and concepts of a file, each below what a relation states above it.

    ``relations`` are is_a (rdfs:subClassOf) and broader by default; others are those of OWL's
    restrictions (someValuesFrom), such as part_of, or predicates by their names, child before
    parent. Raises InputError where the file is none of the syntax or asks for another file.
    """
    source = TextFile(path)
    if source.file.bytes > _MOST_BYTES:
        raise InputError(
            f"{source.path}: is larger than {_MOST_BYTES >> 30} GiB of RDF, which would not fit "
            "into memory; convert it to OBO: robot convert -i FILE -o FILE.obo"
        )
    if syntax == "xml":
        refuse_entities(source)
    kept = _Kept(set(relations))
    _parse(source, syntax, kept)
    statements = kept.statements()
    if not any(term.links for term in statements.terms.values()) and kept.others:
        seen = ", ".join(f"{name} ({n:,})" for name, n in kept.others.most_common(_SHOWN))
        raise InputError(
            f"{source.path}: states no rdfs:subClassOf, skos:broader or skos:narrower; its "
            f"predicates between nodes are {seen}: name those that point upwards with `relations`"
        )
    origin = source.origin(_FORMATS[syntax], statements.version)
    found = statements.hierarchy(origin, relations, namespaces, language)
    if len(kept.graphs) < 2:
        return found
    told = f"{len(kept.graphs):,} named graphs are read as one"
    return replace(found, guesses=(*found.guesses, told))


def _parse(source: TextFile, syntax: str, kept: _Kept) -> None:
    try:
        import rdflib
        from rdflib.plugins.stores.memory import Memory
    except ImportError:
        raise InputError(
            f"{source.path}: is {_FORMATS[syntax]}, which needs rdflib: pip install 'taxcheck[rdf]'"
        ) from None

    class Sink(Memory):
        """A store that keeps no triple, but hands it on."""

        def add(self, triple: Any, context: Any = None, *_: Any, **__: Any) -> None:
            kept.graphs.add(str(getattr(context, "identifier", context)))
            kept.add(*triple)

    text = source.text(_MOST_BYTES)
    if syntax == "json-ld":
        _refuse_contexts(text, source.path)
    graphs = has_graphs(text, syntax)
    try:
        with _silent():
            into = (
                rdflib.Dataset(store=Sink())
                if graphs
                else rdflib.Graph(store=Sink(), bind_namespaces="none")
            )
            into.parse(
                data=text,
                format=_WITH_GRAPHS[syntax] if graphs else syntax,
                publicID="relative:/",
            )
    except InputError:
        raise
    except RecursionError:
        raise InputError(
            f"{source.path}: is nested too deeply for {_FORMATS[syntax]} of an ontology"
        ) from None
    except Exception as error:  # rdflib raises almost anything for a damaged file
        raise damaged(source.path, _FORMATS[syntax], error) from None


@contextmanager
def _silent() -> Iterator[None]:
    """Without what rdflib writes to the screen about odd IRIs and about its own classes."""
    logs = [logging.getLogger(name) for name in ("rdflib", "rdflib.term")]
    before = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, was in zip(logs, before, strict=True):
            log.disabled = was


def _refuse_contexts(text: str, shown: str) -> None:
    """InputError where a context is an address: rdflib would fetch it."""
    try:
        pending: list[Any] = [json.loads(text)]
    except (ValueError, RecursionError) as error:
        raise damaged(shown, "JSON-LD", error) from None
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            pending += one.values()
            contexts = one.get("@context", ())
            listed = contexts if isinstance(contexts, list) else [contexts]
            named = [c for c in (*listed, one.get("@import", ())) if isinstance(c, str)]
            if named:
                raise InputError(
                    f"{shown}: its context is at {named[0][:80]}, which taxcheck does not fetch; "
                    "write the context into the file, or convert it to Turtle"
                )


class _Kept:
    """Of all triples those that make a hierarchy."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted = wanted
        self._above: list[tuple[str, str, str]] = []  # child, relation, what is above
        self._parts: dict[str, dict[str, list[str]]] = {}  # of classes and anonymous nodes
        self._out = Statements()
        self.graphs: set[str] = set()
        self.others: Counter[str] = Counter()  # predicates between nodes that are not read
        self._predicates: dict[str, tuple[bool, str]] = {}

    def add(self, subject: Any, predicate: Any, value: Any) -> None:
        """One triple, in terms of rdflib."""
        named, one, other = str(predicate), _node(subject), _node(value)
        if named == f"{_RDF}type":
            if str(value) in _TYPES and not one.startswith("_:"):
                self._out.declare(one)
        elif (found := _ABOVE.get(named)) is not None:
            relation, upwards = found
            self._above.append((one, relation, other) if upwards else (other, relation, one))
        elif named in _LABELS:
            self._out.label(one, str(value), getattr(value, "language", None), _LABELS[named])
        elif named in _PARTS:
            held = self._parts.setdefault(one, {}).setdefault(named, [])
            language = getattr(value, "language", None)
            held.append(f"{language or ''}@{value}" if named.endswith("literalForm") else other)
        elif named == f"{_OWL}disjointUnionOf":
            self._out.unread["unions of disjoint classes"] += 1
        elif named in _VERSIONS:
            self._out.version = self._out.version or str(value)
        elif local(named) in ANNOTATIONS:
            self._out.annotations.append((one, local(named), str(value)))
        elif not hasattr(value, "language"):  # no literal
            self._between(one, named, other)

    def _between(self, one: str, named: str, other: str) -> None:
        asked, name = self._predicates.get(named) or (
            not self._wanted.isdisjoint((named, local(named), curie(named))),
            local(named),
        )
        self._predicates[named] = asked, name
        if asked:
            self._above.append((one, named, other))
        elif not one.startswith("_:") and not other.startswith("_:"):
            self.others[name] += 1

    def statements(self) -> Statements:
        """All of it, with what anonymous nodes are about."""
        out = self._out
        for iri, parts in self._parts.items():
            for node in parts.get(f"{_XL}prefLabel", ()):
                for literal in self._parts.get(node, {}).get(f"{_XL}literalForm", ()):
                    language, _, text = literal.partition("@")
                    out.label(iri, text, language, PREFERRED)
            for node in parts.get(f"{_OWL}equivalentClass", ()):
                if not iri.startswith("_:") and node.startswith("_:"):
                    out.term(iri).genus += [
                        curie(one) for one in self._conjuncts(node) if not one.startswith("_:")
                    ]
                elif iri != node:
                    out.unread["statements that two named classes are the same"] += 1
        for child, relation, above in self._above:
            if child.startswith("_:"):
                out.unread["statements of what is above anonymous classes"] += 1
            elif not above.startswith("_:"):
                out.link(child, relation, above)
            else:
                self._restricted(child, above)
        return out

    def _restricted(self, child: str, node: str) -> None:
        """A class below an anonymous one: what a conjunct says, or some value of a relation."""
        for one in self._conjuncts(node):
            parts = self._parts.get(one, {})
            properties = parts.get(f"{_OWL}onProperty", ())
            fillers = parts.get(f"{_OWL}someValuesFrom", ())
            if not one.startswith("_:"):
                self._out.link(child, IS_A, one)
            elif len(properties) == len(fillers) == 1 and not fillers[0].startswith("_:"):
                self._out.link(child, properties[0], fillers[0])
            else:
                self._out.unread["restrictions other than some value that is named"] += 1

    def _conjuncts(self, node: str) -> Iterator[str]:
        """The members of an intersection, or the node itself."""
        lists = self._parts.get(node, {}).get(f"{_OWL}intersectionOf", ())
        if not lists:
            yield node
        for at in lists:
            seen: set[str] = set()
            while at not in seen and (cell := self._parts.get(at)) is not None:
                seen.add(at)
                yield from cell.get(f"{_RDF}first", ())
                at = next(iter(cell.get(f"{_RDF}rest", ())), "")


def _node(term: Any) -> str:
    """An IRI as it is, a blank node as "_:…"."""
    return f"_:{term}" if type(term).__name__ == "BNode" else str(term)
