"""The part of a hierarchy that is asked for: below one root, down to a depth, without noise."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.taxonomies.hierarchy import SHOWN, Dropped, Hierarchy, distinct_edges
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.taxonomy import NOISE, noise_kinds


@dataclass(frozen=True)
class Linked(Hierarchy):
    """A hierarchy that can be walked; what is selected of it has a graph of its own."""

    @classmethod
    def of(cls, stated: Hierarchy) -> Self:
        """The hierarchy of a source; InputError that shows one cycle, where there is any."""
        linked = cls(**{f.name: getattr(stated, f.name) for f in fields(stated)})
        on_cycle, one = linked.graph.cycles()
        if len(on_cycle):
            ids = [str(i) for i in linked.identifiers.take(pa.array(one[:8])).to_pylist()]
            shown = " -> ".join([*ids, ids[0]] if len(one) <= 8 else [*ids, "…"])
            raise InputError(
                f"{linked.origin.path}: the parents form a cycle: {shown} ({len(on_cycle):,} nodes "
                "on cycles); a hierarchy has none, so remove one edge of each"
            )
        return linked

    @cached_property
    def graph(self) -> Graph:
        """The edges as a graph in which every node is present."""
        return Graph.from_edges(self.parents, self.children, np.ones(self.n, dtype=bool))


_MOST_CANDIDATES = 50_000
ALONE = "neither parent nor child"


def below(hierarchy: Linked, asked: str) -> Linked:
    """The node that ``asked`` names, by identifier or by name, and everything under it."""
    node, note = find_node(hierarchy, asked)
    keep = hierarchy.graph.below(np.array([node]))
    (shown,) = hierarchy.labels(np.array([node]))
    outside = int(np.count_nonzero(~keep))
    dropped = [Dropped("nodes", outside, f"outside {shown}, the root asked for")] if outside else []
    chosen = hierarchy.select(keep, *dropped)
    lost = int(np.count_nonzero(~keep[hierarchy.parents] & keep[hierarchy.children]))
    lost -= int(hierarchy.graph.parent_counts[node])
    if lost > 0:
        edge = Dropped("edges", lost, f"to parents outside {shown}")
        chosen = replace(chosen, dropped=(*chosen.dropped, edge))
    return replace(chosen, notes=(*chosen.notes, *note))


def find_node(hierarchy: Linked, asked: str) -> tuple[int, tuple[str, ...]]:
    """The node of an identifier, a retired one, or a name; and what there is to tell of that.

    Raises UsageError, with the nearest names, where there is none, or several.
    """
    place = _identified(hierarchy, asked)
    if place >= 0:
        return place, ()
    retired = hierarchy.retired(asked)
    if retired is not None:
        if retired.successor is None:
            raise UsageError(f"`root` {asked}: {retired.how}; give a living one, or a name")
        place = _identified(hierarchy, retired.successor)
        if place >= 0:
            return place, (f"{asked} {retired.how} {retired.successor}, which is the root here",)
    if hierarchy.names is not None:
        for wanted, names in (
            (asked, hierarchy.names),
            (asked.lower(), pc.utf8_lower(hierarchy.names)),
        ):
            found = np.flatnonzero(pc.fill_null(pc.equal(names, wanted), False).to_numpy(False))
            if len(found) == 1:
                return int(found[0]), ()
            if len(found):
                ids = hierarchy.identifiers.take(pa.array(found[:SHOWN])).to_pylist()
                raise UsageError(
                    f"`root` {asked}: {len(found):,} nodes are called so; give the identifier of "
                    f"one: {', '.join(map(str, ids))}"
                )
    near = _near(hierarchy, asked)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "; check the spelling"
    raise UsageError(
        f"`root` {asked}: {hierarchy.origin.path} has no node of that identifier or name{hint}"
    )


def _identified(hierarchy: Linked, asked: str) -> int:
    identifiers = hierarchy.identifiers
    if pa.types.is_integer(identifiers.type):
        if not asked.isascii() or not asked.isdecimal() or len(asked) > 18:
            return -1
        return int(pc.index(identifiers, pa.scalar(int(asked), identifiers.type)).as_py())
    return int(pc.index(identifiers, pa.scalar(asked)).as_py())


def _near(hierarchy: Linked, asked: str) -> list[str]:
    """The nearest names or identifiers among those that begin alike and are about as long."""
    texts = [hierarchy.names] if hierarchy.names is not None else []
    if pa.types.is_string(hierarchy.identifiers.type):
        texts.append(hierarchy.identifiers)
    candidates: dict[str, str] = {}
    for array in texts:
        length = pc.utf8_length(array)
        alike = pc.and_(
            pc.starts_with(array, asked[:1], ignore_case=True),
            pc.less_equal(pc.abs(pc.subtract(length, len(asked))), 3),
        )
        for name in array.filter(pc.fill_null(alike, False))[:_MOST_CANDIDATES].to_pylist():
            candidates.setdefault(name.lower(), name)
    near = difflib.get_close_matches(asked.lower(), list(candidates), n=2, cutoff=0.6)
    return [candidates[name] for name in near]


def down_to(hierarchy: Linked, depth: int) -> Linked:
    """Nodes at most ``depth`` levels below a root, by the shortest way."""
    deep = hierarchy.graph.depths > depth
    if not deep.any():
        return hierarchy
    nodes = np.flatnonzero(deep)
    told = Dropped(
        "nodes", len(nodes), f"more than {depth} levels below a root", hierarchy.labels(nodes)
    )
    return hierarchy.select(~deep, told)


def related(hierarchy: Linked) -> Linked:
    """Without nodes that have neither parent nor child: they would be in no pair."""
    graph = hierarchy.graph
    used = np.zeros(hierarchy.n, dtype=bool)
    used[graph.parents] = used[graph.children] = True
    if not used.any():
        raise InputError(
            f"{hierarchy.origin.path}: no parent and child are left of it, so there is no pair to "
            "train on; ask for less to be dropped, or for another root"
        )
    alone = np.flatnonzero(~used)
    if not len(alone):
        return hierarchy
    told = Dropped("nodes", len(alone), ALONE, hierarchy.labels(alone))
    return hierarchy.select(used, told)


def clean(hierarchy: Linked) -> Linked:
    """Drop taxa whose name bears a mark of noise; what hung below them hangs from their parents.

    Roots stay. A sound taxon that loses all its children stays as a leaf.
    """
    if hierarchy.names is None:
        raise UsageError(f"`clean` reads names, and {hierarchy.origin.path} has none; leave it out")
    kind = noise_kinds(hierarchy.names)
    kind[hierarchy.graph.roots] = -1
    noisy = kind >= 0
    if not noisy.any():
        return replace(hierarchy, notes=(*hierarchy.notes, "no taxon is named as noise"))
    parents, children, moved = _reparented(hierarchy, noisy)
    told = []
    for number, (mark, _) in enumerate(NOISE):
        nodes = np.flatnonzero(kind == number)
        if len(nodes):
            told.append(
                Dropped("taxa", len(nodes), f"named as noise: {mark}", hierarchy.labels(nodes))
            )
    if len(moved):
        told.append(
            Dropped(
                "taxa re-parented",
                len(moved),
                "their parent was named as noise, so they hang from the nearest one that is not",
                hierarchy.labels(moved),
            )
        )
    return replace(hierarchy, parents=parents, children=children).select(~noisy, *told)


def _reparented(
    hierarchy: Linked, noisy: npt.NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """Edges in which every noisy parent is replaced by its own parents; and who was moved."""
    above = hierarchy.graph.parents_of
    parents, children = hierarchy.parents, hierarchy.children
    kept = ~noisy[children]
    parents, children = parents[kept], children[kept]
    moved = children[noisy[parents]]
    while (bad := noisy[parents]).any():
        at, higher = above.expand(parents[bad])
        parents = np.concatenate([parents[~bad], higher])
        children = np.concatenate([children[~bad], children[bad][at]])
        parents, children = distinct_edges(parents, children, hierarchy.n)
    return parents, children, np.unique(moved)
