"""A table of identifiers and their names, ranks and parents, as one gives it beside the data."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import structs

from taxcheck.model.arrays import IntArray
from taxcheck.model.report import InputSummary
from taxcheck.model.vocabulary import plural
from taxcheck.sources.tables.cells import integers_of
from taxcheck.sources.taxonomies.taxonomy import Taxonomy

NO_ANCESTRY = "the table given as taxonomy states no ancestry"
_OTHERS = "the table given as taxonomy has other identifiers than the mapping"
_MOST = 0.99  # of the mapping's identifiers: the table's parents are then those of the mapping


@dataclass(frozen=True, slots=True)
class NameTable:
    """Identifiers, (n,) ascending and distinct, int64 or strings, and what the table says of each.

    ``parents`` are positions, -1 at a root; None where the table states no ancestry that can be
    used, and ``no_ancestry`` says why.
    """

    summary: InputSummary
    version: str  # the day in its name, else the beginning of its digest
    identifiers: pa.Array
    names: pa.Array | None
    ranks: pa.Array | None
    parents: IntArray | None
    no_ancestry: str

    def name_of(self, identifier: int | str) -> str | None:
        """The name; None where the table has none."""
        return self._said(self.names, identifier)

    def names_of(self, identifiers: pa.Array) -> pa.Array:
        """The names of identifiers (k,), strings; null where the table has none."""
        if self.names is None:
            return pa.nulls(len(identifiers), pa.string())
        at = _places(self.identifiers, identifiers)
        return self.names.take(pa.array(at, mask=at < 0))

    def rank_of(self, identifier: int | str) -> str | None:
        """The rank; None where the table has none."""
        return self._said(self.ranks, identifier)

    def lineage(self, _: int | str) -> str | None:
        """None: names alone state no lineage."""
        return None

    def _said(self, column: pa.Array | None, identifier: int | str) -> str | None:
        wanted: int | str | None = identifier
        if pa.types.is_string(self.identifiers.type):
            wanted = str(identifier)
        elif isinstance(identifier, str):
            wanted = integers_of(pa.array([identifier], pa.string()))[0].as_py()
        n = len(self.identifiers)
        if column is None or wanted is None:
            return None
        at = bisect_left(range(n), wanted, key=lambda k: self.identifiers[k].as_py())
        if at == n or self.identifiers[at].as_py() != wanted:
            return None
        said = column[at].as_py()
        return None if said is None else str(said)

    def held_to(self, mapped: pa.Array | None) -> tuple[NameTable, Taxonomy | None]:
        """The table, which then tells how many of the ``mapped`` identifiers (k,) it knows.

        And the taxonomy that its parents state; None where it states none, or has other
        identifiers than the mapping.
        """
        if mapped is None or not len(mapped):
            return self, None
        at = _places(self.identifiers, mapped)
        known, n = int(np.count_nonzero(at >= 0)), len(mapped)
        named = 0
        if self.names is not None:
            named = n - self.names.take(pa.array(at, mask=at < 0)).null_count
        if not known:
            told = (
                f"None of its {plural(len(self.identifiers), 'identifier')} is one of the {n:,} of "
                f"the mapping, so it names nothing: it has {_first(self.identifiers)}, the mapping "
                f"{_first(mapped)}."
            )
            return replace(self._telling(guess=told), no_ancestry=_OTHERS), None
        table = self._telling(
            f"of the {plural(n, 'identifier')} of the mapping it has {known:,} and lacks "
            f"{n - known:,}; {named:,} have a name, {n - named:,} have none"
        )
        if self.parents is None:
            return table, None
        if known < _MOST * n or not pa.types.is_integer(mapped.type):
            told = (
                f"Its parents are not used: it lacks {n - known:,} of the {n:,} identifiers of the "
                "mapping."
            )
            return replace(table._telling(guess=told), no_ancestry=_OTHERS), None
        return table, self._taxonomy()

    def _telling(self, note: str = "", guess: str = "") -> NameTable:
        summary = self.summary
        assert summary.reading is not None
        if guess:
            guesses = (*summary.reading.guesses, guess)
            summary = structs.replace(
                summary, reading=structs.replace(summary.reading, guesses=guesses)
            )
        notes = (*summary.notes, *filter(None, (note, guess)))
        return replace(self, summary=structs.replace(summary, notes=notes))

    def _taxonomy(self) -> Taxonomy:
        assert self.parents is not None
        n = len(self.identifiers)
        ranks = pa.nulls(n, pa.string()) if self.ranks is None else self.ranks
        coded = pc.dictionary_encode(ranks.fill_null("no rank"))
        none = np.empty(0, dtype=np.int64)
        return Taxonomy(
            source=self.summary.path,
            version=self.version,
            taxids=self.identifiers.to_numpy(),
            parents=self.parents,
            ranks=coded.indices.to_numpy().astype(np.int16),
            rank_names=tuple(coded.dictionary.to_pylist()),
            names=self.names,
            merged_from=none,
            merged_to=none,
            deleted=none,
            bytes=self.summary.bytes,
            fingerprint=self.summary.fingerprint,
        )


def _places(known: pa.Array, wanted: pa.Array) -> IntArray:
    """Positions of ``wanted`` (k,) in ``known``, -1 where it is not there."""
    if known.type != wanted.type:
        known, wanted = known.cast(pa.string()), wanted.cast(pa.string())
    found: IntArray = pc.fill_null(pc.index_in(wanted, known), -1).to_numpy().astype(np.int64)
    return found


def _first(labels: pa.Array) -> str:
    shown = ", ".join(str(one) for one in labels.slice(0, 3).to_pylist())
    return f"{shown} …" if len(labels) > 3 else shown
