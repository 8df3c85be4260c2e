"""The statistics of the data as the plain numbers that a report holds."""

from __future__ import annotations

from taxcheck.model.statistics import (
    DepthCount,
    DepthShares,
    DepthSummary,
    MappingSummary,
    PairSummary,
    Statistics,
    TableSummary,
    TreeSummary,
    summary_of,
)
from taxcheck.statistics.values import (
    ClosureStatistics,
    DepthStatistics,
    HierarchyStatistics,
    MappingStatistics,
    PairStatistics,
)

_DEPTHS = 1000


def summarize(
    mapping: MappingStatistics | None,
    pairs: PairStatistics | None,
    tree: HierarchyStatistics | None,
    closure: ClosureStatistics | None,
    embeddings: TableSummary | None = None,
) -> Statistics:
    """The numbers of what was computed; the other parts are None."""
    return Statistics(
        None if mapping is None else summary_of(MappingSummary, mapping),
        None if pairs is None else _pairs(pairs),
        None if tree is None else _tree(tree, closure),
        embeddings,
    )


def _pairs(pairs: PairStatistics) -> PairSummary:
    nodes = pairs.only_descendant + pairs.only_ancestor + pairs.both
    return summary_of(
        PairSummary,
        pairs,
        nodes=nodes,
        holes_in_range=pairs.table_size - nodes,
        depth=None if pairs.depth is None else _depth(pairs.depth),
    )


def _depth(depth: DepthStatistics) -> DepthSummary:
    bars = zip(depth.depths[:_DEPTHS], depth.counts[:_DEPTHS], strict=True)
    return DepthSummary(
        depth.mean,
        depth.median,
        depth.maximum,
        DepthShares(depth.share(1, 1), depth.share(2, 5), depth.share(6)),
        tuple(DepthCount(int(at), int(pairs)) for at, pairs in bars),
    )


def _tree(tree: HierarchyStatistics, closure: ClosureStatistics | None) -> TreeSummary:
    return summary_of(
        TreeSummary,
        tree,
        kind=tree.kind.value,
        roots=tree.roots.count,
        expected_pairs=None if closure is None else closure.expected,
        missing_pairs=None if closure is None else closure.missing.count,
        false_pairs=None if closure is None else closure.false.count,
        unproven_pairs=None if closure is None else closure.unproven.count,
        duplicate_pairs=None if closure is None else closure.duplicates.count,
        path=None if closure is None else closure.path,
        unproven_by_reason={} if closure is None else closure.unproven.detail,
    )
