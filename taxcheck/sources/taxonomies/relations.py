"""Relations between two terms that make one the parent of the other, by their usual names."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What the subject is to the object, compared without case, blanks, "_", "-" and what stands before
# the last "/", "#" or ":".
UPWARD = ("is_a", "isa", "is", "subclass_of", "sub_class_of", "subproperty_of", "hypernym",
          "instance_hypernym", "instance_of", "type", "kind_of", "broader", "broader_transitive",
          "broader_generic", "has_broader", "child_of", "has_parent", "parent", "parent_taxon",
          "member_of", "part_of", "belongs_to", "p279", "p31", "p171", "p361", "subset_of",
          "specializes", "inherits_from", "extends", "falls_under")  # fmt: skip
DOWNWARD = ("superclass_of", "hyponym", "instance_hyponym", "narrower", "narrower_transitive",
            "has_narrower", "parent_of", "has_child", "child", "has_part", "has_member",
            "has_instance", "contains", "includes", "p527", "superset_of",
            "has_subclass")  # fmt: skip
# Those that are no kinds: taken only where they are asked for, or stand alone.
LOOSE = frozenset(
    {
        "partof", "memberof", "haspart", "hasmember", "instanceof", "type", "p31", "p361", "p527",
        "instancehypernym", "instancehyponym", "contains", "includes",
    }
)  # fmt: skip


def plain(relation: str) -> str:
    """A relation as it is compared: "rdfs:subClassOf" and "subclass_of" are the same."""
    local = re.split(r"[/#:]", relation.strip().strip("<>"))[-1]
    return re.sub(r"[\s_\-]+", "", local).casefold()


def direction(relation: str) -> int:
    """1 where the object is the parent, -1 where the subject is, 0 where that is not known."""
    name = plain(relation)
    if name in _UP:
        return 1
    return -1 if name in _DOWN else 0


def of_kind(relations: Iterable[str]) -> dict[str, int]:
    """Those that make one the parent of the other, with their directions; loose ones if alone."""
    known = {name: way for name in relations if (way := direction(name))}
    return {name: way for name, way in known.items() if plain(name) not in LOOSE} or known


_UP, _DOWN = (frozenset(map(plain, words)) for words in (UPWARD, DOWNWARD))
RELATION_WORDS = _UP | _DOWN
