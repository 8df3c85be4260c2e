"""From the findings to the repairs: what is done, to how many rows, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from taxcheck.commands.fix.hierarchy import from_pairs, from_taxonomy
from taxcheck.commands.fix.numbering import Numbering, Taxa, number
from taxcheck.commands.fix.pair_steps import added, balanced, derived, dropped
from taxcheck.commands.fix.pairs import (
    KeptRows,
    RepairedPairs,
    factor_of,
    hold_out,
    keep_rows,
)
from taxcheck.commands.fix.plan import Findings, Lacking, RepairPlan, Step, Wishes
from taxcheck.commands.fix.proven import (
    cut_off,
    guessed,
    let_go,
    misread,
    ownerless,
    rests_on,
    unknown_nodes,
    unproven_nodes,
)
from taxcheck.model.finding import Skip, known
from taxcheck.model.rule import Repair
from taxcheck.model.vocabulary import plural, said_of
from taxcheck.policy.model import Dataset
from taxcheck.run.gather import Gathered
from taxcheck.run.judge import judge
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.closure import Closure, whole_closure
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.slots import SlotSet
from taxcheck.statistics.values import Kind

_SAMPLE = (
    "or, if the pairs are meant as a sample of the closure, declare it by [dataset] pairs = "
    '"sampled" in the policy: so read, the gate passes them as they are'
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it takes to carry it out; None where it is not possible, or idle."""

    plan: RepairPlan
    numbering: Numbering | None = None
    target: RepairedPairs | None = None
    held_out: RepairedPairs | None = None


def plan_repair(
    data: Gathered,
    findings: Findings,
    dataset: Dataset,
    wishes: Wishes,
    read: tuple[Step, ...],
    unsettled: tuple[Lacking, ...] = (),
    *,
    moved: bool = False,
) -> Planned:
    """Plan everything; ``read`` are steps that are taken already: readings, causes undone.

    What is ``unsettled`` then no repair of a hierarchy settles either; ``moved``: idx of the pairs
    are others than they were.
    """
    assert data.mapping is not None
    assert data.intake is not None
    told = findings.beyond_repair()
    nodes, rows = (data.mapping.nodes,) * 2, (data.intake.training.state.rows,) * 2
    if not findings.repairable and not read and not wishes.any:
        return Planned(RepairPlan((), told, dataset, nodes, rows))
    taxa, distrust = _trusted(data, findings)
    distrust = (
        *distrust,
        *let_go(data, findings),
        *ownerless(data, findings, taxa),
        *misread(findings),
        *cut_off(data, findings, taxa),
        *guessed(findings, taxa),
    )
    numbering = number(data, data.mapping, findings, taxa)
    graph, broken = _graph(data, numbering, findings, taxa)
    unproven = unproven_nodes(data, findings, numbering, taxa, moved=moved)
    lacking = (*distrust, *unproven, *numbering.lacking, *broken, *told, *unsettled)
    if graph is not None:
        lacking = (*lacking, *_unrelated(graph, numbering, findings, dataset))
    plan = RepairPlan(
        (*read, *numbering.steps),
        lacking,
        dataset,
        nodes,
        rows,
        rests_on=(
            *(step.safe for step in read),
            *rests_on(data.taxonomy if taxa else None, unknown_nodes(numbering, taxa), moved=moved),
        ),
    )
    if graph is None or not plan.possible:
        return Planned(plan)
    return _planned(data, findings, wishes, plan, numbering, graph, data.taxonomy if taxa else None)


def _planned(
    data: Gathered,
    findings: Findings,
    wishes: Wishes,
    plan: RepairPlan,
    numbering: Numbering,
    graph: Graph,
    taxonomy: Taxonomy | None,
) -> Planned:
    """The plan with what becomes of the pairs, once the nodes and their hierarchy are settled."""
    assert data.intake is not None
    closure, dataset = whole_closure(graph, data.request.memory), plan.dataset
    caps = [cap for cap in (dataset.depth_cap, wishes.cap_depth) if cap is not None]
    cap = min(caps, default=None)
    counted = dataset.duplicates == "weights" and not data.intake.has_weights
    own = data.intake.weights()
    spool = data.intake.training.spool
    book = keep_rows(spool, closure, numbering.old_to_new, cap, own, counted=counted)
    sampled = dataset.pairs == "sampled"
    held = hold_out(data, graph, closure, numbering, cap, book, sampled=sampled)
    out = None if held is None else held.pairs
    only = _sampled(book, graph, closure, out) if sampled else None
    target = RepairedPairs(
        graph, closure, cap, only, out, book.weights, materialize=wishes.materialize
    )
    near, far = target.masses()
    target = replace(target, factor=factor_of(wishes, near, far))
    kept = book.kept - (0 if held is None else held.leaked)
    undecided = _undecided(book, target.size - kept, findings, data, taxonomy)
    plan = replace(plan, lacking=(*plan.lacking, *undecided))
    steps = [
        *plan.steps,
        *dropped(book, findings, data, wishes),
        *derived(book, findings, taxonomy),
        *added(target.size - kept, findings, taxonomy),
    ]
    if counted:
        safe = "the policy declares that repetition is a weight"
        what = "write how often a pair stood as its weight"
        steps.append(Step(findings.rules(Repair.REPEATED), what, target.size, safe))
    steps += balanced(wishes, target, near, far)
    plan = replace(
        plan,
        dataset=_declared(dataset, wishes, target),
        nodes=(plan.nodes[0], int(np.count_nonzero(numbering.nodes))),
        pairs=(plan.pairs[0], target.size),
        kept=kept,
    )
    if held is not None:
        steps += held.steps(findings)
        lacking = (*plan.lacking, *held.lacking(findings))
        plan = replace(plan, lacking=lacking, held_out=(held.rows, len(held.pairs)))
    plan = replace(plan, steps=tuple(step for step in steps if step.rows))
    if not plan.steps:
        return Planned(plan)
    asked = None if out is None else RepairedPairs(graph, closure, cap, out)
    return Planned(plan, numbering, target, asked)


