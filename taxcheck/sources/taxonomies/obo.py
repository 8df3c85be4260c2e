"""OBO flat files, versions 1.0 to 1.4: the tags of [Term] stanzas that make a hierarchy.

Format: https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import SHOWN, Hierarchy
from taxcheck.sources.taxonomies.identifiers import curie, kind
from taxcheck.sources.taxonomies.ontology import Stated, Term, hierarchy_of
from taxcheck.sources.taxonomies.text_file import TextFile

_STANZA = re.compile(r"\[([^\]\s]+)\]\s*(!.*)?$")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "W": " ", "t": "\t"}
_MODIFIERS = re.compile(r"\s*(?<!\\)\{[^{}]*\}\s*$")
_WORD = re.compile(r"(?:\\.|[^\s{\\])+")
_CONTEXT = re.compile(r"\{.*\bgci_(?:relation|filler)\s*=")
_DIGITS = re.compile(r"\d+")
_MANY = 3  # targets beyond the last term: a file that was cut at a line's end lacks many


def read_obo(path: str, relations: Sequence[str], namespaces: Sequence[str]) -> Hierarchy:
    """The terms of an OBO file; InputError names the line that is wrong or cut off."""
    reading = _Reading(TextFile(path))
    for number, line in reading.source.lines():
        reading.take(number, line)
    return hierarchy_of(reading.whole(), relations, namespaces)


class _Reading:
    """An OBO file as it is read, line by line."""

    def __init__(self, source: TextFile) -> None:
        self.source = source
        self._header: dict[str, str] = {}
        self._terms: dict[str, Term] = {}
        self._term: Term | None = None
        self._stanza = ""
        self._begun, self._number, self._line = 0, 0, ""  # lines of the stanza, of the last text
        self._stanzas: Counter[str] = Counter()
        self._relations: dict[str, str] = {}  # other names of relations
        self._relation = ""
        self._repeated: dict[str, bool] = {}  # ids of several frames, and whether names differ
        self._unread: Counter[str] = Counter()
        self._closed = True  # by a line end

    def take(self, number: int, line: str) -> None:
        """One more line."""
        text = line.strip()
        self._closed = line.endswith("\n")
        if not text or text.startswith("!"):
            return
        self._number, self._line = number, text
        if text.startswith("["):
            found = _STANZA.match(text)
            if found is None:
                cut = "" if self._closed else "; the file is truncated, copy it again"
                raise self._wrong(f"{text[:40]!r} is no stanza such as [Term]{cut}")
            self._end_stanza()
            self._stanza, self._begun = found[1], number
            self._term, self._relation = None, ""
            self._stanzas[self._stanza] += 1
            return
        tag, colon, value = text.partition(":")
        if not colon:
            raise self._wrong(f"{text[:40]!r} is no 'tag: value'; the file may be truncated")
        tag, value = tag.rstrip(), value.strip()
        if not self._stanza:
            self._header.setdefault(tag, value)
        elif self._stanza == "Term":
            self._of_term(tag, value)
        elif self._stanza == "Typedef":
            self._of_relation(tag, value)

    def whole(self) -> Stated:
        """What was read, where nothing shows that the file was cut."""
        self._end_stanza()
        cut = not self._closed and (_cut(self._line) or self._line.startswith(("id:", "[")))
        if cut:
            raise self._wrong("the last line is cut off; the file is truncated, copy it again")
        if not self._terms:
            raise InputError(f"{self.source.path}: holds no [Term]; give an ontology in OBO format")
        version = self._header.get("data-version") or self._header.get("date")
        origin = self.source.origin("OBO", version)
        terms = list(self._terms.values())
        return Stated(terms, origin, self._relations, tuple(self._notes()), self._refuse_cut)

    def _of_term(self, tag: str, value: str) -> None:
        if tag == "id":
            self._begin_term(value)
        elif self._term is None:
            raise self._wrong(f"{tag!r} stands before the id of its [Term]")
        elif tag == "name":
            name = _text(_MODIFIERS.sub("", value))
            if self._term.name is None:
                self._term.name = name
            elif self._term.name != name and self._term.identifier in self._repeated:
                self._repeated[self._term.identifier] = True
        elif tag in ("is_a", "relationship"):
            self._link(self._term, tag, value)
        elif tag == "intersection_of":
            if len(value.split(" !")[0].split()) == 1:  # else a relation and its target
                self._term.genus.append(_identifier(value))
        else:
            _describe(self._term, tag, value)
            self._unread[tag] += tag in ("union_of", "equivalent_to")

    def _begin_term(self, value: str) -> None:
        if self._term is not None:
            raise self._wrong(f"a second id in one [Term], after {self._term.identifier}")
        identifier = _identifier(value)
        if not identifier:
            raise self._wrong("the id is empty; the file may be truncated")
        if identifier in self._terms:
            self._repeated.setdefault(identifier, False)
        self._term = self._terms.setdefault(
            identifier, Term(identifier, namespace=self._header.get("default-namespace"))
        )

    def _link(self, term: Term, tag: str, value: str) -> None:
        relation, target = "is_a", value
        if tag == "relationship":
            relation, _, target = value.partition(" ")
        target = _identifier(target.strip())
        if not target:
            what = "is_a names no parent" if tag == "is_a" else "a relationship names no target"
            raise self._wrong(f"{what}; the file may be truncated")
        links = term.conditional if _CONTEXT.search(value) else term.links
        links.append((relation, target))

    def _of_relation(self, tag: str, value: str) -> None:
        if tag == "id":
            self._relation = value.split()[0] if value else ""
        elif tag in ("name", "xref") and self._relation:
            other = _text(_MODIFIERS.sub("", value)).split(" !")[0].strip().replace(" ", "_")
            self._relations.setdefault(other, self._relation)

    def _end_stanza(self) -> None:
        if self._stanza == "Term" and self._term is None:
            self._number = self._begun
            raise self._wrong("this [Term] has no id; the file is truncated or damaged")

    def _notes(self) -> Iterator[str]:
        if self._repeated:
            differ = sum(self._repeated.values())
            names = f"; in {differ:,} the names differ, and the first is kept" if differ else ""
            shown = ", ".join(list(self._repeated)[:SHOWN])
            yield (
                f"{len(self._repeated):,} terms have several frames, which were merged ({shown})"
                + (names)
            )
        for tag, count in self._unread.items():
            if count:
                yield f"{count:,} lines of {tag} are not read"
        if instances := self._stanzas["Instance"]:
            yield f"{instances:,} [Instance] stanzas are not read"
        if not self._closed:
            yield "the last line has no line end, as where a file was cut"

    def _refuse_cut(self, missing: Sequence[tuple[str, str]]) -> None:
        """InputError where the terms end before those that others have as parents."""
        if not missing:
            return
        child, target = missing[-1]
        order = list(map(_order, self._terms))
        last = order[-1]
        own = {kind(identifier) for identifier in list(self._terms)[-1:]}
        beyond = {t for _, t in missing if _order(t) > last and kind(t) in own}
        ascending = all(a <= b for a, b in pairwise(order))
        at_the_end = not self._closed and f" {target}" in self._line
        enough = len(beyond) >= (_MANY if self._closed else 1)
        if at_the_end or (ascending and self._stanza == "Term" and enough):
            raise InputError(
                f"{self.source.path}: {child} has the parent {target}, which is not in the file; "
                "it may be truncated: copy it again"
            )

    def _wrong(self, what: str) -> InputError:
        return InputError(f"{self.source.path}: line {self._number:,}: {what}")


def _describe(term: Term, tag: str, value: str) -> None:
    if tag == "namespace":
        term.namespace = _identifier(value)
    elif tag == "is_obsolete":
        term.obsolete = term.obsolete or _identifier(value) == "true"
    elif tag == "alt_id":
        term.alternatives.append(_identifier(value))
    elif tag == "replaced_by":
        term.replaced_by.append(_identifier(value))
    elif tag == "consider":
        term.consider.append(_identifier(value))


def _identifier(value: str) -> str:
    """The first word, without comment or modifiers; an IRI as its CURIE."""
    found = _WORD.match(value)
    return "" if found is None or found[0].startswith("!") else curie(_text(found[0]))


def _text(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda m: _ESCAPES.get(m[1], m[1]), value)


def _cut(line: str) -> bool:
    """Whether a last line without an end stops inside a quote, or before its value."""
    unescaped = line.replace("\\\\", "").replace('\\"', "")
    return unescaped.count('"') % 2 == 1 or not line.partition(":")[2].strip()


def _order(identifier: str) -> tuple[str, int, str]:
    """A place among identifiers: X:9 is before X:11."""
    found = _DIGITS.search(identifier)
    if found is None:
        return identifier, -1, ""
    return identifier[: found.start()], int(found[0][:18]), identifier[found.end() :]
