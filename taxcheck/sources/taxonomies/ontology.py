"""Terms of an ontology, whatever file they came from, made a hierarchy."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.taxonomies.hierarchy import (
    SHOWN,
    Dropped,
    Hierarchy,
    Origin,
    Retired,
    distinct_edges,
)


@dataclass(slots=True)
class Term:
    """One term as its file states it."""

    identifier: str
    name: str | None = None
    namespace: str | None = None
    obsolete: bool = False
    alternatives: list[str] = field(default_factory=list)
    replaced_by: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)  # (relation, what is above)


def hierarchy_of(
    terms: Sequence[Term], origin: Origin, relations: Sequence[str], namespaces: Sequence[str]
) -> Hierarchy:
    """Living terms of the namespaces under the edges of the relations, child below target.

    A target that is an alternative id, or obsolete with one successor, is followed; one of a kind
    of identifier that the file does not define is left out and told. Raises InputError where a
    target of the file's own kind is missing: the file is then incomplete.
    """
    _refuse_unknown("relations", relations, Counter(r for t in terms for r, _ in t.links), origin)
    _refuse_unknown("namespaces", namespaces, Counter(t.namespace for t in terms), origin)
    living = [t for t in terms if not t.obsolete and (not namespaces or t.namespace in namespaces)]
    retired = _retired(terms)
    place = {term.identifier: k for k, term in enumerate(living)}
    absent = _Absent(terms, origin)
    followed: Counter[str] = Counter()
    ends: list[tuple[int, int]] = []
    for child, term in enumerate(living):
        for target in (target for relation, target in term.links if relation in relations):
            found = target
            if found not in place and (gone := retired.get(found)) is not None and gone.successor:
                followed[gone.how] += 1
                found = gone.successor
            if found in place:
                ends.append((place[found], child))
            else:
                absent.note(term.identifier, target, found)
    edges = np.array(ends, dtype=np.int64).reshape(-1, 2)
    parents, children = distinct_edges(edges[:, 0], edges[:, 1], max(len(living), 1))
    return Hierarchy(
        origin,
        pa.array([t.identifier for t in living], pa.string()),
        parents,
        children,
        names=pa.array([t.name for t in living], pa.string()),
        retired=retired.get,
        dropped=(*absent.dropped(), *_left_out(terms, len(living), namespaces)),
        notes=tuple(
            f"{count:,} edges led to a term that {how} another, and were led on there"
            for how, count in followed.items()
        ),
    )


class _Absent:
    """Edges to what is no living term, by why it is none."""

    def __init__(self, terms: Sequence[Term], origin: Origin) -> None:
        self._terms = {term.identifier: term for term in terms}
        self._kinds = {_kind(identifier) for identifier in self._terms}
        self._origin = origin
        self._edges: dict[str, list[str]] = {}

    def note(self, child: str, target: str, found: str) -> None:
        """Leave out an edge to a target that led to ``found``; InputError where it is missing."""
        if (term := self._terms.get(found)) is not None:
            why = "obsolete and nothing replaces it" if term.obsolete else "in another namespace"
        elif _kind(found) in self._kinds:
            raise InputError(
                f"{self._origin.path}: {child} has the parent {target}, which is not in "
                "the file; it may be truncated: copy it again"
            )
        else:
            why = "of another ontology, which is not in the file"
        self._edges.setdefault(f"their target is {why}", []).append(f"{child} -> {target}")

    def dropped(self) -> list[Dropped]:
        return [
            Dropped("edges", len(edges), why, tuple(edges[:SHOWN]))
            for why, edges in self._edges.items()
        ]


def _left_out(terms: Sequence[Term], living: int, namespaces: Sequence[str]) -> Iterator[Dropped]:
    obsolete = [term.identifier for term in terms if term.obsolete]
    if obsolete:
        yield Dropped("terms", len(obsolete), "obsolete", tuple(obsolete[:SHOWN]))
    if elsewhere := len(terms) - len(obsolete) - living:
        yield Dropped("terms", elsewhere, f"outside {', '.join(namespaces)}")


def _retired(terms: Sequence[Term]) -> dict[str, Retired]:
    found: dict[str, Retired] = {}
    for term in terms:
        for other in term.alternatives:
            found[other] = Retired(term.identifier, "is an alternative id of")
    for term in terms:
        if term.obsolete and term.identifier not in found:
            one = term.replaced_by[0] if len(set(term.replaced_by)) == 1 else None
            how = "is obsolete and replaced by" if one else "is obsolete and nothing replaces it"
            found[term.identifier] = Retired(one, how)
    return found


def _kind(identifier: str) -> str:
    return identifier.split(":", 1)[0]


def _refuse_unknown(
    field: str, wanted: Sequence[str], known: Counter[str | None] | Counter[str], origin: Origin
) -> None:
    names = [name for name, _ in known.most_common() if name]
    for one in wanted:
        if one in names or (field == "relations" and one == "is_a"):
            continue
        near = difflib.get_close_matches(one, names, n=1)
        hint = f"did you mean {near[0]!r}" if near else f"it has {', '.join(names[:8]) or 'none'}"
        raise UsageError(f"`{field}` {one}: {origin.path} has no such; {hint}")
