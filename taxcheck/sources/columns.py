"""Which column plays which role: known names, headerless files, and what the user overrides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from taxcheck.errors import InputError, UsageError
from taxcheck.sources.aliases import (
    MAPPING_ALIASES,
    MAPPING_BARE,
    MAPPING_ROLES,
    PAIR_ALIASES,
    PAIR_BARE,
    PAIR_ROLES,
    normalise,
)


@dataclass(frozen=True, slots=True)
class Columns:
    """The column of each role, and every inference as a sentence for the report."""

    roles: Mapping[str, str]
    notes: tuple[str, ...] = ()


def resolve_mapping_columns(
    names: Sequence[str], header: bool, override: str | None = None
) -> Columns:
    """Roles "taxid" and "idx" among the columns of a mapping.

    Raises UsageError for an override that does not fit, InputError where the names leave it open.
    """
    if override:
        roles = _override(names, override, "--mapping-columns", MAPPING_ALIASES, {})
        return _complete(roles, MAPPING_ROLES, names, "--mapping-columns taxid,idx")
    if not header:
        if len(names) < 2:
            raise _unresolved("mapping", names, "--mapping-columns taxid,idx")
        extra = f"; {len(names) - 2} further columns are not read" if len(names) > 2 else ""
        note = f"No header: the first column is taken as taxid, the second as idx{extra}."
        return Columns({"taxid": names[0], "idx": names[1]}, (note,))
    _refuse_duplicates(names)
    roles, notes = _by_alias(names, MAPPING_ALIASES)
    open_roles = [role for role in MAPPING_ROLES if role not in roles]
    if len(open_roles) == 1 and (bare := _first(names, MAPPING_BARE)):
        roles[open_roles[0]] = bare
        notes.append(f"Column {bare!r} is taken as {open_roles[0]}.")
    if set(roles) != set(MAPPING_ROLES):
        raise _unresolved("mapping", names, "--mapping-columns taxid=COLUMN,idx=COLUMN")
    return Columns({role: roles[role] for role in MAPPING_ROLES}, tuple(notes))


def resolve_pair_columns(
    names: Sequence[str],
    header: bool,
    override: str | None = None,
    mapping_given: bool = True,
    texts: Collection[str] = (),
) -> Columns:
    """Roles among the columns of a pairs table: idx columns, label columns, depths, weight.

    Without a mapping, idx are identifiers too: they get the label roles. ``texts`` are columns
    whose cells are words: under a name that leaves it open, they are identifiers. Raises
    UsageError for an override that does not fit, InputError where the names leave it open.
    """
    option = "--pair-columns ancestor=COLUMN,descendant=COLUMN"
    notes: list[str] = []
    if override:
        roles = _override(names, override, "--pair-columns", PAIR_ALIASES, PAIR_BARE)
    elif not header:
        if len(names) < 2:
            raise _unresolved("pairs", names, "--pair-columns ancestor,descendant")
        roles = dict(zip(("ancestor", "descendant", "depth_diff"), names, strict=False))
        extra = f"; {len(names) - 3} further columns are not read" if len(names) > 3 else ""
        notes.append(f"No header: the columns are taken as {', '.join(roles)}{extra}.")
    else:
        _refuse_duplicates(names)
        roles, notes = _by_alias(names, PAIR_ALIASES)
        _place_bare(roles, notes, names, mapping_given)
    if mapping_given and not override:
        _words_are_labels(roles, notes, texts)
    labelled = {"ancestor_taxid", "descendant_taxid"} <= set(roles)
    indexed = {"ancestor", "descendant"} <= set(roles)
    if not (labelled or indexed):
        if override:
            return _complete(roles, ("ancestor", "descendant"), names, option)
        raise _unresolved("pairs", names, option)
    if not mapping_given:
        _without_mapping(roles, notes, labelled=labelled)
    elif not indexed:
        roles = {role: name for role, name in roles.items() if role not in PAIR_BARE}
        notes.append("The pairs hold identifiers; they are joined to the mapping's idx.")
    return Columns({role: roles[role] for role in PAIR_ROLES if role in roles}, tuple(notes))


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


def _override(
    names: Sequence[str],
    override: str,
    option: str,
    aliases: Mapping[str, tuple[str, ...]],
    bare: Mapping[str, tuple[str, ...]],
) -> dict[str, str]:
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
                f"{option}: {name!r} is no role; known: {', '.join(aliases)} (- skips a column)"
            )
        if role in roles:
            raise UsageError(f"{option}: {role} is given twice")
        if "=" in part:
            roles[role] = _named(names, column.strip(), option)
        elif position < len(names):
            roles[role] = names[position]
        else:
            raise UsageError(
                f"{option}: names {len(parts)} columns, the file has {len(names)}: {_listed(names)}"
            )
    return roles


def _named(names: Sequence[str], column: str, option: str) -> str:
    if names.count(column) == 1:
        return column
    if column.isdecimal() and 1 <= int(column) <= len(names):
        return names[int(column) - 1]
    if column in names:
        raise InputError(f"{option}: column {column!r} is in the file more than once; rename one")
    raise UsageError(f"{option}: no column {column!r}; the file has {_listed(names)}")


def _complete(
    roles: dict[str, str], needed: Sequence[str], names: Sequence[str], example: str
) -> Columns:
    missing = [role for role in needed if role not in roles]
    if missing:
        raise UsageError(
            f"{example.split()[0]}: {' and '.join(missing)} missing; write for example {example} "
            f"(the file has {_listed(names)})"
        )
    return Columns({role: roles[role] for role in needed})


def _refuse_duplicates(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise InputError(
            f"column {twice[0]!r} is in the file more than once; rename one (columns: "
            f"{_listed(names)})"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _unresolved(what: str, names: Sequence[str], option: str) -> InputError:
    return InputError(
        f"the columns of the {what} are not recognised: {_listed(names)}; name them with {option}"
    )
