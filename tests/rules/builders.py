"""Small sound statistics, by hand: a tree of four nodes, 0 -> 1, 0 -> 2, 2 -> 3, whole closure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Defect, Sample
from taxcheck.model.result import RuleResult
from taxcheck.model.rule import Rule
from taxcheck.policy.model import Dataset, Policy, RulePolicy
from taxcheck.run.registry import load_rules
from taxcheck.run.rules import run_rules
from taxcheck.statistics.values import (
    Beyond,
    ClosureStatistics,
    DepthStatistics,
    HeldOutStatistics,
    HierarchyStatistics,
    Identifiers,
    Kind,
    MappingStatistics,
    PairStatistics,
    TaxonomyStatistics,
    WeightStatistics,
)
from tests.rules.owed import hold

RULES: Mapping[str, Rule] = {rule.id: rule for rule in load_rules()}


def ints(*values: int) -> IntArray:
    return np.array(values, dtype=np.int64)


def some(count: int, total: int, *values: Mapping[str, Any], **detail: int) -> Defect:
    """A defect whose samples are rows 11, 12, ..."""
    samples = tuple(Sample(dict(v), row=11 + k) for k, v in enumerate(values))
    return Defect(count, total, samples, detail)


def mapping(taxids: IntArray | None = None, idx: IntArray | None = None, **changes: Any) -> Any:
    """A mapping of ``taxids`` to ``idx``, by default 10, 20, 30, 40 to 0, 1, 2, 3."""
    taxids = ints(10, 20, 30, 40) if taxids is None else taxids
    idx = np.arange(len(taxids)) if idx is None else idx
    n = int(idx.max()) + 1
    mapped = np.zeros(n, dtype=bool)
    mapped[idx] = True
    integers = np.full(n, -1, dtype=np.int64)
    integers[idx] = taxids
    row_of = np.full(n, -1, dtype=np.int64)
    row_of[idx] = np.arange(1, len(idx) + 1)
    gaps = np.flatnonzero(~mapped)
    value = MappingStatistics(
        rows=len(idx),
        nodes=len(idx),
        n_nodes=n,
        derived=False,
        identifiers=Identifiers(integers, None),
        mapped=mapped,
        row_of=row_of,
        invalid=some(0, len(idx)),
        duplicate_identifiers=some(0, len(idx)),
        duplicate_idx=some(0, len(idx)),
        lookalikes=some(0, len(idx)),
        holes=len(gaps),
        hole_ranges=tuple((int(k), int(k)) for k in gaps[:10]),
        identifier_density=len(np.unique(taxids)) / (int(taxids.max()) + 1),
        identifier_minimum=int(taxids.min()),
        idx_density=len(idx) / n,
        oversized=0,
        max_idx=n - 1,
    )
    return replace(value, **changes)


def text_mapping(**changes: Any) -> Any:
    names = np.array(["CHEBI:1", "CHEBI:2", "CHEBI:3", "CHEBI:4"], dtype=object)
    strings = Identifiers(None, names)
    return mapping(identifiers=strings, identifier_density=0.0, identifier_minimum=None, **changes)


def depth(counts: Mapping[int, int] | None = None, **changes: Any) -> Any:
    counts = {1: 3, 2: 1} if counts is None else counts
    every = np.repeat(list(counts), list(counts.values()))
    value = DepthStatistics(
        depths=ints(*counts),
        counts=ints(*counts.values()),
        mean=float(every.mean()),
        median=float(np.median(every)),
        maximum=int(every.max()),
        mismatch=some(0, len(every)),
        judged_columns=("ancestor_depth", "descendant_depth"),
        inconsistent=some(0, 4),
        backwards=0,
    )
    return replace(value, **changes)


def pairs(
    as_ancestor: Any = (3, 0, 1, 0), as_descendant: Any = (0, 1, 1, 2), **changes: Any
) -> Any:
    up, down = np.array(as_ancestor, np.int64), np.array(as_descendant, np.int64)
    used = np.flatnonzero((up > 0) | (down > 0))
    rows = int(up.sum())
    value = PairStatistics(
        rows=rows,
        valid=rows,
        table_size=int(used[-1]) + 1 if len(used) else 0,
        as_ancestor=up,
        as_descendant=down,
        only_descendant=int(np.count_nonzero((up == 0) & (down > 0))),
        only_ancestor=int(np.count_nonzero((up > 0) & (down == 0))),
        both=int(np.count_nonzero((up > 0) & (down > 0))),
        never=len(up) - len(used),
        invalid=some(0, rows),
        out_of_range=some(0, rows),
        self_pairs=some(0, rows),
        depth=depth(),
        taxid_disagreement=some(0, rows),
        never_samples=(),
        weights=None,
        labels=None,
    )
    return replace(value, **changes)


def weights(positive: int = 4, *values: Mapping[str, Any], **detail: int) -> WeightStatistics:
    return WeightStatistics(some(sum(detail.values()), 4, *values, **detail), positive, some(0, 4))


def tree(**changes: Any) -> Any:
    value = HierarchyStatistics(
        kind=Kind.TREE,
        kind_reason="every node has at most one parent",
        edges_from="depth_diff",
        flat=False,
        beyond=Beyond(),
        nodes=4,
        edges=3,
        leaves=2,
        cycles=some(0, 4),
        several_parents=some(0, 3),
        roots=Defect(1, 4, (Sample({"idx": 0, "tree_nodes": 4}, node=0),)),
        components=1,
        component_sizes=(4,),
        missing_parent=some(0, 3),
        max_depth=2,
        reversed_is_tree=False,
        closure_depths=ints(0, 3, 1),
        false_negative_risk=0.0,
        root_idx=ints(0),
    )
    return replace(value, **changes)


def closure(**changes: Any) -> Any:
    value = ClosureStatistics(
        path="tree",
        expected=4,
        distinct=4,
        duplicates=some(0, 4),
        reversed=some(0, 4),
        missing=some(0, 4),
        missing_by_depth=ints(0, 0, 0),
        false=some(0, 4),
        unproven=some(0, 4),
        open={},
    )
    return replace(value, **changes)


def taxonomy(**changes: Any) -> Any:
    value = TaxonomyStatistics(
        source="taxdump",
        version="2024-09-07",
        taxa=2_609_295,
        unknown=some(0, 4),
        noise=some(0, 4),
        parent_outside=some(1, 4, {"idx": 0}),
        closing_adds=5,
        rank_inversion=some(0, 3),
        disagreement=some(0, 4),
        missing=0,
    )
    return replace(value, **changes)


def held_out(**changes: Any) -> Any:
    value = HeldOutStatistics(
        rows=10,
        valid=10,
        exact=some(0, 10),
        reversed=some(0, 10),
        implied=some(0, 10),
        only_held_out=some(0, 4),
        false=some(0, 10),
        lonely=some(0, 10),
        repeated=0,
    )
    return replace(value, **changes)


def judge(id: str, thresholds: Mapping[str, float] | None = None, **given: Any) -> RuleResult:
    """Run one rule as the runner does; inputs that are not given are the sound ones above.

    ``dataset`` is the declared intent. ``depth`` follows the pairs' own.
    """
    values = {
        "mapping": mapping,
        "pairs": pairs,
        "tree": tree,
        "closure": closure,
        "taxonomy": taxonomy,
        "held_out": held_out,
        "depth": depth,
    }
    inputs = {name: given[name] if name in given else make() for name, make in values.items()}
    inputs |= {name: value for name, value in given.items() if name.endswith("reading")}
    policy = Policy(
        dataset=given.get("dataset", Dataset()),
        rules={id: RulePolicy(thresholds=dict(thresholds or {}))},
    )
    (result,) = run_rules([RULES[id]], inputs, policy)
    return hold(result)


def counted(result: RuleResult) -> tuple[int, int]:
    assert result.judged
    return result.count, result.total


def sampled(result: RuleResult) -> list[dict[str, object]]:
    assert result.judged
    return [dict(sample.values) for sample in result.samples]


def places(result: RuleResult) -> list[tuple[object, object, object]]:
    assert result.judged
    return [(s.row, s.node, s.table) for s in result.samples]
