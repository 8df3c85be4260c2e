"""`taxcheck why`: one node, everything that is known of it, and the findings that touch it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from taxcheck.audit.alignment import Aligned, align
from taxcheck.clock import Clock
from taxcheck.errors import UsageError
from taxcheck.evidence import of_pairs
from taxcheck.intake import Intake, read_mapping, read_pairs
from taxcheck.pipeline import check
from taxcheck.request import Request, open_sources, open_tables
from taxcheck.rule import Outcome
from taxcheck.sources.taxdump import open_taxonomy
from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import IntArray, MappingStatistics

_NEIGHBOURS = 10


def explain_node(request: Request, node: str) -> Iterator[str]:
    """Lines about a node, named by its identifier; UsageError where the mapping lacks it."""
    with ExitStack() as resources:
        sources = open_sources(request, None)
        table = open_tables(request)["embeddings"]
        taxonomy = open_taxonomy(request.taxonomy) if request.taxonomy else None
        mapping = read_mapping(sources["mapping"], request.workers, None)
        idx = _find(mapping, node)
        intake = read_pairs(sources["pairs"], None, mapping, request.workers, None, resources)
        _, graph = of_pairs(
            intake, taxonomy, request.policy.dataset, request.workers, None, Clock()
        )
        aligned = align(table, mapping)
        yield from _who(node, idx, mapping, taxonomy, graph)
        yield from _pairs(idx, intake)
        yield from _row(idx, aligned, graph, mapping, taxonomy)
        updates = aligned.spread(table.facts.update_counts, 0)
    yield from _findings(request, idx, None if updates is None else int(updates[idx]))


def _find(mapping: MappingStatistics, node: str) -> int:
    integers, strings = mapping.identifiers.integers, mapping.identifiers.strings
    if integers is not None and node.isdecimal():
        found = np.flatnonzero(integers == int(node))
    else:
        found = np.flatnonzero(strings == node) if strings is not None else np.empty(0, np.int64)
    if not len(found):
        raise UsageError(f"{node}: the mapping has no such identifier")
    return int(found[0])


def _who(
    node: str, idx: int, mapping: MappingStatistics, taxonomy: Taxonomy | None, graph: Graph
) -> Iterator[str]:
    named = taxonomy.name_of(int(node)) if taxonomy and node.isdecimal() else None
    row = mapping.row_of[idx]
    yield f"{node}{f' {named}' if named else ''}: idx {idx}, row {row} of the mapping"
    if taxonomy is not None and node.isdecimal():
        rank, lineage = taxonomy.rank_of(int(node)), taxonomy.lineage(int(node))
        yield f"taxonomy    {rank or 'unknown to it'}{f', {lineage}' if lineage else ''}"
    depth = int(graph.depths[idx])
    above = graph.parents_of.expand(np.array([idx]))[1]
    below = graph.children_of.expand(np.array([idx]))[1]
    yield (
        f"hierarchy   depth {depth if depth >= 0 else 'unknown'}, "
        f"{_listed(above, mapping, 'parent')}, {len(below):,} children"
    )


def _listed(nodes: IntArray, mapping: MappingStatistics, word: str) -> str:
    if not len(nodes):
        return f"no {word}"
    names = ", ".join(str(mapping.identifiers.of(int(n))) for n in nodes[:5])
    return f"{word}{'s' if len(nodes) > 1 else ''} {names}"


def _pairs(idx: int, intake: Intake) -> Iterator[str]:
    state = intake.training
    up, down = int(state.as_descendant[idx]), int(state.as_ancestor[idx])
    yield f"pairs       {up:,} as descendant, {down:,} as ancestor"
    depths: dict[int, int] = {}
    for batch in state.spool.batches():
        if batch.depth_diff is not None:
            mine = (batch.descendant == idx) | (batch.ancestor == idx)
            for depth, count in zip(
                *np.unique(batch.depth_diff[mine], return_counts=True), strict=True
            ):
                depths[int(depth)] = depths.get(int(depth), 0) + int(count)
    if depths:
        text = ", ".join(f"{depth}: {count:,}" for depth, count in sorted(depths.items()))
        yield f"by depth    {text}"


def _row(
    idx: int, table: Aligned, graph: Graph, mapping: MappingStatistics, taxonomy: Taxonomy | None
) -> Iterator[str]:
    if not table.has_row[idx]:
        yield f"row         none: the table has {table.checkpoint.rows:,} rows"
        return
    space = table.space()
    radius = float(space.radii[idx])
    if not np.isfinite(radius):
        yield "radius      none: the row is no point of the space"
        return
    peers = space.radii[: graph.n][graph.depths == graph.depths[idx]]
    below = float((peers[np.isfinite(peers)] <= radius).mean())
    yield f"radius      {radius:.3f}, beyond {below:.0%} of the nodes of its depth"
    distance = space.from_row(idx)
    distance[idx] = np.nan
    near = np.argsort(distance)[: min(_NEIGHBOURS, int(np.isfinite(distance).sum()))]  # NaN last
    yield "nearest"
    ancestors = set(graph.parents_of.expand(np.array([idx]))[1].tolist())
    for other in near:
        label = mapping.identifiers.of(int(other)) if other < mapping.n_nodes else None
        named = taxonomy.name_of(label) if taxonomy and isinstance(label, int) else None
        kin = "  its parent" if int(other) in ancestors else ""
        yield (
            f"  {distance[other]:7.3f}  {label if label is not None else f'idx {other}'}"
            + (f"  {named}" if named else "")
            + kin
        )


def _findings(request: Request, idx: int, updates: int | None) -> Iterator[str]:
    """How it was trained, and the failures and warnings that it, or a pair of it, is part of."""
    touched: set[str] = set()
    reasons: list[str] = []

    def collect(defect: str, columns: Mapping[str, npt.NDArray[np.generic]]) -> None:
        for name in ("idx", "ancestor_idx", "descendant_idx"):
            if name in columns and bool((columns[name] == idx).any()):
                touched.add(defect)
        if defect == "never_trained":
            for at in np.flatnonzero(columns["idx"] == idx):
                evidence, explanation = columns["evidence"][at], columns["explanation"][at]
                reasons.append(f"{evidence}; explained by: {explanation}")

    report = check(replace(request, drawn=False), sink=collect)
    found = [
        result
        for result in report.by_outcome
        if result.outcome in (Outcome.FAIL, Outcome.WARN) and result.rule.name in touched
    ]
    if reasons:
        yield f"training    never trained: {reasons[0]}"
    elif updates is not None:
        yield f"training    {updates:,} updates"
    else:
        yield "training    nothing says that it was not trained"
    yield "findings" if found else "findings    none that this node is part of"
    for result in found:
        yield f"  {result.rule.id} {result.rule.name}: {result.message}"
