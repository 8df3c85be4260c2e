"""The cause in which two taxa of one name became one node."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics

from .called import called

_SHARE = 0.99


@cause()
def merged_homonyms(
    symptoms: Symptoms,
    graph: Graph,
    mapping: MappingStatistics,
    truth: Truth | None = None,
) -> Explanation | None:
    """Two taxa of one name were joined into one node.

    A node has the ancestors, and the descendants, of two, and each descendant has those of one.

    Why it matters:
    Two unrelated clades are tied together at one node: a genus of plants and one of animals are
    pulled to the same place. The other taxon is in no pair, and never trained.

    How to fix:
    Join by identifier. A name is no key: NCBI has hundreds of homonyms, told apart by their
    authority or by the clade that they stand in.

    Known exceptions:
    In a DAG a node may have several parents by nature; there only the descendants, which inherit
    from one of them alone, show it.

    References:
    - Page 2005, on homonyms in taxonomic databases: https://doi.org/10.1186/1471-2105-6-48
    """
    symptom = symptoms.get("several_parents")
    if symptom is None:
        return None
    nodes = symptom.nodes[0]
    if not 0 < len(nodes) <= 1_000:
        return None
    if truth is not None and truth.names is not None:
        return _homonyms_by_name(symptoms, nodes, mapping, truth)
    return _homonyms_by_shape(symptoms, nodes, graph, mapping)


def _homonyms_by_name(
    symptoms: Symptoms,
    nodes: IntArray,
    mapping: MappingStatistics,
    truth: Truth,
) -> Explanation | None:
    """The nodes with two parents that share their name with an uncovered node, or each other."""
    names = truth.names
    assert names is not None
    gap = symptoms.get("coverage_gap")
    lost = np.empty(0, np.int64) if gap is None else gap.nodes[0]
    own = names.take(pa.array(nodes))
    others = pc.is_in(own, names.take(pa.array(lost)).drop_null()).to_numpy(zero_copy_only=False)
    counts = pc.value_counts(own.drop_null())
    twice = counts.field(0).filter(pc.greater(counts.field(1), 1))
    shared = pc.is_in(own, twice).to_numpy(zero_copy_only=False)
    chosen = others | shared
    if not chosen.any():
        return None
    merged = nodes[chosen]
    partners = lost[
        pc.is_in(names.take(pa.array(lost)), own.filter(pa.array(chosen))).to_numpy(
            zero_copy_only=False
        )
    ]
    explains = _through(symptoms, merged, partners, truth)
    explains["several_parents"] = chosen
    return _merged(merged, mapping, truth, explains)


def _through(
    symptoms: Symptoms, merged: IntArray, partners: IntArray, truth: Truth
) -> dict[str, BoolArray | bool]:
    """What touches the merged nodes or what is below them and their partners."""
    inside = np.zeros(len(truth.position), dtype=bool)
    for node in (*merged, *partners):
        inside |= truth.clade(int(node))
    explains: dict[str, BoolArray | bool] = {}
    for name in (
        "missing_ancestor_pair",
        "false_ancestor_pair",
        "false_ancestor_pair.unproven",
        "duplicate_pair",
        "disagrees_with_taxonomy",
        "disagrees_with_taxonomy.missing",
    ):
        if name in symptoms:
            explains[name] = inside[symptoms[name].nodes[1]]
    if "coverage_gap" in symptoms:
        explains["coverage_gap"] = np.isin(symptoms["coverage_gap"].nodes[0], partners)
    return explains


def _homonyms_by_shape(
    symptoms: Symptoms, nodes: IntArray, graph: Graph, mapping: MappingStatistics
) -> Explanation | None:
    """All that is missing runs through one of the nodes: from above it to below it."""
    missing = symptoms.get("missing_ancestor_pair")
    if missing is None or len(nodes) > 20:
        return None
    ancestor, descendant = missing.nodes
    explained = np.zeros(len(missing), dtype=bool)
    merged = []
    for node in nodes:
        below = graph.below(np.array([node]))
        above = _above(graph, int(node))
        through = above[ancestor] & below[descendant] & (descendant != node)
        if through.any():
            merged.append(int(node))
            explained |= through
    if not merged or np.count_nonzero(explained) < _SHARE * len(missing):
        return None
    if (np.isin(descendant, nodes)).any():
        return None  # the node itself lacks some: it was given a false parent
    explains: dict[str, BoolArray | bool] = {
        "missing_ancestor_pair": explained,
        "several_parents": np.isin(nodes, merged),
    }
    return _merged(np.array(merged), mapping, None, explains)


def _above(graph: Graph, node: int) -> BoolArray:
    marked = np.zeros(graph.n, dtype=bool)
    level = np.array([node])
    while len(level):
        above = graph.parents_of.expand(level)[1]
        level = np.unique(above[~marked[above]])
        marked[level] = True
    return marked


def _merged(
    merged: IntArray,
    mapping: MappingStatistics,
    truth: Truth | None,
    explains: dict[str, BoolArray | bool],
) -> Explanation:
    who = ", ".join(called(mapping, int(x), truth) for x in merged[:3])
    more = f" and {len(merged) - 3:,} more" if len(merged) > 3 else ""
    return Explanation(
        message=f"two taxa of one name were joined in {plural(len(merged), 'node')}: {who}{more}",
        explains=explains,
        parameters={"nodes": len(merged), "first": who},
        free=len(merged),
        why_not="no row says which of the two taxa it means; join by identifier",
    )
