"""What RDF or OWL states of classes and concepts, whatever its syntax, as terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.taxonomies.hierarchy import Hierarchy, Origin
from taxcheck.sources.taxonomies.identifiers import RELATIONS, curie, local
from taxcheck.sources.taxonomies.ontology import Stated, Term, hierarchy_of

_THING = ("http://www.w3.org/2002/07/owl#Thing", "http://www.w3.org/2000/01/rdf-schema#Resource")
_NO_LANGUAGE = ""
_FIRST = "en"  # where no language is asked for
IS_A, BROADER, TRANSITIVE = "is_a", "broader", "broaderTransitive"
PREFERRED, PLAIN = 0, 1  # kinds of labels
# Annotations that say what a term has become, or where it belongs, by the last part of their IRI.
ANNOTATIONS = (
    "deprecated",
    "IAO_0100001",
    "isReplacedBy",
    "consider",
    "hasAlternativeId",
    "hasOBONamespace",
)


@dataclass(slots=True)
class Statements:
    """Statements as they come; nodes are IRIs, or "_:…" where they are anonymous."""

    terms: dict[str, Term] = field(default_factory=dict)  # by IRI
    declared: set[str] = field(default_factory=set)
    labels: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)  # by language
    annotations: list[tuple[str, str, str]] = field(default_factory=list)  # IRI, which, value
    unread: Counter[str] = field(default_factory=Counter)
    version: str | None = None

    def term(self, iri: str) -> Term:
        """The term of an IRI, which is made where it is new."""
        found = self.terms.get(iri)
        if found is None:
            found = self.terms[iri] = Term(curie(iri))
        return found

    def declare(self, iri: str) -> None:
        """There is such a class or concept."""
        self.declared.add(iri)
        self.term(iri)

    def label(self, iri: str, text: str, language: str | None, kind: int = PLAIN) -> None:
        """One is called so in a language; of two labels a preferred one wins, then the first."""
        known = self.labels.setdefault(iri, {})
        tag = (language or _NO_LANGUAGE).lower()
        if tag not in known or known[tag][0] > kind:
            known[tag] = kind, text

    def link(self, child: str, relation: str, above: str) -> None:
        """One is below another by a relation: of IRIs, or is_a, broader."""
        if above not in _THING:
            self.term(child).links.append((relation, above))

    def hierarchy(
        self,
        origin: Origin,
        relations: Sequence[str],
        namespaces: Sequence[str],
        language: str | None,
        notes: Sequence[str] = (),
    ) -> Hierarchy:
        """The terms under their relations, called by their labels in a language."""
        known = Counter(relation for term in self.terms.values() for relation, _ in term.links)
        if not known:
            raise InputError(
                f"{origin.path}: states nothing that is above another (rdfs:subClassOf, "
                "skos:broader, skos:narrower)"
            )
        self._describe()
        told = [*notes, *self._choose_labels(language, origin.path)]
        names = {relation: self._called(relation) for relation in known}
        if not self.declared:
            for iri in {above for term in self.terms.values() for _, above in term.links}:
                self.term(iri)
        elif undeclared := self.terms.keys() - self.declared:
            told.append(
                f"{len(undeclared):,} terms have parents and are of no type that says what they are"
            )
        for term in self.terms.values():
            term.links = [(names[relation], curie(above)) for relation, above in term.links]
        aliases = {"subClassOf": IS_A}
        for relation, name in names.items():
            aliases |= {local(relation): name, curie(relation): name, relation: name}
        stated = Stated(list(self.terms.values()), origin, aliases, (*told, *self._unread()))
        asked = relations or self._by_default(known)
        return hierarchy_of(stated, asked, namespaces)

    def _describe(self) -> None:
        for iri, which, value in self.annotations:
            term = self.terms.get(iri)
            if term is None:
                continue
            if which == "deprecated":
                term.obsolete = term.obsolete or value.lower() in ("true", "1")
            elif which == "hasOBONamespace":
                term.namespace = value
            elif which == "hasAlternativeId":
                term.alternatives.append(curie(value))
            elif which == "consider":
                term.consider.append(curie(value))
            else:
                term.replaced_by.append(curie(value))

    def _by_default(self, known: Mapping[str, int]) -> tuple[str, ...]:
        usual = tuple(one for one in (IS_A, BROADER) if one in known)
        return usual or tuple(one for one in (TRANSITIVE,) if one in known) or (IS_A,)

    def _unread(self) -> Iterator[str]:
        for what, count in self.unread.items():
            if count:
                yield f"{count:,} {what} are not read"

    def _called(self, relation: str) -> str:
        """A relation by its label, such as part_of, or by the last part of its IRI."""
        last = local(relation)
        labels = self.labels.get(relation, {})
        label = labels.get(_FIRST) or labels.get(_NO_LANGUAGE)
        return RELATIONS.get(last) or (label[1].replace(" ", "_") if label else last)

    def _choose_labels(self, asked: str | None, shown: str) -> Iterator[str]:
        languages = Counter(
            tag for iri in self.terms for tag in self.labels.get(iri, ()) if tag != _NO_LANGUAGE
        )
        wanted = (asked or _FIRST).lower()
        if asked and not any(_is_of(tag, wanted) for tag in languages):
            has = ", ".join(tag for tag, _ in languages.most_common(12)) or "none"
            raise UsageError(f"`language` {asked}: {shown} has no label in it; it has {has}")
        used: Counter[str] = Counter()
        for iri, term in self.terms.items():
            if labels := self.labels.get(iri):
                tag = min(labels, key=lambda tag: _rank(tag, wanted))
                term.name = labels[tag][1]
                used[tag] += 1
        if len(languages) > 1 or (asked and len(used) > 1):
            shares = ", ".join(
                f"{tag or 'no language'} {count:,}" for tag, count in used.most_common(4)
            )
            yield (
                f"labels are in {len(languages):,} languages, of which are read: {shares}; "
                "`language` asks for another"
            )


def _is_of(tag: str, wanted: str) -> bool:
    return tag == wanted or tag.startswith(f"{wanted}-")


def _rank(tag: str, wanted: str) -> tuple[int, str]:
    """The language itself, then its kinds, then no language, then others by their tags."""
    if tag == wanted:
        return 0, tag
    return (1 if _is_of(tag, wanted) else 2 if tag == _NO_LANGUAGE else 3), tag
