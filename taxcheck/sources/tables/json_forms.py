"""The forms in which people write a table as one JSON object, and which of them it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxcheck.model.errors import InputError
from taxcheck.sources.candidate import Guess
from taxcheck.sources.tables.columns import KNOWN_NAMES, normalise
from taxcheck.sources.tables.json_parse import Twice

Members = Sequence[tuple[str, object]]
Choose = Callable[[Sequence[str]], str]
_SCALARS = (str, int, float, bool, type(None))
FORMS = (
    "a list of objects or of lists, lists by column, an object of label: idx, or what pandas writes"
)


@dataclass(frozen=True, slots=True)
class Form:
    """What the members of an object are: rows, made of (member, ...), and the names of columns."""

    names: tuple[str, ...]  # none where the rows are lists without names
    rows: Sequence[Any]  # each a dict or a list
    note: str = ""


def form_of(members: Members, shown: str, choose: Choose | None, *, named: bool = False) -> Form:
    """The table that an object is. InputError where it is none.

    ``choose`` says which of several members is meant that are tables; ``named`` whether one was
    asked for.
    """
    if not members:
        raise InputError(f"{shown}: holds no rows; there is nothing to judge")
    whole = None if named else _whole(members, shown)
    if whole is not None:
        return whole
    _refuse_keys(members, shown)
    inside = dict(members)
    tables = [key for key, value in members if _kind(value) in ("rows", "object", "columns")]
    if not tables or choose is None:
        raise InputError(
            f"{shown}: is JSON, and no table of a form that taxcheck knows; give {FORMS}"
        )
    meant = inside[choose(tables)]
    if isinstance(meant, list):
        return Form((), meant)
    _refuse_twice((meant,), shown)
    return form_of(list(_dict(meant).items()), shown, None)


def _refuse_keys(members: Members, shown: str) -> None:
    """InputError where an object that is no row has a key twice."""
    key, count = Counter(key for key, _ in members).most_common(1)[0]
    if count > 1:
        raise _twice(key, shown)


def _refuse_twice(values: Iterable[object], shown: str) -> None:
    """InputError where one of the objects that are no rows has a key twice."""
    for value in values:
        if isinstance(value, Twice):
            raise _twice(value.key, shown)


def _twice(key: str, shown: str) -> InputError:
    return InputError(
        f"{shown}: has the key {key[:40]!r} twice, so that either may be meant; mend it"
    )


def _whole(members: Members, shown: str) -> Form | None:
    """The table that all members are together; None where they are no one table."""
    inside, kinds = dict(members), {_kind(value) for _, value in members}
    if kinds != {"value"}:
        _refuse_keys(members, shown)
    if isinstance(inside.get("data"), list) and isinstance(inside.get("columns"), list):
        names = tuple(map(str, _list(inside["columns"])))
        return Form(names, _list(inside["data"]), "Written as pandas' orient='split'.")
    if isinstance(inside.get("data"), list) and isinstance(inside.get("schema"), dict):
        return Form((), _list(inside["data"]), "Written as pandas' orient='table'.")
    if kinds == {"value"}:
        return dictionary(members)
    if kinds == {"column"} and len(members) > 1:
        return _by_column(members, shown)
    return _pandas(members, shown) if kinds == {"object"} and len(members) > 1 else None


def dictionary(members: Members, like: Members | None = None) -> Form:
    """Keys and values as identifiers and idx; which are which is told by ``like``, else by all."""
    judged = like if like is not None else members
    digits = all(key.isdecimal() for key, _ in judged)
    texts = any(isinstance(value, str) for _, value in judged)
    rows = [list(member) for member in members]
    either = digits and not texts and (like is not None or _could_be_idx(members))
    told = Guess if either else str
    if digits and texts:
        return Form(("idx", "taxid"), rows, "Its keys are read as idx, its values as identifiers.")
    note = told("Its keys are read as identifiers, its values as idx.")
    if texts:
        return Form(("key", "value"), rows, "Its keys and values are the two columns.")
    ordered = [int(key) for key, _ in judged[:1000]] if digits else []
    if digits and len(ordered) > 1 and ordered == list(range(len(ordered))):
        values = [value for _, value in judged[:1000]]
        if values != ordered:
            note = told("Its keys count from 0 and are read as idx, its values as identifiers.")
            return Form(("idx", "taxid"), rows, note)
    return Form(("taxid", "idx"), rows, note)


def _could_be_idx(members: Members) -> bool:
    """Whether keys of digits and values both may be idx, and are not the same ones."""
    n = len(members)
    both = all(
        type(value) is int and 0 <= value < n and len(key) < 19 and int(key) < n
        for key, value in members
    )
    return both and any(int(key) != value for key, value in members)


def _by_column(members: Members, shown: str) -> Form:
    lengths = {key: len(_list(values)) for key, values in members}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key!r} {count:,}" for key, count in [*lengths.items()][:4])
        raise InputError(
            f"{shown}: its lists differ in length ({told}); of lists by column all are alike. If "
            "each is of the neighbours of its key, write one row for each"
        )
    columns = [_list(values) for _, values in members]
    return Form(tuple(lengths), list(map(list, zip(*columns, strict=True))))


def _pandas(members: Members, shown: str) -> Form:
    """An object of objects: by column, or by row."""
    outer = [key for key, _ in members]
    inner = list(_dict(members[0][1]))
    known = [any(normalise(name) in KNOWN_NAMES for name in names) for names in (outer, inner)]
    counted = [all(name.isdecimal() for name in names) for names in (outer, inner)]
    if known[0] != known[1]:
        by_column = known[0]
    elif counted[0] != counted[1]:
        by_column = counted[1]
    else:
        raise InputError(
            f"{shown}: is an object of objects, in which nothing tells rows from columns; give "
            f'{FORMS}, as df.to_json(orient="records", lines=True)'
        )
    if not by_column:
        note = "Written as pandas' orient='index': its keys are no column."
        return Form((), [value for _, value in members], note)
    _refuse_twice((value for _, value in members), shown)
    if any(list(_dict(value)) != inner for _, value in members):
        raise InputError(f"{shown}: its columns have not the same rows; write it as records")
    columns = [_dict(value).values() for _, value in members]
    note = "Written as pandas' orient='columns'."
    return Form(tuple(outer), list(map(list, zip(*columns, strict=True))), note)


def _kind(value: object) -> str:
    if isinstance(value, _SCALARS):
        return "value"
    if isinstance(value, Mapping):
        if all(isinstance(v, _SCALARS) for v in value.values()):
            return "object" if value else "deep"
        return "columns" if {_kind(v) for v in value.values()} == {"column"} else "deep"
    items = _list(value)
    if all(isinstance(item, _SCALARS) for item in items):
        return "column"
    return "rows" if all(isinstance(item, dict | list) for item in items) else "deep"


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def _dict(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value
