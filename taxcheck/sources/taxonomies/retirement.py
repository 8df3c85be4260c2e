"""What identifiers that are no more have become, followed to the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from taxcheck.sources.taxonomies.hierarchy import Retired
from taxcheck.sources.taxonomies.identifiers import curie

_NOTHING = "is obsolete and nothing replaces it"
_SEVERAL = "is obsolete and several terms replace it"
CONSIDERED = "is obsolete, and to be considered in its place is"
CIRCLE = "is obsolete and its replacements lead in a circle"


class Replaced(Protocol):
    """What a term says of its own end."""

    identifier: str
    obsolete: bool
    alternatives: list[str]
    replaced_by: list[str]
    consider: list[str]


class Successors:
    """Alternative ids and obsolete terms, with what stands in their place."""

    def __init__(self, terms: Iterable[Replaced]) -> None:
        self._living: set[str] = set()
        self._next: dict[str, Retired] = {}
        late: list[tuple[str, str]] = []
        for term in terms:
            late += [(other, term.identifier) for other in term.alternatives]
            if term.obsolete:
                self._next[term.identifier] = _own(term)
            else:
                self._living.add(term.identifier)
        for other, identifier in late:  # a term that is obsolete says itself what replaces it
            if other not in self._next or self._next[other].successor is None:
                self._next[other] = Retired(identifier, "is an alternative id of")

    def of(self, asked: str) -> Retired | None:
        """What an identifier has become in the end; None where it was not retired."""
        if asked in self._living:
            return None
        first = self._next.get(asked)
        if first is None:
            plain = curie(asked)
            return None if plain == asked else self.of(plain) or Retired(plain, "is an IRI of")
        at, seen = first.successor, {asked}
        while at is not None and at not in self._living and at in self._next:
            if at in seen:
                return Retired(None, CIRCLE)
            seen.add(at)
            further = self._next[at]
            if further.successor is None:
                return Retired(None, further.how)
            at = further.successor
        return Retired(at, first.how)


def _own(term: Replaced) -> Retired:
    for ways, how in (
        (set(term.replaced_by), "is obsolete and replaced by"),
        (set(term.consider), CONSIDERED),
    ):
        if len(ways) == 1:
            return Retired(ways.pop(), how)
        if ways:
            return Retired(None, _SEVERAL)
    return Retired(None, _NOTHING)


def led_on(followed: Mapping[str, int]) -> Iterable[str]:
    """How many edges were led on to a successor, by how it became one."""
    for how, count in followed.items():
        yield f"{count:,} edges led to a term that {how} another, and were led on there"
