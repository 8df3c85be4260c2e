"""Causes in which nodes were lost by what they are: their level, their rank or their name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics, PairStatistics

from .columns import lost_nodes
from .lost import FROM_TAXONOMY, NO_REPAIR
from .parts import WAYS, Losses

_WHOLE = 0.99  # of the nodes with a property
_FEWEST = 5  # nodes that share a word
_WORDS = 8  # that are tried, the most frequent among the lost first
# what a filter on names asks for beside words
_FORMS = {
    "a digit": r"\d",
    "a bracket": r"[()\[\]{}]",
    "a quotation mark": r"[\"'`]",
    "a hyphen": "-",
    "a full stop": r"\.",
    "a slash": "/",
    "a comma": ",",
    "a letter beyond ASCII": r"[^\x00-\x7F]",
    "more than two words": r"\S+\s+\S+\s+\S",
}


@cause(loss=True)
def lost_levels(
    symptoms: Symptoms,
    pairs: PairStatistics,
    graph: Graph,
    totals: PairState,
    truth: Truth | None = None,
) -> Explanation | None:
    """All pairs of some levels or ranks are missing.

    By the taxonomy all nodes above a level, below one, or of some ranks lost their pairs, and
    nodes of other levels and ranks did not.

    Why it matters:
    With the upper levels the hierarchy falls apart into as many trees as there are nodes on the
    highest level left, and nothing relates them. With inner ranks every chain is broken there.
    What was lost is mapped and will never be trained.

    How to fix:
    Look for a filter on rank or depth in what built the pairs. Where a level is left out on
    purpose, leave it out of the mapping too, and contract the chains: a node's parent is then its
    nearest ancestor that is kept, at depth 1. Else build the pairs again, or have ``taxcheck fix
    ... --taxonomy taxdump/`` build them.

    Known exceptions:
    Levels are counted among the mapped nodes. Without a taxonomy only the column of depths can tell
    that the upper levels are lost, where all trees begin at one depth below the root's.

    References:
    - Schoch et al. 2020, NCBI Taxonomy, on ranks: https://doi.org/10.1093/database/baaa062
    """
    if truth is None:
        return _upper_levels(symptoms, graph, totals)
    losses = Losses.of(truth, symptoms, pairs)
    if losses is None:
        return None
    best: tuple[int, str, str, BoolArray, int] | None = None
    for what, nodes, free in (*_levels(losses), *_ranks(losses), *_childless(losses)):
        found = losses.without(nodes)
        if found is None:
            continue
        way, chosen = found
        count = int(np.count_nonzero(chosen))
        if best is None or count > best[0]:
            best = count, what, way, chosen, free
    if best is None:
        return None
    count, what, way, chosen, free = best
    if way.startswith("nearly"):
        what = f"nearly {what}"
    return Explanation(
        message=f"{what} are lost: {way}",
        explains=losses.explained(chosen),
        parameters={"lost": what, "pairs": count},
        free=free,
        why_not=FROM_TAXONOMY,
    )


def _upper_levels(symptoms: Symptoms, graph: Graph, totals: PairState) -> Explanation | None:
    """Without a taxonomy: several trees, all of which begin at one depth that is not the root's."""
    depths = None if totals.depth is None else totals.depth.node_depths
    if depths is None or "coverage_gap" not in symptoms or len(graph.roots) < _FEWEST:
        return None
    stated = depths.lowest[graph.roots]
    level = int(stated.min())
    if level < 1 or np.count_nonzero(stated == level) < _WHOLE * len(stated):
        return None
    what = f"all nodes above depth {level}"
    return Explanation(
        message=f"{what} are lost: {len(stated):,} trees begin there",
        explains={"coverage_gap": np.ones(len(symptoms["coverage_gap"]), dtype=bool)},
        parameters={"lost": what},
        free=1,
        why_not=NO_REPAIR,
    )


def _levels(losses: Losses) -> Iterator[tuple[str, BoolArray, int]]:
    """Nodes above a level that lost all pairs as ancestors, or below one as descendants."""
    truth = losses.truth
    known = truth.position >= 0
    depth = truth.depth
    deepest = int(depth[known].max(initial=0))
    for marks, asked, upwards in (
        (losses.as_ancestor, known & (truth.below > 0), True),
        (losses.as_descendant, known & (depth > 0), False),
    ):
        every = np.bincount(depth[asked], minlength=deepest + 1)
        lost = np.bincount(depth[asked & marks], minlength=deepest + 1)
        whole = lost >= _WHOLE * every
        levels = np.flatnonzero(~whole)
        if not len(levels):
            continue
        edge = int(levels[0]) if upwards else int(levels[-1])
        nodes = known & ((depth < edge) if upwards else (depth > edge))
        if np.count_nonzero(nodes & marks) > (0 if upwards else 1):
            side = "above" if upwards else "below"
            yield f"all nodes {side} depth {edge}", nodes, 1


def _childless(losses: Losses) -> Iterator[tuple[str, BoolArray, int]]:
    """Nodes that are no other's ancestor, where all of them lost their pairs."""
    truth = losses.truth
    nodes = (truth.position >= 0) & (truth.below == 0) & (truth.depth > 0)
    if np.count_nonzero(nodes) >= _FEWEST and losses.as_descendant[nodes].all():
        yield "all nodes without children", nodes, 1


