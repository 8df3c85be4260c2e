"""OBO flat files, versions 1.0 to 1.4: the tags of [Term] stanzas that make a hierarchy.

Format: https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.ontology import Term, hierarchy_of
from taxcheck.sources.taxonomies.text_file import TextFile

_STANZA = re.compile(r"\[([^\]\s]+)\]\s*(!.*)?$")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "W": " ", "t": "\t"}
_MODIFIERS = re.compile(r"\s*(?<!\\)\{[^{}]*\}\s*$")


def read_obo(path: str, relations: Sequence[str], namespaces: Sequence[str]) -> Hierarchy:
    """The terms of an OBO file; InputError names the line that is wrong or cut off."""
    source = TextFile(path)
    header: dict[str, str] = {}
    terms: dict[str, Term] = {}
    term: Term | None = None
    stanza, opened, number, line = "", 0, 0, ""

    def refuse(what: str, at: int) -> InputError:
        return InputError(f"{source.path}: line {at:,}: {what}")

    def close() -> None:
        if stanza == "Term" and term is None:
            raise refuse("this [Term] has no id; the file is truncated or damaged", opened)

    for number, line in source.lines():
        text = line.strip()
        if not text or text.startswith("!"):
            continue
        if text.startswith("["):
            found = _STANZA.match(text)
            if found is None:
                raise refuse(f"{text[:40]!r} is no stanza such as [Term]", number)
            close()
            stanza, term, opened = found[1], None, number
            continue
        tag, colon, value = text.partition(":")
        if not colon:
            raise refuse(f"{text[:40]!r} is no 'tag: value'; the file may be truncated", number)
        value = value.strip()
        if not stanza:
            header.setdefault(tag, value)
        elif stanza == "Term":
            if tag == "id":
                if term is not None:
                    raise refuse(f"a second id in one [Term], after {term.identifier}", number)
                term = Term(_identifier(value), namespace=header.get("default-namespace"))
                if not term.identifier:
                    raise refuse("the id is empty; the file may be truncated", number)
                if term.identifier in terms:
                    raise refuse(f"{term.identifier} is there more than once", number)
                terms[term.identifier] = term
            elif term is None:
                raise refuse(f"{tag!r} stands before the id of its [Term]", number)
            else:
                _take(term, tag, value, partial(refuse, at=number))
    close()
    if line and not line.endswith("\n") and _cut(line):
        raise refuse("the last line is cut off; the file is truncated, copy it again", number)
    if not terms:
        raise InputError(f"{source.path}: holds no [Term]; give an ontology in OBO format")
    version = header.get("data-version") or header.get("date")
    return hierarchy_of(
        list(terms.values()), source.origin("OBO", version), relations or ("is_a",), namespaces
    )


def _take(term: Term, tag: str, value: str, refuse: Callable[[str], InputError]) -> None:
    if tag == "name":
        term.name = _text(_MODIFIERS.sub("", value))
    elif tag == "namespace":
        term.namespace = _identifier(value)
    elif tag == "is_obsolete":
        term.obsolete = _identifier(value) == "true"
    elif tag == "alt_id":
        term.alternatives.append(_identifier(value))
    elif tag == "replaced_by":
        term.replaced_by.append(_identifier(value))
    elif tag == "is_a":
        target = _identifier(value)
        if not target:
            raise refuse("is_a names no parent; the file may be truncated")
        term.links.append(("is_a", target))
    elif tag == "relationship":
        relation, _, target = value.partition(" ")
        target = _identifier(target.strip())
        if not target:
            raise refuse("a relationship names no target; the file may be truncated")
        term.links.append((relation, target))


def _identifier(value: str) -> str:
    """The first word, without comment or modifiers."""
    word = value.split(None, 1)[0] if value else ""
    return "" if word.startswith(("!", "{")) else _text(word)


def _text(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda m: _ESCAPES.get(m[1], m[1]), value)


def _cut(line: str) -> bool:
    """Whether a last line without an end stops inside a quote, or before its value."""
    unescaped = line.replace("\\\\", "").replace('\\"', "")
    return unescaped.count('"') % 2 == 1 or not line.partition(":")[2].strip()
