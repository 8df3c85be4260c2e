"""Terms of an ontology, whatever file they came from, made a hierarchy."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from taxcheck.model.errors import UsageError
from taxcheck.sources.taxonomies.hierarchy import (
    SHOWN,
    Dropped,
    Hierarchy,
    Origin,
    distinct_edges,
)
from taxcheck.sources.taxonomies.identifiers import RELATIONS, kind, local
from taxcheck.sources.taxonomies.relations import direction
from taxcheck.sources.taxonomies.retirement import CONSIDERED, Successors, led_on

Link = tuple[str, str]  # relation, what is above


@dataclass(slots=True)
class Term:
    """One term as its file states it."""

    identifier: str
    name: str | None = None
    namespace: str | None = None
    obsolete: bool = False
    alternatives: list[str] = field(default_factory=list)
    replaced_by: list[str] = field(default_factory=list)
    consider: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    conditional: list[Link] = field(default_factory=list)  # that hold in some context only
    genus: list[str] = field(default_factory=list)  # of its logical definitions


def _anything(_: Sequence[tuple[str, str]]) -> None:
    return None


@dataclass(slots=True)
class Stated:
    """All that an ontology's file states of its terms."""

    terms: Sequence[Term]
    origin: Origin
    aliases: Mapping[str, str] = field(default_factory=dict)  # other names of relations
    notes: Iterable[str] = ()
    # Raises InputError where edges (child, missing target) show that the file was cut.
    refuse_cut: Callable[[Sequence[tuple[str, str]]], None] = _anything


def hierarchy_of(stated: Stated, relations: Sequence[str], namespaces: Sequence[str]) -> Hierarchy:
    """Living terms of the namespaces under the edges of the relations, child below target.

    By a relation that leads down, such as has_part, the target is the child.
    A target that is an alternative id, or obsolete with one successor, is followed to the end; an
    edge to what the file does not hold as a living term is left out and told.
    """
    terms, origin = stated.terms, stated.origin
    known = Counter(r for t in terms for r, _ in (*t.links, *t.conditional))
    wanted = {r if r in known else stated.aliases.get(r, r) for r in relations or ("is_a",)}
    _refuse_unknown("relations", wanted, known, origin)
    _refuse_unknown("namespaces", namespaces, Counter(t.namespace for t in terms), origin)
    living = [t for t in terms if not t.obsolete and (not namespaces or t.namespace in namespaces)]
    successors = Successors(terms)
    absent = _Absent(terms)
    ways = {relation: _way(relation, stated.aliases) for relation in wanted}
    ends, followed = _edges(living, ways, successors, absent)
    considered = {how: followed.pop(how) for how in (CONSIDERED,) if how in followed}
    stated.refuse_cut(absent.missing)
    edges = np.array(ends, dtype=np.int64).reshape(-1, 2)
    parents, children = distinct_edges(edges[:, 0], edges[:, 1], max(len(living), 1))
    return Hierarchy(
        origin,
        pa.array([t.identifier for t in living], pa.string()),
        parents,
        children,
        names=pa.array([t.name for t in living], pa.string()),
        retired=successors.of,
        dropped=(
            *absent.dropped(),
            *_conditional(living, wanted),
            *_left_out(terms, len(living), namespaces),
        ),
        notes=(*stated.notes, *_turned(ways), *led_on(followed), *_definitions(living)),
        guesses=(*_unsure(ways), *led_on(considered)),
    )


def _edges(
    living: Sequence[Term], ways: Mapping[str, int], successors: Successors, absent: _Absent
) -> tuple[list[tuple[int, int]], Counter[str]]:
    """Places of parent and child of every edge, and how many were led on, by how."""
    place = {term.identifier: k for k, term in enumerate(living)}
    followed: Counter[str] = Counter()
    ends: list[tuple[int, int]] = []
    for child, term in enumerate(living):
        for relation, target in term.links:
            if relation not in ways:
                continue
            found, how = target, ""
            if found not in place and (gone := successors.of(found)) is not None:
                found, how = gone.successor or found, gone.how
            if found in place:
                above = place[found]
                ends.append((above, child) if ways[relation] >= 0 else (child, above))
                followed[how] += bool(how)
            else:
                absent.note(term.identifier, target, found, how)
    return ends, +followed


