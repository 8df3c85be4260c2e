"""The statistics as plain values for machines: the JSON report's ``statistics``."""

from __future__ import annotations

from taxcheck.statistics.values import (
    ClosureStatistics,
    DepthStatistics,
    HierarchyStatistics,
    MappingStatistics,
    PairStatistics,
)


def summarize(
    mapping: MappingStatistics | None,
    pairs: PairStatistics | None,
    tree: HierarchyStatistics | None,
    closure: ClosureStatistics | None,
) -> dict[str, object]:
    """JSON-ready statistics; a part that was not computed is left out."""
    summary: dict[str, object] = {}
    if mapping is not None:
        summary["mapping"] = _mapping(mapping)
    if pairs is not None:
        summary["pairs"] = _pairs(pairs)
    if tree is not None:
        summary["tree"] = _tree(tree, closure)
    return summary


def _mapping(mapping: MappingStatistics) -> dict[str, object]:
    return {
        "rows": mapping.rows,
        "nodes": mapping.nodes,
        "n_nodes": mapping.n_nodes,
        "holes": mapping.holes,
        "derived": mapping.derived,
    }


def _pairs(pairs: PairStatistics) -> dict[str, object]:
    nodes = pairs.only_descendant + pairs.only_ancestor + pairs.both
    return {
        "rows": pairs.rows,
        "valid": pairs.valid,
        "nodes": nodes,
        "only_descendant": pairs.only_descendant,
        "only_ancestor": pairs.only_ancestor,
        "both": pairs.both,
        "never": pairs.never,
        "table_size": pairs.table_size,
        "holes_in_range": pairs.table_size - nodes,
        "depth": None if pairs.depth is None else _depth(pairs.depth),
    }


def _depth(depth: DepthStatistics) -> dict[str, object]:
    return {
        "mean": depth.mean,
        "median": depth.median,
        "max": depth.maximum,
        "shares": {"1": depth.share(1, 1), "2-5": depth.share(2, 5), ">5": depth.share(6)},
        "histogram": [
            {"depth": int(d), "pairs": int(c)}
            for d, c in zip(depth.depths[:1000], depth.counts[:1000], strict=True)
        ],
    }


def _tree(tree: HierarchyStatistics, closure: ClosureStatistics | None) -> dict[str, object]:
    return {
        "kind": tree.kind.value,
        "kind_reason": tree.kind_reason,
        "edges_from": tree.edges_from,
        "edges": tree.edges,
        "roots": tree.roots.count,
        "components": tree.components,
        "max_depth": tree.max_depth,
        "expected_pairs": None if closure is None else closure.expected,
        "missing_pairs": None if closure is None else closure.missing.count,
        "false_pairs": None if closure is None else closure.false.count,
        "unproven_pairs": None if closure is None else closure.unproven,
        "duplicate_pairs": None if closure is None else closure.duplicates.count,
        "path": None if closure is None else closure.path,
    }