def or_sampled(plan: RepairPlan, data: Gathered) -> RepairPlan:
    """Where nothing can be repaired, whether the pairs are sound as a sample, which they may be."""
    if plan.possible or plan.dataset.pairs != "closure":
        return plan
    policy = data.request.policy
    sampled = replace(policy, dataset=replace(policy.dataset, pairs="sampled"))
    if judge(data, sampled).exit_code:
        return plan
    lacking = (
        replace(one, give=f"{one.give}; {_SAMPLE}") if one.blocking else one for one in plan.lacking
    )
    return replace(plan, lacking=tuple(lacking))


def _trusted(data: Gathered, findings: Findings) -> tuple[Taxa | None, tuple[Lacking, ...]]:
    """The taxonomy, where one is given that is about this data."""
    if data.taxonomy is None:
        return None, ()
    view, tree = known(data.evidence.taxonomy), known(data.evidence.tree)
    if view is None:
        why = "the identifiers are no taxids, so the taxonomy cannot be used"
        return None, (
            findings.lacking(Repair.SUCCESSORS, why, "taxids, or leave the taxonomy out", False),
        )
    if 2 * view.unknown.count > view.unknown.total:
        why = f"the taxonomy lacks {view.unknown.count:,} of {view.unknown.total:,} identifiers"
        return None, (
            findings.lacking(Repair.SUCCESSORS, why, "the taxonomy that the mapping is from"),
        )
    several = tree is not None and tree.kind is Kind.DAG and tree.several_parents.count > 0
    if several and Repair.CYCLES not in findings:
        why = "nodes have several parents, which no taxdump can hold; the pairs' own edges count"
        give = "pairs of a tree, or leave the taxonomy out"
        return None, (findings.lacking(Repair.TAXONOMY, why, give),)
    return Taxa.of(data.taxonomy), ()


def _graph(
    data: Gathered, numbering: Numbering, findings: Findings, taxa: Taxa | None
) -> tuple[Graph | None, list[Lacking]]:
    if taxa is not None:
        graph = from_taxonomy(data, numbering, taxa)
        nodes = len(graph.cycles()[0])
        if nodes:
            those = plural(nodes, "node")
            why = (
                f"{those} that the taxonomy does not know {'is' if nodes == 1 else 'are'} on cycles"
            )
            return None, [findings.lacking(Repair.CYCLES, why, "a taxonomy that knows them", True)]
        return graph, []
    tree, pairs = known(data.evidence.tree), known(data.evidence.pairs)
    if tree is None or pairs is None:
        return None, [
            findings.lacking(Repair.PAIR_ROWS, "there is no valid pair", "other pairs", True)
        ]
    try:
        return from_pairs(data, numbering, findings, tree, pairs)
    except Skip as skip:
        return None, [findings.lacking(Repair.MISSING_PAIRS, str(skip), "pairs as edges", True)]


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
            it = "it" if len(alone) == 1 else "them"
            those = said_of(len(alone), "node", "is", "are")
            why = f"{those} in no pair, and nothing relates {it}; first: {shown}"
            give = f"`taxonomy` that knows {it}, or a mapping without {it}"
            return [
                findings.lacking(Repair.UNRELATED, why, give, findings.would_fail(Repair.UNRELATED))
            ]
    return []


def _sampled(book: KeptRows, graph: Graph, closure: Closure, out: SlotSet | None) -> SlotSet:
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


def _undecided(
    book: KeptRows, missing: int, findings: Findings, data: Gathered, taxonomy: Taxonomy | None
) -> list[Lacking]:
    """What the edges cannot decide: any of them may be wrong, and of a DAG others may be lost."""
    tree = known(data.evidence.tree)
    if taxonomy is not None or tree is None:
        return []
    if book.unheld:
        why = (
            f"{said_of(book.unheld, 'pair', 'contradicts', 'contradict')} the parent-child pairs, "
            "and nothing says which of the two are wrong"
        )
        return [findings.lacking(Repair.FALSE_PAIRS, why, "`taxonomy`, or the true edges", True)]
    if book.moved and (tree.kind is Kind.DAG or missing):
        why = (
            f"{said_of(book.moved, 'pair', 'states', 'state')} another distance than the "
            "parent-child pairs give, and nothing says which of the two are wrong"
        )
        return [findings.lacking(Repair.DISTANCES, why, "`taxonomy`, or the true edges", True)]
    if tree.kind is Kind.DAG and missing and Repair.MISSING_PAIRS in findings:
        why = "in a DAG a wrong edge implies pairs that are missing as a lost pair does"
        give = 'the pairs that are missing, or a policy with [dataset] pairs = "sampled"'
        return [findings.lacking(Repair.MISSING_PAIRS, why, give, True)]
    return []


def _declared(dataset: Dataset, wishes: Wishes, target: RepairedPairs) -> Dataset:
    if wishes.cap_depth is not None and dataset.pairs != "sampled" and dataset.depth_cap != 1:
        dataset = replace(dataset, pairs=f"depth<={target.cap}")
    if target.materialize:
        dataset = replace(dataset, duplicates="forbid")
    elif target.weighted:
        dataset = replace(dataset, duplicates="weights")
    if target.factor != 1 and dataset.sampler == "uniform":
        dataset = replace(dataset, sampler="unknown")
    return dataset
