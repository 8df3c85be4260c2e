"""OWL in functional syntax and in OWL/XML: both are axioms, which are taken one at a time.

Syntax: https://www.w3.org/TR/owl2-syntax/ and https://www.w3.org/TR/owl2-xml-serialization/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pyexpat import ExpatError, ParserCreate
from typing import Any

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.identifiers import curie, local
from taxcheck.sources.taxonomies.newick_text import wrong
from taxcheck.sources.taxonomies.statements import (
    ANNOTATIONS,
    IS_A,
    PLAIN,
    PREFERRED,
    Statements,
)
from taxcheck.sources.taxonomies.text_file import TextFile
from taxcheck.sources.taxonomies.xml_prolog import refuse_entities

_LONGEST = 1 << 28
_LEVELS = 1_000  # of expressions inside of each other
_OWL = "http://www.w3.org/2002/07/owl#"
_PREFIXES = {
    "owl": _OWL,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_LABELS = {
    "http://www.w3.org/2000/01/rdf-schema#label": PLAIN,
    "http://www.w3.org/2004/02/skos/core#prefLabel": PREFERRED,
}
_TOKEN = re.compile(
    r'\s+|(?:#[^\n]*)|([()=])|<([^<>\s]*)>|"([^"\\]*(?:\\.[^"\\]*)*)"(?:@([\w-]+)|\^\^(?:<[^<>\s]*>|'
    r'[^\s()<>"=]+))?|([^\s()<>"=#]+)'
)
_OPENS = re.compile(r"\s*\(")


@dataclass(frozen=True, slots=True)
class _Text:
    """A literal."""

    text: str
    language: str | None = None


@dataclass(slots=True)
class _Expression:
    """A name and its arguments: IRIs, literals, expressions."""

    name: str
    of: list[Any] = field(default_factory=list)


def read_functional(
    path: str,
    relations: Sequence[str],
    namespaces: Sequence[str],
    language: str | None = None,
) -> Hierarchy:
    """The classes of an ontology in functional syntax; options are as of RDF."""
    source = TextFile(path)
    axioms = _Axioms()
    _functional(source.text(_LONGEST), source.path, axioms)
    return axioms.hierarchy(source, "OWL", relations, namespaces, language)


def read_owl_xml(
    path: str,
    relations: Sequence[str],
    namespaces: Sequence[str],
    language: str | None = None,
) -> Hierarchy:
    """The classes of an ontology in OWL/XML; options are as of RDF."""
    source = TextFile(path)
    refuse_entities(source)
    axioms = _Axioms()
    _xml(source, axioms)
    return axioms.hierarchy(source, "OWL/XML", relations, namespaces, language)


class _Axioms:
    """Axioms as they come, and what they state."""

    def __init__(self) -> None:
        self.prefixes = dict(_PREFIXES)
        self.base = ""
        self._out = Statements()
        self._taken: dict[str, Callable[[list[Any]], None]] = {
            "Declaration": self._declaration,
            "SubClassOf": self._below,
            "EquivalentClasses": self._same,
            "AnnotationAssertion": self._annotated,
            "DisjointUnion": self._union,
        }

    def take(self, axiom: _Expression) -> None:
        """One axiom of the ontology."""
        if (taken := self._taken.get(axiom.name)) is not None:
            of = [
                one
                for one in axiom.of
                if not (isinstance(one, _Expression) and one.name == "Annotation")
            ]
            taken(of)

    def versioned(self, iri: str) -> None:
        """The ontology's own IRIs, of which the second is its version's."""
        self._out.version = iri

    def expanded(self, name: str) -> str:
        """The IRI of a name such as rdfs:label; others stay."""
        prefix, colon, rest = name.partition(":")
        return f"{self.prefixes[prefix]}{rest}" if colon and prefix in self.prefixes else name

    def hierarchy(
        self,
        source: TextFile,
        kind: str,
        relations: Sequence[str],
        namespaces: Sequence[str],
        language: str | None,
    ) -> Hierarchy:
        """All that was stated."""
        origin = source.origin(kind, self._out.version)
        return self._out.hierarchy(origin, relations, namespaces, language)

    def _declaration(self, of: list[Any]) -> None:
        entity = of[0] if of else None
        if isinstance(entity, _Expression) and entity.name == "Class" and entity.of:
            self._out.declare(str(entity.of[0]))

    def _below(self, of: list[Any]) -> None:
        if len(of) != 2 or not isinstance(of[0], str):
            self._out.unread["statements of what is above anonymous classes"] += 1
            return
        for one in _conjuncts(of[1]):
            match one:
                case str():
                    self._out.link(of[0], IS_A, one)
                case _Expression("ObjectSomeValuesFrom", [str(relation), str(filler)]):
                    self._out.link(of[0], relation, filler)
                case _:
                    self._out.unread["restrictions other than some value that is named"] += 1

    def _same(self, of: list[Any]) -> None:
        named = [one for one in of if isinstance(one, str)]
        if len(named) > 1:
            self._out.unread["statements that two named classes are the same"] += 1
        elif named:
            genus = [curie(c) for one in of for c in _conjuncts(one) if isinstance(c, str)]
            self._out.term(named[0]).genus += [one for one in genus if one != curie(named[0])]

    def _union(self, _: list[Any]) -> None:
        self._out.unread["unions of disjoint classes"] += 1

    def _annotated(self, of: list[Any]) -> None:
        if len(of) != 3 or not (isinstance(of[0], str) and isinstance(of[1], str)):
            return
        which, iri, value = of
        text, language = (
            (value.text, value.language) if isinstance(value, _Text) else (str(value), None)
        )
        if which in _LABELS:
            self._out.label(iri, text, language, _LABELS[which])
        elif local(which) in ANNOTATIONS:
            self._out.annotations.append((iri, local(which), text))


def _conjuncts(expression: Any) -> list[Any]:
    if isinstance(expression, _Expression) and expression.name == "ObjectIntersectionOf":
        return expression.of
    return [expression]


def _functional(text: str, shown: str, axioms: _Axioms) -> None:
    stack: list[_Expression] = []
    word, at, ontologies = "", 0, 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise wrong(text, at, shown, f"{text[at : at + 20]!r} is no OWL in functional syntax")
        mark, iri, literal, language, name = found.groups()
        if mark == "(":
            stack.append(_Expression(word))
            ontologies += word == "Ontology"
            if len(stack) > _LEVELS:
                raise wrong(text, at, shown, "is nested too deeply for an ontology")
        elif mark == ")":
            if not stack:
                raise wrong(text, at, shown, "a ')' without its '('")
            _closed(stack, axioms)
        if name is not None and not _OPENS.match(text, found.end()):
            prefix = bool(stack) and stack[-1].name == "Prefix"
            _argument(stack, name if prefix else axioms.expanded(name))
        elif iri is not None:
            _argument(stack, axioms.expanded(iri) if iri.startswith(":") else iri)
        elif literal is not None:
            _argument(stack, _Text(re.sub(r"\\(.)", r"\1", literal), language))
        word = name or (word if not found[0].strip() else "")
        at = found.end()
    if stack or not ontologies:
        raise wrong(text, len(text), shown, "a '(' is not closed; the file is truncated")


def _argument(stack: list[_Expression], value: Any) -> None:
    if stack:
        stack[-1].of.append(value)


def _closed(stack: list[_Expression], axioms: _Axioms) -> None:
    """An expression ends: an axiom is taken, a prefix learned, all else is an argument."""
    done = stack.pop()
    if done.name == "Prefix" and len(done.of) == 2:
        axioms.prefixes[str(done.of[0]).rstrip(":")] = str(done.of[1])
    elif stack and stack[-1].name == "Ontology":
        if len(stack[-1].of) > 1:
            axioms.versioned(str(stack[-1].of[1]))
        axioms.take(done)
    elif stack:
        stack[-1].of.append(done)


_ENTITIES = {"Class", "ObjectProperty", "DataProperty", "AnnotationProperty", "NamedIndividual",
             "Datatype", "AnonymousIndividual"}  # fmt: skip
_TEXTS = {"IRI", "AbbreviatedIRI", "Literal"}


def _xml(source: TextFile, axioms: _Axioms) -> None:
    stack: list[_Expression] = []
    text: list[str] = []
    language: list[str | None] = []
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def iri_of(attributes: dict[str, str]) -> str:
        if (iri := attributes.get("IRI")) is not None:
            return iri if ":" in iri else axioms.base + iri
        return axioms.expanded(attributes.get("abbreviatedIRI", attributes.get("nodeID", "")))

    def begin(tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if name == "Ontology":
            axioms.base = attributes.get(
                "http://www.w3.org/XML/1998/namespace base", attributes.get("ontologyIRI", "")
            )
            if version := attributes.get("versionIRI"):
                axioms.versioned(version)
        elif name == "Prefix":
            axioms.prefixes[attributes.get("name", "")] = attributes.get("IRI", "")
        stack.append(_Expression(name))
        if len(stack) > _LEVELS:
            raise InputError(f"{source.path}: is nested too deeply for an ontology")
        if name in _ENTITIES:
            stack[-1].of.append(iri_of(attributes))
        text.clear()
        language.append(attributes.get("http://www.w3.org/XML/1998/namespace lang"))

    def end(_: str) -> None:
        done, tag = stack.pop(), language.pop()
        if len(stack) == 1:
            axioms.take(done)
            return
        if not stack:
            return
        above = stack[-1]
        if done.name in _ENTITIES and above.name != "Declaration":
            above.of += done.of
        elif done.name == "Literal":
            above.of.append(_Text("".join(text), tag))
        elif done.name in _TEXTS:
            named = "".join(text).strip()
            key = "IRI" if done.name == "IRI" else "abbreviatedIRI"
            above.of.append(iri_of({key: named}))
        else:
            above.of.append(done)

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = text.append
    with source.stream() as stream:
        try:
            parser.ParseFile(stream)
        except ExpatError as error:
            raise InputError(
                f"{source.path}: line {error.lineno:,}: is no sound XML ({error}); it may be "
                "truncated or damaged: copy it again"
            ) from None
