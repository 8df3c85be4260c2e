"""Keys of what has a name, which is written down when it is first seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Table, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from taxcheck.service.store import tables
from taxcheck.service.store.database import now
from taxcheck.service.store.names import project_key

_MOST = 20_000  # names of numbers whose keys are remembered
# Engine -> name of a number -> its key; no name goes or gets another key.
_SEEN: WeakKeyDictionary[Engine, dict[str, int]] = WeakKeyDictionary()


def dataset_key(connection: Connection, project: str, dataset: str) -> int:
    """The dataset's key; nobody else changes the dataset until the transaction ends."""
    query = (
        select(tables.dataset.c.key)
        .join(tables.project, tables.dataset.c.project == tables.project.c.key)
        .where(tables.project.c.name == project, tables.dataset.c.name == dataset)
        .with_for_update(of=tables.dataset)
    )
    found: int | None = connection.scalar(query)
    if found is None:
        row = {"project": project_key(connection, project), "name": dataset, "created": now()}
        _add(connection, tables.dataset, [row])
        found = connection.scalar(query)
    assert found is not None
    return found


def metric_keys(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Name -> key, of all of them; one that an earlier transaction saw is not asked for again."""
    seen = _SEEN.setdefault(connection.engine, {})
    unseen = [name for name in names if name not in seen]
    if not unseen:
        return {name: seen[name] for name in names}
    table = tables.metric_name
    query = select(table.c.name, table.c.key).where(table.c.name.in_(unseen))
    found = {row.name: row.key for row in connection.execute(query)}
    kept = dict(islice(found.items(), max(_MOST - len(seen), 0)))
    if missing := sorted(set(unseen) - found.keys()):
        _add(connection, table, [{"name": name} for name in missing])
        found = {row.name: row.key for row in connection.execute(query)}
    found |= {name: seen[name] for name in names if name in seen}
    seen.update(kept)  # what this transaction adds may yet not come to be
    return found


def name_rules(connection: Connection, rules: Mapping[str, tuple[str, str]]) -> None:
    """Write down id -> (name, kind); a name that changed is the one that came last."""
    table = tables.rule
    query = select(table.c.id, table.c.name, table.c.kind).where(table.c.id.in_(rules))
    found = {id: (name, kind) for id, name, kind in connection.execute(query)}
    new = sorted(rules.keys() - found.keys())
    _add(connection, table, [{"id": i, "name": rules[i][0], "kind": rules[i][1]} for i in new])
    for id in sorted(id for id in found if found[id] != rules[id]):
        name, kind = rules[id]
        connection.execute(update(table).where(table.c.id == id).values(name=name, kind=kind))


def input_keys(connection: Connection, inputs: Sequence[tuple[str, str, int]]) -> list[int]:
    """The key of each (role, fingerprint, rows)."""
    table = tables.input_file
    both = tuple_(table.c.role, table.c.fingerprint)
    wanted = {(role, print): rows for role, print, rows in inputs}
    query = select(table.c.role, table.c.fingerprint, table.c.key).where(both.in_(wanted))
    found = {(role, print): key for role, print, key in connection.execute(query)}
    if missing := sorted(wanted.keys() - found.keys()):
        named = ("role", "fingerprint", "rows")
        rows = [dict(zip(named, (*one, wanted[one]), strict=True)) for one in missing]
        _add(connection, table, rows)
        found = {(role, print): key for role, print, key in connection.execute(query)}
    return [found[role, print] for role, print, _ in inputs]


def _add(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert what is not there yet; another may be just about to."""
    if rows := list(rows):
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
