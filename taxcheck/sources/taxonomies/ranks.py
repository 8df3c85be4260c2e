"""Ranks of taxa: their names from the highest to the lowest, and how names are prefixed by them."""

from __future__ import annotations

import re
from collections.abc import Sequence

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


def numbered(names: Sequence[str]) -> list[str]:
    """Columns called "Level 1", "Level 2" ... or so, by number; none where one is missing."""
    found = {}
    for name in names:
        match = re.fullmatch(r"(level|lvl|tier|category|cat|rank|l)[ _\-]*([0-9]{1,2})", name, re.I)
        if match:
            found[match[1].lower(), int(match[2])] = name
    stems = {stem for stem, _ in found}
    numbers = sorted(number for _, number in found)
    whole = len(stems) == 1 and numbers in (
        [*range(len(numbers))],
        [*range(1, len(numbers) + 1)],
    )
    return [found[key] for key in sorted(found)] if whole and len(found) > 1 else []