def _way(relation: str, aliases: Mapping[str, str]) -> int:
    """1 where the target of a relation is above, -1 where it is below, 0 where nobody knows."""
    names = (relation, RELATIONS.get(local(relation).replace(":", "_"), ""))
    others = (other for other, name in aliases.items() if name == relation)
    return next((way for name in (*names, *others) if (way := direction(name))), 0)


def _turned(ways: Mapping[str, int]) -> Iterator[str]:
    if down := sorted(relation for relation, way in ways.items() if way < 0):
        yield f"{', '.join(down)} leads down: what it leads to is read as the child"


def _unsure(ways: Mapping[str, int]) -> Iterator[str]:
    if unknown := sorted(relation for relation, way in ways.items() if not way):
        yield f"what {', '.join(unknown)} leads to is read as the parent"


class _Absent:
    """Edges to what is no living term, by why it is none."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = {term.identifier: term for term in terms}
        self._kinds = {kind(identifier) for identifier in self._terms}
        self._edges: dict[str, list[str]] = {}
        self.missing: list[tuple[str, str]] = []  # (child, target) of a kind that the file holds

    def note(self, child: str, target: str, found: str, how: str) -> None:
        """Leave out an edge to a target that led to ``found``."""
        if (term := self._terms.get(found)) is not None:
            why = f"their target {how}" if term.obsolete else "their target is in another namespace"
        elif kind(found) in self._kinds:
            self.missing.append((child, found))
            why = "their target is not in the file"
        else:
            why = "their target is of another ontology, which is not in the file"
        self._edges.setdefault(why, []).append(f"{child} -> {target}")

    def dropped(self) -> list[Dropped]:
        return [
            Dropped("edges", len(edges), why, tuple(edges[:SHOWN]))
            for why, edges in self._edges.items()
        ]


def _conditional(living: Sequence[Term], wanted: set[str]) -> Iterator[Dropped]:
    edges = [
        f"{term.identifier} -> {target}"
        for term in living
        for relation, target in term.conditional
        if relation in wanted
    ]
    if edges:
        why = "they hold in some context only (gci_relation, gci_filler)"
        yield Dropped("edges", len(edges), why, tuple(edges[:SHOWN]))


def _definitions(living: Sequence[Term]) -> Iterator[str]:
    defined = [term for term in living if term.genus]
    if not defined:
        return
    beyond = [
        f"{term.identifier} -> {genus}"
        for term in defined
        for genus in term.genus
        if ("is_a", genus) not in term.links
    ]
    told = f"{len(defined):,} terms have a logical definition (intersection_of), which is not read"
    if beyond:
        shown = ", ".join(beyond[:SHOWN]) + ", …" * (len(beyond) > SHOWN)
        told += f"; in {len(beyond):,} its genus is no stated parent ({shown}): a reasoner adds it"
    yield told


def _left_out(terms: Sequence[Term], living: int, namespaces: Sequence[str]) -> Iterator[Dropped]:
    obsolete = [term.identifier for term in terms if term.obsolete]
    if obsolete:
        yield Dropped("terms", len(obsolete), "obsolete", tuple(obsolete[:SHOWN]))
    if elsewhere := len(terms) - len(obsolete) - living:
        yield Dropped("terms", elsewhere, f"outside {', '.join(namespaces)}")


def _refuse_unknown(
    field: str, wanted: Iterable[str], known: Mapping[str | None, int] | Mapping[str, int],
    origin: Origin,
) -> None:  # fmt: skip
    names = [name for name, _ in sorted(known.items(), key=lambda one: -one[1]) if name]
    for one in wanted:
        if one in names or (field == "relations" and one == "is_a"):
            continue
        near = difflib.get_close_matches(one, names, n=1)
        hint = f"did you mean {near[0]!r}" if near else f"it has {', '.join(names[:8]) or 'none'}"
        raise UsageError(f"`{field}` {one}: {origin.path} has no such; {hint}")