def _ranks(losses: Losses) -> Iterator[tuple[str, BoolArray, int]]:
    """Nodes of the ranks all of whose nodes lost their pairs, in either role."""
    truth = losses.truth
    known = truth.position >= 0
    rank, size = truth.rank, len(truth.rank_names)
    for marks, asked in (
        (losses.as_ancestor, known & (truth.below > 0)),
        (losses.as_descendant, known & (truth.depth > 0)),
    ):
        every = np.bincount(rank[asked], minlength=size)
        lost = np.bincount(rank[asked & marks], minlength=size)
        whole = np.flatnonzero((every > 0) & (lost >= _WHOLE * every))
        if 0 < len(whole) < np.count_nonzero(every):
            nodes = np.isin(rank, whole)
            if np.count_nonzero(nodes) >= _FEWEST:
                names = ", ".join(f"'{truth.rank_names[k]}'" for k in whole)
                ranks = "rank" if len(whole) == 1 else "ranks"
                yield f"all nodes of the {ranks} {names}", nodes, len(whole)


@cause(loss=True)
def name_filter(
    symptoms: Symptoms,
    pairs: PairStatistics,
    mapping: MappingStatistics,
    truth: Truth | None = None,
) -> Explanation | None:
    """Nodes whose names share a word, or a form, lost all of their pairs.

    Every node with the word in its name lost its pairs, and nearly no other node did.

    Why it matters:
    A filter that was meant to leave out unsettled names (``sp.``, ``uncultured``) took nodes out of
    the pairs and left them in the mapping: their rows are never trained. Where such a node has
    children, they lost their parent with it.

    How to fix:
    Apply the filter to the mapping as well, after contracting the chains through the nodes that it
    leaves out; or take it away, and build the pairs again. ``taxcheck fix ... --taxonomy
    taxdump/`` pairs the nodes with their ancestors.

    Known exceptions:
    Names are those of the taxonomy, or the identifiers themselves where they are text.

    References:
    - pandas.Series.str.contains, whose pattern is a regular expression unless it is told not to be:
      https://pandas.pydata.org/docs/reference/api/pandas.Series.str.contains.html
    """
    names = _names(mapping, truth)
    if names is None:
        return None
    losses = None if truth is None else Losses.of(truth, symptoms, pairs)
    if losses is not None:
        lost, asked = losses.as_descendant | losses.as_ancestor, truth_known(losses)
    elif "coverage_gap" in symptoms:
        lost = np.zeros(mapping.n_nodes, dtype=bool)
        lost[symptoms["coverage_gap"].nodes[0]] = True
        asked = mapping.mapped
    else:
        return None
    if not (asked & ~lost).any():  # where all are lost, whatever they share is no reason
        return None
    best: tuple[int, str, BoolArray] | None = None
    for what, nodes in _shared(names, lost & asked, asked):
        count = int(np.count_nonzero(nodes & lost))
        if count >= max(_FEWEST, _WHOLE * np.count_nonzero(nodes)) and (
            best is None or count > best[0]
        ):
            best = count, what, nodes
    if best is None:
        return None
    count, what, nodes = best
    said, way = f"{plural(count, 'node')} with {what} in the name", WAYS["touching"]
    if losses is not None:
        found = losses.without(nodes)
        if found is None:
            return None
        way, chosen = found
        if np.count_nonzero(chosen) < _WHOLE * len(chosen):
            return None  # others lost theirs as well: what these share is no reason
        explains = losses.explained(chosen)
    else:
        gap = nodes[symptoms["coverage_gap"].nodes[0]]
        every = np.count_nonzero(gap) >= _WHOLE * len(gap)
        explains = lost_nodes(symptoms, gap) if every else {"coverage_gap": gap}
    return Explanation(
        message=f"{said} are lost: {way}",
        explains=explains,
        parameters={"in the name": what, "nodes": count},
        free=2,
        why_not=NO_REPAIR if truth is None else FROM_TAXONOMY,
    )


def truth_known(losses: Losses) -> BoolArray:
    """Nodes that have something to lose, (n,)."""
    truth = losses.truth
    return np.asarray((truth.position >= 0) & ((truth.depth > 0) | (truth.below > 0)))


def _names(mapping: MappingStatistics, truth: Truth | None) -> pa.Array | None:
    """The name of every node, (n,); None where nothing has any."""
    if mapping.identifiers.strings is not None:
        return pa.array(mapping.identifiers.strings, pa.string())
    return None if truth is None else truth.names


def _shared(names: pa.Array, lost: BoolArray, asked: BoolArray) -> Iterator[tuple[str, BoolArray]]:
    """What names of lost nodes may share, and the nodes whose names do, (n,)."""
    if np.count_nonzero(lost) < _FEWEST:
        return

    def having(found: pa.Array) -> BoolArray:
        return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False)) & asked

    spaced = pc.binary_join_element_wise("", names, "", " ")
    for word in _words(names, lost, asked):
        yield f"the word '{word}'", having(pc.match_substring(spaced, f" {word} "))
        yield f"'{word}'", having(pc.match_substring(names, word))
        yield (
            f"'{word.lower()}', in any case,",
            having(pc.match_substring(names, word, ignore_case=True)),
        )
    for what, pattern in _FORMS.items():
        yield what, having(pc.match_substring_regex(names, pattern))


def _words(names: pa.Array, lost: BoolArray, asked: BoolArray) -> list[str]:
    """Words in the names of lost nodes that hardly any other node has, the most frequent first."""
    split = pc.utf8_split_whitespace(names)
    of = pc.list_parent_indices(split).to_numpy(zero_copy_only=False)
    coded = pc.list_flatten(split).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    kept = (codes >= 0) & asked[of]
    size = len(coded.dictionary)
    every = np.bincount(codes[kept], minlength=size)
    gone = np.bincount(codes[kept & lost[of]], minlength=size)
    found = np.flatnonzero((gone >= _FEWEST) & (gone >= _WHOLE * every))
    found = found[np.argsort(-gone[found], kind="stable")][:_WORDS]
    return [str(coded.dictionary[int(k)].as_py()) for k in found]
