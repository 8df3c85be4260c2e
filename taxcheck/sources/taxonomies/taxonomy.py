"""A taxonomy as taxcheck holds it: taxa in order of taxid, each with the place of its parent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.arrays import IntArray
from taxcheck.model.report import InputSummary

MAIN_RANKS = (
    "domain",
    "superkingdom",
    "kingdom",
    "phylum",
    "class",
    "order",
    "family",
    "genus",
    "species",
)
_HIGHEST_WALK = 1_000  # taxa; far beyond any real lineage (NCBI: 39)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A taxonomy with integer ids; arrays are read-only, (n,), in ascending order of taxid."""

    source: str
    version: str  # a day, what a file says, or "largest taxid 1,234"; never empty
    taxids: IntArray
    parents: IntArray  # positions, -1 at a root
    ranks: npt.NDArray[np.int16]  # codes, positions in rank_names
    rank_names: tuple[str, ...]
    names: pa.Array | None  # scientific names, null where a taxon has none; None: no names at all
    merged_from: IntArray  # (m,) ascending taxids that are no more ...
    merged_to: IntArray  # (m,) ... and their successors
    deleted: IntArray  # (k,) ascending
    bytes: int
    fingerprint: str
    notes: tuple[str, ...] = ()

    def positions(self, taxids: IntArray) -> IntArray:
        """Places of any taxids, in the shape given; -1 where the taxonomy lacks one."""
        return find(self.taxids, taxids)

    def position(self, taxid: int | str) -> int:
        """The place of one taxid, -1 where the taxonomy lacks it, and for a text, which is none."""
        if isinstance(taxid, str):
            return -1
        return int(self.positions(np.array([taxid], dtype=np.int64))[0])

    def successor(self, taxid: int) -> int | None:
        """What a merged taxid has become; None where it was not merged."""
        at = int(find(self.merged_from, np.array([taxid], dtype=np.int64))[0])
        return None if at < 0 else int(self.merged_to[at])

    def is_merged(self, taxids: IntArray) -> npt.NDArray[np.bool_]:
        """Which taxids were merged into another."""
        return find(self.merged_from, taxids) >= 0

    def is_deleted(self, taxids: IntArray) -> npt.NDArray[np.bool_]:
        """Which taxids were deleted."""
        return find(self.deleted, taxids) >= 0

    def name_of(self, taxid: int | str) -> str | None:
        """Scientific name; None where the taxon, or its name, is not known."""
        at = self.position(taxid)
        return None if at < 0 else self._name_at(at)

    def names_of(self, identifiers: pa.Array) -> pa.Array:
        """Scientific names of identifiers (k,), strings; null where none is known."""
        at = np.full(len(identifiers), -1, dtype=np.int64)
        if pa.types.is_integer(identifiers.type):
            at = self.positions(identifiers.to_numpy(zero_copy_only=False))
        if self.names is None:
            return pa.nulls(len(at), pa.string())
        return self.names.take(pa.array(at, mask=at < 0))

    def rank_of(self, taxid: int | str) -> str | None:
        """Rank as the taxonomy words it ("species", "no rank"); None for an unknown taxon."""
        at = self.position(taxid)
        return None if at < 0 else self.rank_names[self.ranks[at]]

    def lineage(self, taxid: int | str, limit: int = 8) -> str | None:
        """The ancestors, highest first: ``Metazoa > Echinodermata > Asteroidea``.

        Only the main ranks are shown where there are any, at most ``limit`` names: the highest one,
        then the nearest. Empty for a root, None for an unknown taxon.
        """
        at = self.position(taxid)
        if at < 0:
            return None
        above: list[int] = []
        at = int(self.parents[at])
        while at >= 0 and len(above) < _HIGHEST_WALK:
            above.append(at)
            at = int(self.parents[at])
        above.reverse()
        main = [k for k in above if self.rank_names[self.ranks[k]] in MAIN_RANKS]
        shown = [self._name_at(k) or str(self.taxids[k]) for k in main or above]
        if len(shown) > max(limit, 2):
            shown = [shown[0], "…", *shown[len(shown) - max(limit, 2) + 1 :]]
        return " > ".join(shown)

    def summary(self) -> InputSummary:
        """What was read, for the report; the fingerprint is over nodes, names, merged, delnodes."""
        return InputSummary(
            role="taxonomy",
            path=self.source,
            format="taxdump",
            bytes=self.bytes,
            rows=len(self.taxids),
            fingerprint=self.fingerprint,
            notes=self.notes,
        )

    def _name_at(self, position: int) -> str | None:
        if self.names is None:
            return None
        name = self.names[position].as_py()
        return None if name is None else str(name)


def find(sorted_ids: IntArray, wanted: IntArray) -> IntArray:
    """Positions of ``wanted`` in an ascending array, -1 where it is not there."""
    if not len(sorted_ids):
        return np.full(np.shape(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(sorted_ids, wanted), len(sorted_ids) - 1)
    return np.where(sorted_ids[at] == wanted, at, -1)
