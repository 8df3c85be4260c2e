"""PAIR003 and PAIR004: mapped nodes that the pairs never name, and the table they would size."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import Repair, rule
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Identifiers, MappingStatistics, PairStatistics

from .mapping_rows import needs_mapping
from .wording import be, mapping_rows, node, part


def covered(mapping: MappingStatistics, pairs: PairStatistics) -> BoolArray:
    """Mark every idx that is in a valid pair, (n_nodes,)."""
    n = mapping.n_nodes
    marked: BoolArray = (pairs.as_ancestor[:n] > 0) | (pairs.as_descendant[:n] > 0)
    return marked


def declared_roots(identifiers: Identifiers, dataset: Dataset) -> IntArray:
    """The idx of the roots that the policy names and the mapping has, ascending."""
    if identifiers.integers is not None:
        numbers = [int(root) for root in dataset.roots if str(root).isdecimal()]
        return np.flatnonzero(np.isin(identifiers.integers, numbers)).astype(np.int64)
    if identifiers.strings is None:
        return np.empty(0, dtype=np.int64)
    names = {str(root) for root in dataset.roots}
    return np.array(
        [k for k, text in enumerate(identifiers.strings) if text is not None and text in names],
        dtype=np.int64,
    )


def needs_several_nodes(mapping: MappingStatistics) -> None:
    """Skip where a node has nothing to be paired with, so that its absence says nothing."""
    needs_mapping(mapping)
    if mapping.nodes < 2:
        raise Skip("the mapping has fewer than two nodes, so nothing that could be paired")


@rule(
    "PAIR003",
    "fail",
    about="pairs",
    caused_by=("MAP005", "PAIR014", "MAP007"),
    pictures=("roles",),
    repair=(Repair.UNRELATED,),
)
def coverage_gap(mapping: MappingStatistics, pairs: PairStatistics, dataset: Dataset) -> Finding:
    """Mapped nodes are in no pair, neither as ancestor nor as descendant.

    Only valid pairs count: a node that is named by self pairs alone is uncovered. Observed beside
    the gap are the roles of all nodes: only descendant (leaves), only ancestor (roots), both,
    never.

    Why it matters:
    The row of such a node exists, is initialised, and is never moved towards anything; if it is
    drawn as a negative it is only pushed away. On a projection it lies anywhere, which reads as
    'some groups tight, others scattered'. Loss curves do not show it, since the loss is taken over
    the pairs that are there. In the incident that this tool was written for, 28,610 of 110,478
    nodes (25.9 %) were in no pair.

    How to fix:
    Look for the filter that lost them before adding anything: see first whether PAIR014 or MAP005
    is found. A correct build has a pair (parent, child) for every node but the root:

        used = set(pairs["ancestor_idx"]) | set(pairs["descendant_idx"])
        mapping[~mapping["idx"].isin(used)]

    lists the nodes concerned. Sizing the table by the mapping instead of the pairs gives them a row
    and leaves them untrained; self pairs hide them (PAIR005).

    Known exceptions:
    A declared root without children is in no pair by nature and is not counted, nor is the only
    node of a mapping. Nodes that are in the held-out pairs only are counted: training never sees
    them.

    References:
    - Nickel & Kiela 2017, training over observed relations: https://arxiv.org/abs/1705.08039
    """
    needs_several_nodes(mapping)
    never = mapping.mapped & ~covered(mapping, pairs)
    roots = declared_roots(mapping.identifiers, dataset) if dataset.roots else np.empty(0, np.int64)
    isolated = roots[never[roots]]
    never[isolated] = False
    nodes = np.flatnonzero(never)
    gap = part(len(nodes), mapping.nodes, "nodes")
    found = len(nodes) > 0
    return Finding(
        found=found,
        message=f"{gap} {be(len(nodes))} in no pair; first: {node(mapping, int(nodes[0]))}"
        if found
        else f"all {mapping.nodes - len(isolated):,} nodes are in a pair",
        count=len(nodes),
        total=mapping.nodes,
        observed={
            "only descendant": pairs.only_descendant,
            "only ancestor": pairs.only_ancestor,
            "both": pairs.both,
            "never": pairs.never,
            "declared roots without children": len(isolated),
        },
        samples=mapping_rows(mapping, nodes),
        impact=f"{gap} will never be trained.",
        fix='``mapping[~mapping["idx"].isin(set(pairs["ancestor_idx"]) | '
        'set(pairs["descendant_idx"]))]`` lists them; look between taxonomy and pairs for the '
        "filter or inner join that drops them, often a test of taxids against idx (PAIR014); "
        "``taxcheck fix ... --taxonomy taxdump/ --out fixed/`` pairs them with their ancestors",
    )


@rule(
    "PAIR004",
    "fail",
    about="pairs",
    caused_by=("MAP005", "PAIR014", "MAP007", "PAIR003"),
    pictures=("id_axis",),
    repair=(Repair.LAST_NODES,),
)
def table_too_small(mapping: MappingStatistics, pairs: PairStatistics) -> Finding:
    """An embedding table sized from the pairs would lack rows of the mapping.

    Compared are max(idx in pairs) + 1, which training scripts often take as n_nodes, and the
    mapping's largest idx + 1. Observed beside it are the holes inside the pairs' range: idx below
    that size which are in no pair either.

    Why it matters:
    A lookup of a missing row raises an index error, or worse: the table is joined to the mapping by
    position and every comparison of lengths fails or is cut to the shorter. In the incident a table
    sized from the pairs had 91,567 rows for 110,478 nodes, 18,911 too few, with 9,699 holes inside.

    How to fix:
    Size the table by the mapping, never by the pairs:

        n_nodes = int(mapping["idx"].max()) + 1

    This gives every node a row, and does not train those in no pair: PAIR003 has to be clean too.

    Known exceptions:
    None for a complete build: its last node is a descendant of some root and so is in a pair.

    References:
    - torch.nn.Embedding, num_embeddings:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    needs_several_nodes(mapping)
    missing = max(mapping.n_nodes - pairs.table_size, 0)
    used = int(np.count_nonzero(covered(mapping, pairs)[: pairs.table_size]))
    holes = pairs.table_size - used
    found = missing > 0
    inside = f"; {holes:,} idx inside its range {be(holes)} in no pair" if holes else ""
    return Finding(
        found=found,
        message=f"a table sized from the pairs has {pairs.table_size:,} rows, {missing:,} too few "
        f"for {mapping.n_nodes:,}{inside}"
        if found
        else f"the pairs reach the last of {mapping.n_nodes:,} rows{inside}",
        count=missing,
        total=mapping.n_nodes,
        observed={
            "max idx in pairs + 1": pairs.table_size,
            "n_nodes": mapping.n_nodes,
            "holes inside the pairs' range": holes,
        },
        samples=mapping_rows(mapping, range(pairs.table_size, mapping.n_nodes)),
        impact=f"A table sized from the pairs lacks {missing:,} of {mapping.n_nodes:,} rows.",
        fix='``n_nodes = int(mapping["idx"].max()) + 1``',
    )
