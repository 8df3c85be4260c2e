"""The part of a hierarchy that is asked for: below one root, down to a depth, nothing alone."""

from __future__ import annotations

import difflib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.build.hierarchy import SHOWN, Dropped, Hierarchy
from taxcheck.errors import InputError, UsageError
from taxcheck.statistics.values import IntArray

_MOST_CANDIDATES = 50_000


def below(hierarchy: Hierarchy, asked: str) -> Hierarchy:
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


def find_node(hierarchy: Hierarchy, asked: str) -> tuple[int, tuple[str, ...]]:
    """The node of an identifier, a retired one, or a name; and what there is to tell of that.

    Raises UsageError, with the nearest names, where there is none, or several.
    """
    place = _identified(hierarchy, asked)
    if place >= 0:
        return place, ()
    retired = hierarchy.retired(asked)
    if retired is not None:
        if retired.successor is None:
            raise UsageError(f"--root {asked}: {retired.how}; give a living one, or a name")
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
                    f"--root {asked}: {len(found):,} nodes are called so; give the identifier of "
                    f"one: {', '.join(map(str, ids))}"
                )
    near = _near(hierarchy, asked)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "; check the spelling"
    raise UsageError(
        f"--root {asked}: {hierarchy.origin.path} has no node of that identifier or name{hint}"
    )


def _identified(hierarchy: Hierarchy, asked: str) -> int:
    identifiers = hierarchy.identifiers
    if pa.types.is_integer(identifiers.type):
        if not asked.isascii() or not asked.isdecimal() or len(asked) > 18:
            return -1
        return int(pc.index(identifiers, pa.scalar(int(asked), identifiers.type)).as_py())
    return int(pc.index(identifiers, pa.scalar(asked)).as_py())


def _near(hierarchy: Hierarchy, asked: str) -> list[str]:
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


def down_to(hierarchy: Hierarchy, depth: int) -> Hierarchy:
    """Nodes at most ``depth`` levels below a root, by the shortest way."""
    deep = hierarchy.graph.depths > depth
    if not deep.any():
        return hierarchy
    nodes = np.flatnonzero(deep)
    told = Dropped("nodes", len(nodes), f"deeper than --max-depth {depth}", hierarchy.labels(nodes))
    return hierarchy.select(~deep, told)


def related(hierarchy: Hierarchy) -> Hierarchy:
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
    told = Dropped("nodes", len(alone), "neither parent nor child", hierarchy.labels(alone))
    return hierarchy.select(used, told)


def roots_of(hierarchy: Hierarchy) -> IntArray:
    """Nodes without a parent."""
    return hierarchy.graph.roots
