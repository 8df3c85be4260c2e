"""From the findings to the repairs: what is done, to how many rows, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from taxcheck.config import Dataset
from taxcheck.fixing.account import Account, Floats, account
from taxcheck.fixing.balance import Target, factor_of
from taxcheck.fixing.held_out import hold_out
from taxcheck.fixing.lineage import from_pairs, from_taxonomy
from taxcheck.fixing.numbering import Numbering, number
from taxcheck.fixing.plan import Findings, Lacking, Plan, Step, Wishes
from taxcheck.fixing.taxa import Taxa
from taxcheck.fixing.words import DROPPED, NO_DATA, added, balanced, derived
from taxcheck.pipeline import Gathered
from taxcheck.rule import Skip
from taxcheck.runner import known
from taxcheck.statistics.hierarchy.closure import Closure, closure_of
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.pairset import SlotSet
from taxcheck.statistics.values import Kind

REPAIRED = (
    *(f"MAP{k:03}" for k in (1, 2, 3, 4, 5, 6, 7, 9)),
    *(f"PAIR{k:03}" for k in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15)),
    *(f"TREE{k:03}" for k in (1, 2, 4, 5, 6, 7, 9)),
)


@dataclass(frozen=True, slots=True)
class Repair:
    """A plan and what it takes to carry it out; None where it is not possible, or idle."""

    plan: Plan
    numbering: Numbering | None = None
    target: Target | None = None
    held_out: Target | None = None


def plan_repair(
    data: Gathered,
    findings: Findings,
    dataset: Dataset,
    wishes: Wishes,
    read: tuple[Step, ...],
) -> Repair:
    """Plan everything; ``read`` are the steps of another reading, which are taken already."""
    assert data.mapping is not None
    assert data.intake is not None
    told = _of_no_data(findings)
    before = data.mapping.nodes, data.intake.training.rows
    if not findings.among(*REPAIRED) and not read and not wishes.any:
        return Repair(Plan((), told, dataset, (before[0],) * 2, (before[1],) * 2))
    taxa, distrust = _trusted(data, findings)
    numbering = number(data, data.mapping, findings, taxa)
    graph, broken = _graph(data, numbering, findings, taxa)
    lacking = (*distrust, *numbering.lacking, *broken, *told)
    if graph is not None:
        lacking = (*lacking, *_unrelated(graph, numbering, findings, dataset))
    if graph is None or any(one.blocking for one in lacking):
        return Repair(Plan((*read, *numbering.steps), lacking, dataset, before, before))
    closure = closure_of(graph)
    cap = _least(dataset.depth_cap, wishes.cap_depth)
    counted = dataset.duplicates == "weights" and not data.intake.has_weights
    book = account(
        data.intake.training.spool,
        closure,
        numbering.old_to_new,
        cap,
        _own_weights(data),
        counted=counted,
    )
    sampled = dataset.pairs == "sampled"
    held = hold_out(data, graph, closure, numbering, cap, book, sampled=sampled)
    out = None if held is None else held.pairs
    only = _sampled(book, graph, closure, out) if sampled else None
    weights = book.weights
    target = Target(graph, closure, cap, only, out, weights, materialize=wishes.materialize)
    near, far = target.masses()
    target = replace(target, factor=factor_of(wishes, near, far))
    declared = _declared(dataset, wishes, target)
    whole = int(closure.depths[: None if cap is None else cap + 1].sum())
    size = whole - (0 if out is None else len(out)) if only is None else len(only)
    kept = book.kept - (0 if held is None else held.leaked)
    steps = [*read, *numbering.steps, *_dropped(book, findings, data, wishes)]
    steps += derived(book, findings, data.taxonomy if taxa else None)
    steps += added(size - kept, findings, data.taxonomy if taxa else None)
    if counted:
        safe = "the policy declares that repetition is a weight"
        steps.append(Step(("PAIR006",), "write how often a pair stood as its weight", size, safe))
    steps += balanced(wishes, target, near, far)
    if held is not None:
        steps += held.steps(findings)
        lacking = (*lacking, *held.lacking())
    nodes = int(np.count_nonzero(numbering.nodes))
    plan = Plan(
        tuple(step for step in steps if step.rows),
        lacking,
        declared,
        (before[0], nodes),
        (before[1], size),
        kept,
        None if held is None else (held.rows, len(held.pairs)),
    )
    if not plan.steps:
        return Repair(plan)
    asked = None if out is None else Target(graph, closure, cap, out)
    return Repair(plan, numbering, target, asked)


def _trusted(data: Gathered, findings: Findings) -> tuple[Taxa | None, tuple[Lacking, ...]]:
    """The taxonomy, where one is given that is about this data."""
    if data.taxonomy is None:
        return None, ()
    view, tree = known(data.evidence.taxonomy), known(data.evidence.tree)
    if view is None:
        why = "the identifiers are no taxids, so the taxonomy cannot be used"
        return None, (Lacking("MAP006", why, "no --taxonomy", False),)
    if 2 * view.unknown.count > view.unknown.total:
        why = f"the taxonomy lacks {view.unknown.count:,} of {view.unknown.total:,} identifiers"
        return None, (findings.lacking("MAP006", why, "the taxonomy that the mapping is from"),)
    if tree is not None and tree.kind is Kind.DAG and "TREE001" not in findings:
        why = "nodes have several parents, which no taxdump can hold; the pairs' own edges count"
        return None, (findings.lacking("TREE009", why, 'pairs of a tree, or no "--taxonomy"'),)
    return Taxa.of(data.taxonomy), ()


def _graph(
    data: Gathered, numbering: Numbering, findings: Findings, taxa: Taxa | None
) -> tuple[Graph | None, list[Lacking]]:
    if taxa is not None:
        graph = from_taxonomy(data, numbering, taxa)
        nodes = len(graph.cycles()[0])
        if nodes:
            why = f"{nodes:,} nodes that the taxonomy does not know are on cycles"
            return None, [Lacking("TREE001", why, "a taxonomy that knows them", True)]
        return graph, []
    tree, pairs = known(data.evidence.tree), known(data.evidence.pairs)
    if tree is None or pairs is None:
        return None, [Lacking("PAIR001", "there is no valid pair", "other pairs", True)]
    try:
        return from_pairs(data, numbering, findings, tree, pairs)
    except Skip as skip:
        return None, [Lacking("TREE004", str(skip), "pairs as edges", True)]


def _unrelated(
    graph: Graph, numbering: Numbering, findings: Findings, dataset: Dataset
) -> list[Lacking]:
    """Nodes that nothing relates to any other, but for roots that are declared so."""
    related = np.zeros(graph.n, dtype=bool)
    related[graph.parents] = related[graph.children] = True
    alone = np.flatnonzero(numbering.nodes & ~related)
    if len(alone) and len(numbering.identifiers) > 1:
        roots = {str(root) for root in dataset.roots}
        names = [str(numbering.identifiers[int(k)]) for k in alone[: len(roots) + 1]]
        if not set(names) <= roots:
            shown = next(name for name in names if name not in roots)
            why = f"{len(alone):,} nodes are in no pair, and nothing relates them; first: {shown}"
            give = "--taxonomy that knows them, or a mapping without them"
            return [Lacking("PAIR003", why, give, findings.would_fail("PAIR003"))]
    return []


def _own_weights(data: Gathered) -> Floats | None:
    assert data.intake is not None
    if not data.intake.has_weights:
        return None
    from taxcheck.engine.dataset import weights_of  # data without weights does not need it

    return weights_of(data.sources["pairs"], data.intake.training.spool)


def _sampled(book: Account, graph: Graph, closure: Closure, out: SlotSet | None) -> SlotSet:
    """The pairs of a sampled set that are not held out, and an edge for each node in none."""
    covered = np.zeros(graph.n, dtype=bool)
    only = SlotSet(closure.expected)
    kept = book.marks.present()
    if out is not None:
        kept = kept[~out.contains(kept)]
    only.add(kept)
    a, d, _ = closure.pairs(kept)
    covered[a] = covered[d] = True
    lost = ~covered[graph.children] | (~covered[graph.parents])
    slot, _ = closure.find(graph.parents[lost], graph.children[lost])
    only.add(slot)
    return only


def _declared(dataset: Dataset, wishes: Wishes, target: Target) -> Dataset:
    if wishes.cap_depth is not None and dataset.pairs != "sampled" and dataset.depth_cap != 1:
        dataset = replace(dataset, pairs=f"depth<={target.cap}")
    if target.materialize:
        dataset = replace(dataset, duplicates="forbid")
    elif target.weighted:
        dataset = replace(dataset, duplicates="weights")
    if target.factor != 1 and dataset.sampler == "uniform":
        dataset = replace(dataset, sampler="unknown")
    return dataset


def _dropped(book: Account, findings: Findings, data: Gathered, wishes: Wishes) -> list[Step]:
    assert data.intake is not None
    state = data.intake.training
    counts = {
        "invalid": state.invalid.count,
        "outside": state.out_of_range.count + book.homeless,
        "self": state.self_pairs.count,
        "repeated": book.repeated,
        "reversed": book.reversed,
        "unheld": book.unheld,
        "deeper": book.deeper,
    }
    steps = []
    for key, (rules, what, safe) in DROPPED.items():
        own = findings.among(*rules)
        if key == "deeper" and wishes.cap_depth is not None:
            what, safe = f"leave out pairs deeper than {wishes.cap_depth}", "as asked: --cap-depth"
        steps.append(Step(own, what, counts[key], safe))
    return steps


def _of_no_data(findings: Findings) -> tuple[Lacking, ...]:
    """Findings that no other data would mend, unless something else explains them."""
    return tuple(
        findings.lacking(rule, *NO_DATA[rule])
        for rule in findings.among(*NO_DATA)
        if not findings[rule].caused_by
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min(x for x in (one, other) if x is not None) if (one or other) else None
