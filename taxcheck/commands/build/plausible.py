"""Whether a table was read as it was meant: what is asked, or refused, before the gate says sound.

A gate judges pairs against the hierarchy that they state. It cannot see that the parents were a
column of ranks, or child and parent the other way round: that shows in the shape of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.commands.build.selection import ALONE, Linked
from taxcheck.model.arrays import IntArray, bounded, ranges, within
from taxcheck.model.errors import InputError
from taxcheck.model.vocabulary import plural
from taxcheck.sources.tables.columns import normalise
from taxcheck.sources.taxonomies.ranks import RANKS
from taxcheck.sources.taxonomies.relations import RELATION_WORDS
from taxcheck.statistics.hierarchy.edges import transitive_reduction
from taxcheck.statistics.hierarchy.graph import Graph

_TABLES = ("edge list", "lineage table", "lineages", "triples")
_MOST_EDGES = 4_000_000  # of a DAG whose edges are looked at for those that follow from others
_TOP_HEAVY = 10  # roots for each leaf, where the other way round is likelier
_MOST_WORDS = 100  # parents that may all be words
_FEWEST = 3  # nodes of a hierarchy whose shape says anything
_FEW, _MANY = 3, 20  # edges that stand apart, and how many more there are of others for each
_FEW_SEVERAL, _ANY_SHAPE = 0.25, 20  # of the nodes have several parents; of so many nodes or more
_MOST_ALONE = 0.1  # of the nodes
_SEPARATORS = r" > |;|\||::"


@dataclass(frozen=True, slots=True)
class Plausible:
    """A hierarchy, and what is open in how it was read: each with what reads it otherwise."""

    hierarchy: Linked
    questions: tuple[str, ...]


def plausible(hierarchy: Linked) -> Plausible:
    """Edges without those that follow from others, where these make a closure; and what is asked.

    InputError, with the setting that works, where the reading is surely wrong. Sources that are no
    tables say themselves what their parents are.
    """
    if hierarchy.origin.kind not in _TABLES or hierarchy.n < _FEWEST:
        return Plausible(hierarchy, ())
    _refuse_words(hierarchy)
    hierarchy, implied = _reduced(hierarchy)
    asked = [*implied, *_flat(hierarchy), *_upside_down(hierarchy), *_of_ranks(hierarchy),
             *_texts_of_lineages(hierarchy), *_apart(hierarchy), *_alone(hierarchy),
             *_several(hierarchy), *_padded(hierarchy)]  # fmt: skip
    return Plausible(hierarchy, tuple(asked))


def _parents(hierarchy: Linked) -> pa.Array:
    """Labels of all nodes that have a child, as texts."""
    above = np.flatnonzero(hierarchy.graph.children_of.counts)
    return hierarchy.identifiers.take(pa.array(above)).cast(pa.string())


def _refuse_words(hierarchy: Linked) -> None:
    """Refuse parents that are all words for ranks, or for relations."""
    parents = _parents(hierarchy)
    words = parents.to_pylist() if len(parents) < _MOST_WORDS else []
    for what, known in (("ranks", frozenset(RANKS)), ("relations", RELATION_WORDS)):
        if words and all(normalise(word) in known for word in words):
            shown = ", ".join(map(repr, words[:5]))
            raise InputError(
                f"{hierarchy.origin.path}: all parents are words for {what} ({shown}), so the "
                "column of parents is another; name it with `columns` child=COLUMN,parent=COLUMN"
            )


def _reduced(hierarchy: Linked) -> tuple[Linked, list[str]]:
    """The edges of which the others are the closure; else how many follow from others."""
    graph, edges = hierarchy.graph, len(hierarchy.parents)
    if graph.forest is not None or edges > _MOST_EDGES or hierarchy.origin.kind != "edge list":
        return hierarchy, []
    present = np.ones(hierarchy.n, dtype=bool)
    parents, children = transitive_reduction(hierarchy.parents, hierarchy.children, present)
    implied = edges - len(parents)
    if not implied:
        return hierarchy, []
    if _closed(hierarchy.parents, hierarchy.children, hierarchy.n):
        order = np.lexsort((parents, children))
        told = (
            f"the {edges:,} rows are {len(parents):,} edges and all that follows from them, a "
            "closure: those edges are read"
        )
        reduced = replace(
            hierarchy,
            parents=parents[order],
            children=children[order],
            guesses=(*hierarchy.guesses, told),
        )
        return Linked.of(reduced), []
    said = f"{implied:,} of {edges:,} edges follow from others"
    if 2 * implied > edges:
        return hierarchy, [
            f"{said}: if the table is a closure that lacks pairs, it has no edges to build from; "
            "judge it with taxcheck run --pairs FILE"
        ]
    note = f"{said}, and are read as parents beside them"
    return replace(hierarchy, notes=(*hierarchy.notes, note)), []


def _closed(parents: IntArray, children: IntArray, n: int) -> bool:
    """Whether with two edges that follow each other the one across both is always there."""
    order = np.argsort(parents, kind="stable")
    above, below = parents[order], children[order]
    keys = np.sort(above * n + below)
    begin = np.searchsorted(above, np.arange(n + 1))
    steps = (begin[1:] - begin[:-1])[children]
    for part in bounded(steps, _MOST_EDGES):
        count = steps[part]
        wanted = np.repeat(parents[part], count) * n + below[ranges(begin[children[part]], count)]
        if not within(keys, wanted).all():
            return False
    return True


def _flat(hierarchy: Linked) -> Iterator[str]:
    """One level alone: often the columns are of two kinds, or one says the same of all."""
    graph = hierarchy.graph
    if int(graph.depths.max()) > 1:
        return
    roots, other = len(graph.roots), "if another column holds the parents, name it with `columns`"
    (shown, *_) = hierarchy.labels(graph.roots)
    if roots == 1:
        yield f"all {hierarchy.n - 1:,} other nodes hang on one parent, {shown}; {other}"
    elif roots == len(hierarchy.parents):
        yield (
            f"there are as many trees as edges, {roots:,}: no two rows share a parent, and no "
            f"parent is a child; {other}"
        )
    else:
        yield f"no parent is a child itself, so the hierarchy has one level; {other}"


def _upside_down(hierarchy: Linked) -> Iterator[str]:
    graph = hierarchy.graph
    if graph.forest is not None:  # upside down, a tree has nodes of several parents
        return
    leaves = hierarchy.n - int(np.count_nonzero(graph.children_of.counts))
    back = Graph.from_edges(hierarchy.children, hierarchy.parents, np.ones(hierarchy.n, dtype=bool))
    if back.forest is not None or len(graph.roots) >= _TOP_HEAVY * leaves:
        child, parent = hierarchy.ends or ("COLUMN", "COLUMN")
        yield (
            f"{len(graph.roots):,} roots stand above {leaves:,} leaves, so child and parent may be "
            f"the other way round; read so with `columns` child={parent},parent={child}"
        )


def _apart(hierarchy: Linked) -> Iterator[str]:
    """A few edges that share no node with another: a total, units, a header, a second table."""
    graph, edges = hierarchy.graph, len(hierarchy.parents)
    single = graph.children_of.counts[hierarchy.parents] == 1
    single &= (graph.children_of.counts[hierarchy.children] == 0) & (
        graph.parent_counts[hierarchy.children] == 1
    )
    single &= graph.parent_counts[hierarchy.parents] == 0
    apart = np.flatnonzero(single)
    if hierarchy.origin.kind != "edge list" or not 0 < len(apart) <= min(_FEW, edges // _MANY):
        return
    shown = ", ".join(
        f"{hierarchy.identifiers[int(hierarchy.children[k])].as_py()} below "
        f"{hierarchy.identifiers[int(hierarchy.parents[k])].as_py()}"
        for k in apart
    )
    yield (
        f"{plural(len(apart), 'edge')} {'shares' if len(apart) == 1 else 'share'} no node with any "
        f"other ({shown}); if that is a total, a header, units or another table, take it out"
    )


def _several(hierarchy: Linked) -> Iterator[str]:
    """A few nodes with several parents: a graph that is meant, or a tree with wrong rows."""
    above, n = hierarchy.graph.parent_counts, hierarchy.n
    several = np.flatnonzero(above > 1)
    if n >= _ANY_SHAPE and 0 < len(several) <= _FEW_SEVERAL * n:
        (shown, *_) = hierarchy.labels(several)
        yield (
            f"{len(several):,} of {n:,} nodes {'has' if len(several) == 1 else 'have'} several "
            f"parents, the first is {shown}; if a tree is meant, rows of theirs are wrong"
        )


def _padded(hierarchy: Linked) -> Iterator[str]:
    """Numbers with zeros before them and without: siblings, or one of the two without a parent.

    In a scheme of codes both may be there, as 1 and 01 of ISCO, and neither is the case.
    """
    labels = hierarchy.identifiers
    if pa.types.is_integer(labels.type):
        return
    padded = np.flatnonzero(pc.match_substring_regex(labels, "^0+[0-9]+$").to_numpy(False))
    bare = pc.replace_substring_regex(labels.take(pa.array(padded)), "^0+([0-9])", r"\1")
    other = pc.fill_null(pc.index_in(bare, labels), -1).to_numpy()
    padded, other = padded[other >= 0], other[other >= 0]
    above = np.full(hierarchy.n, -1, dtype=np.int64)
    above[hierarchy.children] = hierarchy.parents
    twice = (above[padded] == above[other]) | (above[padded] < 0) & (above[other] >= 0)
    if count := int(np.count_nonzero(twice)):
        one, two = (labels[int(nodes[twice][0])].as_py() for nodes in (padded, other))
        yield (
            f"{plural(count, 'node')} {'differs' if count == 1 else 'differ'} from another only by "
            f"zeros before the number, as {one!r} and {two!r}; if they are one, write them alike"
        )


def _alone(hierarchy: Linked) -> Iterator[str]:
    """Many nodes in no edge: often a cell is empty where it would repeat the one above it."""
    alone = sum(one.count for one in hierarchy.dropped if one.why == ALONE)
    if alone > max(_FEWEST, _MOST_ALONE * (alone + hierarchy.n)):
        yield (
            f"{alone:,} of {alone + hierarchy.n:,} nodes have {ALONE} and were left out; if a cell "
            "is empty where it would repeat the one above it, fill it down"
        )


def _of_ranks(hierarchy: Linked) -> Iterator[str]:
    """Nodes that are called like several ranks."""
    words = [w for w in RANKS if w not in ("life", "section", "form", "class", "order", "division")]
    labels = pc.utf8_lower(hierarchy.identifiers.cast(pa.string()))
    found = labels.filter(pc.is_in(labels, pa.array(words))).to_pylist()
    if len(found) > 1:
        yield (
            f"{len(found):,} nodes are called like ranks ({', '.join(sorted(found)[:5])}); if a "
            "column of ranks was read as one of taxa, name the others with `columns`"
        )


def _texts_of_lineages(hierarchy: Linked) -> Iterator[str]:
    if hierarchy.origin.kind != "edge list" or pa.types.is_integer(hierarchy.identifiers.type):
        return
    parents = _parents(hierarchy)
    mask = pc.match_substring_regex(parents, _SEPARATORS)
    count = int(pc.sum(mask).as_py() or 0)
    if 2 * count > len(parents):
        yield (
            f"{count:,} parents hold a separator, as {parents.filter(mask)[0].as_py()[:60]!r}; if "
            "they are lineages, read them with `columns` lineage=COLUMN"
        )
