"""In which syntax RDF or OWL is written, from its first bytes."""

from __future__ import annotations

import re
from typing import Literal

from taxcheck.sources.readers import Candidate
from taxcheck.sources.taxonomies.json_kinds import json_kind

Syntax = Literal["turtle", "rdfxml", "ntriples", "jsonld", "owl", "owlxml", ""]
PROLOG = (
    rb"\s*(?:<\?[^>]*\?>\s*)*(?:<!--(?:[^-]|-(?!->))*-->\s*)*"
    rb"(?:<!DOCTYPE[^\[>]*(?:\[[^\]]*\])?\s*>\s*)?(?:<!--(?:[^-]|-(?!->))*-->\s*)*"
)
_LOOKED = 1 << 14  # characters
_BLANK = rb"(?:\s+|#[^\n]*\n)*"
_IRI = rb"<[^<>\s]*>"
_SYNTAXES: tuple[tuple[Syntax, re.Pattern[bytes]], ...] = (
    ("rdfxml", re.compile(PROLOG + rb"<(?:\w+:)?RDF[\s>]")),
    ("owlxml", re.compile(PROLOG + rb"<(?:\w+:)?Ontology[\s>]")),
    ("owl", re.compile(_BLANK + rb"(?:Prefix\s*\(|Ontology\s*\()")),
    ("ntriples", re.compile(
        rb"(?:#[^\n]*\n|\s)*(?:" + _IRI + rb"|_:\S+)[ \t]+" + _IRI + rb"[ \t]*(?:" + _IRI
        + rb"|_:\S+|\"[^\n]*)[ \t]*(?:" + _IRI + rb"|_:\S+)?[ \t]*\.[ \t]*(?:#[^\n]*)?"
        rb"(?:\r?\n|\Z)")),
    ("turtle", re.compile(_BLANK + rb"(?:@(?:prefix|base)\s|(?i:prefix|base)\s+\S*\s*<)")),
    ("turtle", re.compile(_BLANK + _IRI + rb"\s+(?:a|" + _IRI + rb")\s+(?:" + _IRI + rb"|\")")),
)  # fmt: skip

_NODE = rb"(?:" + _IRI + rb"|_:\S+)"
_QUADS = re.compile(
    (rb"(?:#[^\n]*\n|\s)*" + _NODE + rb"[ \t]+" + _IRI + rb"[ \t]+(?:" + _NODE
     + rb"|\"[^\n]*\"\S*)[ \t]+" + _NODE + rb"[ \t]*\.[ \t]*(?:\r?\n|\Z)").decode()
)  # fmt: skip
_GRAPH = re.compile(
    r"(?m)^[ \t]*(?:(?i:graph)[ \t]+)?(?:<[^<>\s]*>|[\w.-]*:[\w.-]*)?\s*\{\s*(?:#|$|[<_:\w])"
)


def has_graphs(text: str, syntax: str) -> bool:
    """Whether statements of N-Triples name a graph (N-Quads), or those of Turtle stand in one."""
    if syntax == "nt":
        return _QUADS.match(text, 0, _LOOKED) is not None
    return syntax == "turtle" and _GRAPH.search(text, 0, _LOOKED) is not None


def syntax_of(candidate: Candidate) -> Syntax:
    """The syntax; "" where it is none of RDF or OWL."""
    if not candidate.is_text:
        return ""
    if candidate.once(json_kind) == "json-ld":
        return "jsonld"
    head = candidate.unpacked.removeprefix(b"\xef\xbb\xbf")
    return next((syntax for syntax, pattern in _SYNTAXES if pattern.match(head)), "")
