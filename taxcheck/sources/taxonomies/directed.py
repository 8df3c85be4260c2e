"""A directed graph made a hierarchy: which end of its edges is above is decided by evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.taxonomies.hierarchy import Growing, Hierarchy
from taxcheck.sources.taxonomies.text_file import TextFile

# What edges are called that lead from child to parent, and the other way.
_UP = {"is_a", "isa", "is a", "subclassof", "part_of", "partof", "parent", "broader", "child_of"}
_DOWN = {"child", "children", "narrower", "has_part", "haspart", "parent_of", "contains"}
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
    downwards, why = _direction(graph, ends, columns, source.path)
    order = "source to target is parent to child" if downwards else "source is child, target parent"
    growing = Growing()
    for identifier, label in graph.labels.items():
        growing.node(identifier, label or identifier)
    parents, children = ends if downwards else ends[::-1]
    growing.ends = np.stack([parents, children], axis=1).reshape(-1).tolist()
    identifiers, named = _identifiers(graph.labels)
    told = [*notes, f"{order}: {why}", *named]
    try:
        return growing.hierarchy(source.origin(kind), told, pa.array(identifiers, pa.string()))
    except UnicodeEncodeError:
        raise InputError(f"{source.path}: an id or label holds half of a character") from None


def _direction(
    graph: Directed, ends: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    columns: str | None, shown: str,
) -> tuple[bool, str]:  # fmt: skip
    """Whether a source is above its targets, and what tells it."""
    if columns:
        asked = columns.replace(" ", "").lower()
        if asked not in _COLUMNS:
            raise UsageError(
                f"`columns` {columns}: of a graph they are child=source,parent=target, or "
                "child=target,parent=source"
            )
        return _COLUMNS[asked], "as it was asked"
    question = (
        "say which end is above with `columns` child=source,parent=target, or "
        "child=target,parent=source"
    )
    if not graph.directed:
        raise UsageError(f"{shown}: its edges have no direction; {question}")
    kinds = set(graph.kinds)
    for known, downwards in ((_UP, False), (_DOWN, True)):
        if kinds <= known:
            return downwards, f"edges are called {', '.join(sorted(kinds))}"
    proper = ends[:, ends[0] != ends[1]]
    edges = np.unique(proper, axis=1)
    several_in = len(np.unique(edges[1])) < edges.shape[1]
    several_out = len(np.unique(edges[0])) < edges.shape[1]
    if several_out and not several_in:
        return True, "no target has two sources"
    if several_in and not several_out:
        return False, "no source has two targets"
    how = "some sources have several targets, and some targets several sources"
    if not several_in:
        how = "every end has one edge"
    raise UsageError(f"{shown}: its edges do not tell parent and child ({how}); {question}")


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
