"""Ranks of taxa: their names from the highest to the lowest, and how names are prefixed by them."""

from __future__ import annotations

# As GTDB, Greengenes and UNITE write them.
PREFIXES = {
    "d": "domain",
    "k": "kingdom",  # in the domain's place, as Greengenes writes it
    "p": "phylum",
    "c": "class",
    "o": "order",
    "f": "family",
    "g": "genus",
    "s": "species",
}
RANKS = (
    "life", "realm", "domain", "superkingdom", "kingdom", "subkingdom", "superphylum", "phylum",
    "division", "subphylum", "superclass", "class", "subclass", "infraclass", "superorder", "order",
    "suborder", "infraorder", "superfamily", "family", "subfamily", "tribe", "subtribe", "genus",
    "subgenus", "section", "species", "subspecies", "variety", "form", "strain",
)  # fmt: skip
# As SILVA writes them, D_0__ to D_6__.
LEVELS = ("domain", "phylum", "class", "order", "family", "genus", "species")


def rank_of(prefix: str) -> str | None:
    """The rank that a prefix says, "g" or "D_5"; None where it says none that is known."""
    if prefix.startswith("D_"):
        level = int(prefix[2:])
        return LEVELS[level] if level < len(LEVELS) else None
    return PREFIXES.get(prefix)
