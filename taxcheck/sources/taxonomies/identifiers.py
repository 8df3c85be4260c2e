"""One identifier for the ways in which ontologies write it: as CURIE, or as IRI."""

from __future__ import annotations

import re

_OBO = re.compile(r"https?://purl\.obolibrary\.org/obo/([A-Za-z][\w.-]*)_([A-Za-z0-9]+)")
_NUMBERED = re.compile(r"https?://[^\s#]*[/#]([A-Za-z]+)_(\d{3,})")

# What the commonest relations are called where the file does not say it.
RELATIONS = {
    "subClassOf": "is_a",
    "BFO_0000050": "part_of",
    "BFO_0000051": "has_part",
    "BFO_0000066": "occurs_in",
    "RO_0002202": "develops_from",
    "RO_0002211": "regulates",
    "RO_0002212": "negatively_regulates",
    "RO_0002213": "positively_regulates",
}


def curie(identifier: str) -> str:
    """http://purl.obolibrary.org/obo/GO_0008150 is GO:0008150; anything else stays.

    So are IRIs of other ontologies that end like EFO_0000001.
    """
    if not identifier.startswith("http"):
        return identifier
    found = _OBO.fullmatch(identifier) or _NUMBERED.fullmatch(identifier)
    return f"{found[1]}:{found[2]}" if found else identifier


def local(iri: str) -> str:
    """The last part of an IRI."""
    return iri.rstrip("/#").rsplit("/", 1)[-1].rsplit("#", 1)[-1]


def kind(identifier: str) -> str:
    """What identifiers of one ontology have in common: GO of GO:0008150."""
    if identifier.startswith(("http://", "https://")):
        return identifier[: max(identifier.rfind("/"), identifier.rfind("#")) + 1]
    return identifier.split(":", 1)[0]
