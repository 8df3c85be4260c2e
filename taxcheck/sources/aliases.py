"""The names by which columns are recognised: one documented table, for --help and the docs."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Role of an extra text column in the batches of damaged text files: why a line could not be taken
# apart; null for sound rows.
MALFORMED = "malformed"
HEADER_REASON = "a header line read as data"

MAPPING_ROLES = ("taxid", "idx")
PAIR_ROLES = (
    "ancestor",
    "descendant",
    "ancestor_taxid",
    "descendant_taxid",
    "depth_diff",
    "ancestor_depth",
    "descendant_depth",
    "weight",
)

# Names are compared without case, spaces, dots, underscores and hyphens; the first name that the
# file holds wins. A documented table: it is printed by --help and in the documentation.
MAPPING_ALIASES: Mapping[str, tuple[str, ...]] = {
    "taxid": (
        "taxid", "ncbi_taxid", "taxon_id", "identifier", "accession", "curie", "synset",
        "term", "label", "taxon", "entity", "object", "key", "name",
    ),
    "idx": ("idx", "index", "node_idx", "node_index", "row_index", "embedding_idx", "position"),
}  # fmt: skip
# Either role: the one that no clearer name has taken.
MAPPING_BARE: tuple[str, ...] = ("id", "node_id", "node")

PAIR_ALIASES: Mapping[str, tuple[str, ...]] = {
    "ancestor": ("ancestor_idx", "ancestor_index", "parent_idx", "parent_index"),
    "descendant": ("descendant_idx", "descendant_index", "child_idx", "child_index"),
    "ancestor_taxid": (
        "ancestor_taxid", "ancestor_label", "ancestor_name", "parent_taxid", "parent_label",
        "parent_name", "hypernym", "broader", "id2",
    ),
    "descendant_taxid": (
        "descendant_taxid", "descendant_label", "descendant_name", "child_taxid", "child_label",
        "child_name", "hyponym", "narrower", "id1",
    ),
    "depth_diff": ("depth_diff", "depth_difference", "distance", "dist", "hops", "depth", "level"),
    "ancestor_depth": ("ancestor_depth", "ancestor_level", "parent_depth", "parent_level"),
    "descendant_depth": ("descendant_depth", "descendant_level", "child_depth", "child_level"),
    "weight": ("weight", "weights", "count", "frequency"),
}  # fmt: skip
# idx where a mapping is given or labels stand beside them, labels otherwise.
PAIR_BARE: Mapping[str, tuple[str, ...]] = {
    "ancestor": ("ancestor", "ancestor_id", "parent", "parent_id"),
    "descendant": ("descendant", "descendant_id", "child", "child_id"),
}


def normalise(name: str) -> str:
    """A column name as it is compared: "# Tax_ID" and "taxid" are the same."""
    return re.sub(r"[\s_.\-#]+", "", name).casefold()


# A header found among the data may stand over either column.
_EITHER_ID = ("id1", "id2", "id")
KNOWN_NAMES: frozenset[str] = frozenset(
    normalise(name)
    for names in (
        *MAPPING_ALIASES.values(), MAPPING_BARE, *PAIR_ALIASES.values(), *PAIR_BARE.values()
    )
    for name in names
)  # fmt: skip

_HEADER_CELLS: Mapping[str, frozenset[str]] = {
    role: frozenset(map(normalise, (role, *names, *bare)))
    for role, names, bare in (
        *((role, names, MAPPING_BARE) for role, names in MAPPING_ALIASES.items()),
        *(
            (role, names, (*PAIR_BARE.get(role.removesuffix("_taxid"), ()), *_EITHER_ID))
            for role, names in PAIR_ALIASES.items()
        ),
    )
}


def is_header_cell(role: str, cell: str) -> bool:
    """Whether a cell in the column of a role is what headers call that column."""
    return normalise(cell) in _HEADER_CELLS.get(role, frozenset())


def header_words(role: str) -> list[str]:
    """What headers call the column of a role, in the usual spellings."""
    words = _HEADER_CELLS[role] | set(PAIR_ALIASES[role])
    words |= set(PAIR_BARE.get(role.removesuffix("_taxid"), ()))
    return sorted({s for word in words for s in (word, word.upper(), word.capitalize())})
