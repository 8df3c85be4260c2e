"""A directed graph made a hierarchy: which end of its edges is above is decided by evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.taxonomies.hierarchy import SHOWN, Dropped, Growing, Hierarchy
from taxcheck.sources.taxonomies.relations import of_kind
from taxcheck.sources.taxonomies.text_file import TextFile

_COUNTED = re.compile(r"[A-Za-z_]{0,4}\d+")  # ids that a program made: 7, n7, node7
_COLUMNS = {
    "child=source,parent=target": False,
    "parent=target,child=source": False,
    "child=target,parent=source": True,
    "parent=source,child=target": True,
}


@dataclass(slots=True)
class Directed:
    """Nodes by their ids, with labels where they have them, and edges between ids."""

    labels: dict[str, str | None] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)  # what each edge is called, or ""
    directed: bool = True
    guesses: list[str] = field(default_factory=list)  # of how it was read

    def node(self, identifier: str, label: str | None = None) -> None:
        """There is such a node; the first label counts."""
        if self.labels.get(identifier) is None:
            self.labels[identifier] = label or None

    def edge(self, source: str, target: str, kind: str | None = None) -> None:
        """An edge, and its ends where they are new."""
        self.node(source)
        self.node(target)
        self.sources.append(source)
        self.targets.append(target)
        self.kinds.append((kind or "").strip().lower())


def hierarchy_of_graph(
    graph: Directed, source: TextFile, kind: str, columns: str | None, notes: Sequence[str] = ()
) -> Hierarchy:
    """Nodes by their ids, or by labels where ids only count them.

    ``columns`` says which end is above: child=source,parent=target, or child=target,parent=source.
    Raises UsageError where the edges do not tell it.
    """
    if not graph.sources:
        raise InputError(f"{source.path}: holds no edge")
    place = {identifier: k for k, identifier in enumerate(graph.labels)}
    ends = np.array([[place[one] for one in graph.sources], [place[one] for one in graph.targets]])
    read = _direction(graph, ends, columns, source.path)
    growing = Growing()
    for identifier, label in graph.labels.items():
        growing.node(identifier, label or identifier)
    above = np.where(read.ways < 0, ends[0], ends[1])[read.ways != 0]
    below = np.where(read.ways < 0, ends[1], ends[0])[read.ways != 0]
    growing.ends = np.stack([above, below], axis=1).reshape(-1).tolist()
    identifiers, named = _identifiers(graph.labels)
    told = [*notes, *read.notes, *named]
    try:
        found = growing.hierarchy(source.origin(kind), told, pa.array(identifiers, pa.string()))
    except UnicodeEncodeError:
        raise InputError(f"{source.path}: an id or label holds half of a character") from None
    return replace(found, dropped=read.dropped, guesses=(*graph.guesses, *read.guesses))


@dataclass(frozen=True, slots=True)
class _Read:
    """How edges are read: each 1 where its target is above, -1 its source, 0 where it is none."""

    ways: IntArray  # (edges,)
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()


def _direction(graph: Directed, ends: IntArray, columns: str | None, shown: str) -> _Read:
    """Which end of the edges is above, and what tells it."""
    kinds = Counter(graph.kinds)
    if columns:
        asked = columns.replace(" ", "").lower()
        if asked not in _COLUMNS:
            raise UsageError(
                f"`columns` {columns}: of a graph they are child=source,parent=target, or "
                "child=target,parent=source"
            )
        told = [_order(_COLUMNS[asked], "as it was asked")]
        if len(kinds) > 1:
            told.append(f"edges of all kinds are read: {_shown(kinds)}")
        return _Read(np.full(ends.shape[1], -1 if _COLUMNS[asked] else 1), tuple(told))
    question = (
        "say which end is above with `columns` child=source,parent=target, or "
        "child=target,parent=source"
    )
    if not graph.directed:
        raise UsageError(f"{shown}: its edges have no direction; {question}")
    if (chosen := of_kind(sorted(kinds))) and "" not in kinds:
        return _by_kinds(graph.kinds, chosen)
    return _by_shape(ends, f"{shown}: its edges do not tell parent and child ({{}}); {question}")


def _by_kinds(kinds: Sequence[str], chosen: Mapping[str, int]) -> _Read:
    """Edges by what they are called; those of other relations are left out."""
    ways = np.array([chosen.get(kind, 0) for kind in kinds])
    notes = [
        _order(down, f"edges are called {', '.join(names)}")
        for down in (False, True)
        if (names := [name for name, way in chosen.items() if (way < 0) == down])
    ]
    others = Counter(kind for kind in kinds if kind not in chosen)
    if not others:
        return _Read(ways, tuple(notes))
    why = f"of other relations ({_shown(others)})"
    return _Read(ways, tuple(notes), dropped=(Dropped("edges", others.total(), why),))


def _by_shape(ends: IntArray, refusal: str) -> _Read:
    """Edges by which end has several, which is a guess."""
    proper = ends[:, ends[0] != ends[1]]
    edges = np.unique(proper, axis=1)
    several_in = len(np.unique(edges[1])) < edges.shape[1]
    several_out = len(np.unique(edges[0])) < edges.shape[1]
    if several_out != several_in:
        why = "no target has two sources" if several_out else "no source has two targets"
        return _Read(
            np.full(ends.shape[1], -1 if several_out else 1), guesses=(_order(several_out, why),)
        )
    how = "some sources have several targets, and some targets several sources"
    raise UsageError(refusal.format(how if several_in else "every end has one edge"))


def _order(downwards: bool, why: str) -> str:
    order = "source to target is parent to child" if downwards else "source is child, target parent"
    return f"{order}: {why}"


def _shown(kinds: Counter[str]) -> str:
    said = [f"{kind or 'without a name'} {count:,}" for kind, count in sorted(kinds.items())]
    return ", ".join(said[:SHOWN]) + ", …" * (len(said) > SHOWN)


def _identifiers(labels: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """What nodes are called, and what to tell of it."""
    names = [label for label in labels.values() if label]
    counted = all(map(_COUNTED.fullmatch, labels))
    if len(names) == len(labels) == len(set(names)) and counted and names != list(labels):
        return names, ["nodes are called by their labels: their ids only count them"]
    return list(labels), []


def text_of(value: object, described: Callable[[object], str] = str) -> str | None:
    """A value of a graph's file as a text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return described(value).strip() or None


def first_of(found: Mapping[str, object], keys: Iterable[str]) -> str | None:
    """The first of several keys that has a text."""
    return next((text for key in keys if (text := text_of(found.get(key)))), None)
