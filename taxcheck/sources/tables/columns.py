"""Which column plays which role: known names, headerless files, and what the user overrides."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.reading import ToldBy
from taxcheck.model.vocabulary import plural

# Role of an extra text column in the batches of damaged text files: why a line could not be taken
# apart; null for sound rows.
MALFORMED = "malformed"
JOINED_NOTE = "The pairs hold identifiers; they are joined to the mapping's idx."
HEADER_REASON = "a header line read as data"

TEXT_ROLES = ("taxid", "ancestor_taxid", "descendant_taxid")  # the others hold numbers
UNNAMED_PAIR = ("ancestor", "descendant", "depth_diff")  # by position, where nothing says more
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
# file holds wins. The documentation has this table.
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
    """A column name as it is compared: "# Tax_ID" and "taxid" are the same, "dwc:taxonID" too."""
    name = name.lstrip("\ufeff")  # of a file that was written behind another
    return re.sub(r"^\s*(col|clb|dwc|dc|dcterms|gbif):|[\s_.\-#]+", "", name).casefold()


# Columns of a table in which a row is a node, or an edge, of a hierarchy; the clearest names first.
HIERARCHY_ALIASES: Mapping[str, tuple[str, ...]] = {
    "child": (
        "child", "child_id", "child_taxid", "child_label", "child_name", "descendant",
        "descendant_id", "descendant_taxid", "hyponym", "narrower", "id1", "taxon_id", "taxid",
        "aphia_id", "tsn", "uid", "ott_id", "taxon_key", "glottocode", "concept_id", "term_id",
        "category_id", "node_id", "id", "key", "code", "identifier", "node", "term", "taxon",
        "concept", "category", "synset", "accession", "curie", "label", "scientific_name", "name",
        "title", "entity", "item", "child_idx", "descendant_idx",
    ),
    "parent": (
        "parent", "parent_id", "parent_taxid", "parent_name_usage_id", "parent_taxon_id",
        "parent_aphia_id", "parent_tsn", "parent_uid", "parent_ott_id", "parent_key",
        "parent_taxon_key", "parent_concept_id", "parent_term_id", "parent_category_id",
        "parent_node_id", "parent_node", "parent_code", "id_parent", "parent_label", "parent_name",
        "parent_name_usage", "parent_term", "parent_taxon", "parent_concept", "parent_category",
        "parent_glottocode", "ancestor", "ancestor_id", "ancestor_taxid", "hypernym", "broader",
        "id2", "superclass", "supertaxon", "higher_taxon", "is_a", "subclass_of", "child_of",
        "belongs_to", "parent_idx", "ancestor_idx",
    ),
    "name": (
        "scientific_name", "canonical_name", "complete_name", "name", "label", "pref_label",
        "title", "taxon_name",
    ),
    "rank": ("taxon_rank", "rank", "rank_name", "level"),
    "accepted": (
        "accepted_name_usage_id", "accepted_taxon_id", "accepted_id", "accepted_tsn",
        "tsn_accepted", "accepted_taxon_key", "accepted_key", "valid_aphia_id", "valid_id",
        "valid_name_usage_id", "replaced_by",
    ),
    "status": ("taxonomic_status", "status", "name_usage", "n_usage", "taxon_status"),
    "distance": PAIR_ALIASES["depth_diff"],
    "relation": ("relation", "predicate", "rel", "property", "edge_type", "relationship"),
}  # fmt: skip


# What the two ends of an edge are called where nothing says which is above.
END_WORDS: tuple[tuple[str, str], ...] = (
    ("source", "target"), ("from", "to"), ("src", "dst"), ("head", "tail"), ("subject", "object"),
    ("start", "end"), ("node1", "node2"), ("u", "v"), ("upper", "lower"), ("higher", "lower"),
)  # fmt: skip
# A header found among the data may stand over either column.
_EITHER_ID = ("id1", "id2", "id")
KNOWN_NAMES: frozenset[str] = frozenset(
    normalise(name)
    for names in (
        *MAPPING_ALIASES.values(), MAPPING_BARE, *PAIR_ALIASES.values(), *PAIR_BARE.values(),
        *(HIERARCHY_ALIASES[end] for end in ("child", "parent", "accepted")),
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


@dataclass(frozen=True, slots=True)
class ColumnRoles:
    """The column of each role, and every inference as a sentence for the report.

    ``guesses`` are inferences that the file itself does not settle.
    """

    roles: Mapping[str, str]
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    told_by: ToldBy = "name"


def resolve_mapping_columns(
    names: Sequence[str], header: bool, override: str | None = None
) -> ColumnRoles:
    """Roles "taxid" and "idx" among the columns of a mapping.

    Raises UsageError for an override that does not fit, InputError where the names leave it open.
    """
    if override:
        roles = given_roles(names, override, "mapping_columns", MAPPING_ALIASES, {})
        return _complete(roles, MAPPING_ROLES, names, "mapping_columns", "taxid,idx")
    if not header:
        if len(names) < 2:
            raise _unresolved("mapping", names, "mapping_columns", "taxid,idx")
        extra = _further(len(names) - 2)
        note = f"Columns without names are taken as taxid, idx{extra}."
        return ColumnRoles({"taxid": names[0], "idx": names[1]}, (), (note,), "position")
    refuse_duplicates(names)
    roles, notes = _by_alias(names, MAPPING_ALIASES)
    open_roles = [role for role in MAPPING_ROLES if role not in roles]
    if len(open_roles) == 1 and (bare := _first(names, MAPPING_BARE)):
        roles[open_roles[0]] = bare
        notes.append(f"Column {bare!r} is taken as {open_roles[0]}.")
    if set(roles) != set(MAPPING_ROLES):
        raise _unresolved("mapping", names, "mapping_columns", "taxid=COLUMN,idx=COLUMN")
    return ColumnRoles({role: roles[role] for role in MAPPING_ROLES}, tuple(notes))


def resolve_pair_columns(
    names: Sequence[str],
    header: bool,
    override: str | None = None,
    mapping_given: bool = True,
    texts: Collection[str] = (),
) -> ColumnRoles:
    """Roles among the columns of a pairs table: idx columns, label columns, depths, weight.

    Without a mapping, idx are identifiers too: they get the label roles. ``texts`` are columns
    whose cells are words: under a name that leaves it open, they are identifiers. Raises UsageError
    for an override that does not fit, InputError where the names leave it open.
    """
    field, example = "pair_columns", "ancestor=COLUMN,descendant=COLUMN"
    notes: list[str] = []
    guesses: list[str] = []
    told_by: ToldBy = "option" if override else "name" if header else "position"
    if override:
        roles = given_roles(names, override, field, PAIR_ALIASES, PAIR_BARE)
    elif not header:
        if len(names) < 2:
            raise _unresolved("pairs", names, field, "ancestor,descendant")
        roles = dict(zip(UNNAMED_PAIR, names, strict=False))
        extra = _further(len(names) - len(roles))
        guesses.append(f"Columns without names are taken as {', '.join(roles)}{extra}.")
    else:
        refuse_duplicates(names)
        roles, notes = _by_alias(names, PAIR_ALIASES)
        _place_bare(roles, notes, names, mapping_given)
    if mapping_given and not override:
        _words_are_labels(roles, notes, texts)
    labelled = {"ancestor_taxid", "descendant_taxid"} <= set(roles)
    indexed = {"ancestor", "descendant"} <= set(roles)
    if not (labelled or indexed):
        if override:
            return _complete(roles, ("ancestor", "descendant"), names, field, example)
        raise _unresolved("pairs", names, field, _either_way(names) or example)
    if not mapping_given:
        _without_mapping(roles, notes, labelled=labelled)
    elif not indexed:
        roles = {role: name for role, name in roles.items() if role not in PAIR_BARE}
        notes.append(JOINED_NOTE)
    ordered = {role: roles[role] for role in PAIR_ROLES if role in roles}
    return ColumnRoles(ordered, tuple(notes), tuple(guesses), told_by)


def _either_way(names: Sequence[str]) -> str:
    """Both ways of naming ends whose names do not say which is above; empty for other names."""
    by_name = {normalise(name): name for name in reversed(names)}
    for one, other in END_WORDS:
        if one in by_name and other in by_name:
            a, b = by_name[one], by_name[other]
            return f"ancestor={a},descendant={b} or ancestor={b},descendant={a}"
    return ""


def _further(count: int) -> str:
    if count < 1:
        return ""
    return f"; {plural(count, 'further column')} {'is' if count == 1 else 'are'} not read"


def _without_mapping(roles: dict[str, str], notes: list[str], *, labelled: bool) -> None:
    indexed = [roles.pop(side) for side in ("ancestor", "descendant") if side in roles]
    if labelled:
        if indexed:
            notes.append(
                f"No mapping is given: {' and '.join(indexed)} are not read, the mapping is made "
                "from the pairs' identifiers."
            )
        return
    roles["ancestor_taxid"], roles["descendant_taxid"] = indexed
    notes.append(
        f"No mapping is given: the values of {' and '.join(indexed)} are taken as identifiers."
    )


def _words_are_labels(roles: dict[str, str], notes: list[str], texts: Collection[str]) -> None:
    sides = [side for side in PAIR_BARE if roles.get(side) in texts]
    if len(sides) == 2 and not any(f"{side}_taxid" in roles for side in sides):
        for side in sides:
            roles[f"{side}_taxid"] = roles.pop(side)
        notes.append("The cells of the pairs are words, not numbers.")


def _place_bare(
    roles: dict[str, str], notes: list[str], names: Sequence[str], mapping_given: bool
) -> None:
    for side, aliases in PAIR_BARE.items():
        bare = _first(names, aliases)
        if bare is None:
            continue
        label = f"{side}_taxid"
        role = side if label in roles or (mapping_given and side not in roles) else label
        if role in roles:
            notes.append(f"Column {bare!r} is not read: {roles[role]!r} is clearer.")
            continue
        roles[role] = bare
        meaning = "idx" if role == side else "identifiers"
        notes.append(f"Column {bare!r} is taken as the {side}'s {meaning}.")


def _by_alias(
    names: Sequence[str], aliases: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, str], list[str]]:
    roles: dict[str, str] = {}
    notes: list[str] = []
    for role, known in aliases.items():
        found = _first(names, known)
        if found is not None:
            roles[role] = found
            if normalise(found) not in (normalise(role), normalise(f"{role}_idx")):
                notes.append(f"Column {found!r} is taken as {role}.")
    return roles, notes


def _first(names: Sequence[str], aliases: Sequence[str]) -> str | None:
    by_name = {normalise(name): name for name in reversed(names)}
    return next((by_name[normalise(a)] for a in aliases if normalise(a) in by_name), None)


def given_roles(
    names: Sequence[str],
    override: str,
    field: str,
    aliases: Mapping[str, tuple[str, ...]],
    bare: Mapping[str, tuple[str, ...]],
) -> dict[str, str]:
    """The columns of roles as a setting gives them: "child=a,parent=b", or roles in their order.

    ``aliases`` and ``bare`` are the words for each role. UsageError where it does not fit.
    """
    known = {normalise(a): role for role, listed in bare.items() for a in listed}
    known |= {normalise(a): role for role, listed in aliases.items() for a in listed}
    known |= {normalise(role): role for role in aliases}
    parts = [part.strip() for part in override.split(",")]
    roles: dict[str, str] = {}
    for position, part in enumerate(parts):
        if "=" not in part and part in ("-", "_"):
            continue
        name, _, column = part.partition("=")
        role = known.get(normalise(name))
        if role is None:
            raise UsageError(
                f"`{field}`: {name!r} is no role; known: {', '.join(aliases)} (- skips a column)"
            )
        if role in roles:
            raise UsageError(f"`{field}`: {role} is given twice")
        if "=" in part:
            roles[role] = _named(names, column.strip(), field)
        elif position < len(names):
            roles[role] = names[position]
        else:
            raise UsageError(
                f"`{field}`: names {len(parts)} columns, the file has {len(names)}: "
                f"{_listed(names)}"
            )
    return roles


def _named(names: Sequence[str], column: str, field: str) -> str:
    if names.count(column) == 1:
        return column
    if column.isdecimal() and 1 <= int(column) <= len(names):
        return names[int(column) - 1]
    if column in names:
        raise InputError(f"`{field}`: column {column!r} is in the file more than once; rename one")
    raise UsageError(f"`{field}`: no column {column!r}; the file has {_listed(names)}")


def _complete(
    roles: dict[str, str], needed: Sequence[str], names: Sequence[str], field: str, example: str
) -> ColumnRoles:
    missing = [role for role in needed if role not in roles]
    if missing:
        raise UsageError(
            f"`{field}`: {' and '.join(missing)} missing; write for example `{field}` {example} "
            f"(the file has {_listed(names)})"
        )
    return ColumnRoles({role: roles[role] for role in needed}, told_by="option")


def refuse_duplicates(names: Sequence[str], of: Collection[str] | None = None) -> None:
    """InputError where a column is there more than once: any with a name, or one ``of`` some."""
    twice = [name for name, count in Counter(names).items()
             if count > 1 and (name if of is None else name in of)]  # fmt: skip
    if twice:
        raise InputError(
            f"column {twice[0]!r} is in the file more than once; rename one (columns: "
            f"{_listed(names)})"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _unresolved(what: str, names: Sequence[str], field: str, example: str) -> InputError:
    return InputError(
        f"the columns of the {what} are not recognised: {_listed(names)}; name them with `{field}` "
        f"{example}"
    )
