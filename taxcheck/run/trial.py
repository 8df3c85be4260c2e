"""A trial: a cause is undone and the pairs are proved anew, to see which offenders are left."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.model.cause import Mend
from taxcheck.model.clock import Clock
from taxcheck.model.finding import known
from taxcheck.run.evidence import of_pairs
from taxcheck.run.gather import Gathered
from taxcheck.run.replay import PAIRWISE, nameless, undone
from taxcheck.statistics.hierarchy.edges import present_in
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.symptoms import Symptom, Symptoms
from taxcheck.statistics.values import Kind

# What is judged again; a row that is taken out takes all of its defects with it.
TRIED = (
    "index_out_of_range",
    "self_pair",
    "taxid_disagreement",
    "coverage_gap",
    "duplicate_pair",
    "reversed_pair",
    "false_ancestor_pair",
    "false_ancestor_pair.unproven",
    "missing_ancestor_pair",
    "cycle",
    "several_parents",
    "several_roots",
    "missing_parent",
    "rank_inversion",
    "disagrees_with_taxonomy",
    "disagrees_with_taxonomy.missing",
)
# What a node that is taken out leaves behind; a hypothesis that says so is not the worse for it.
_BEHIND = (
    "coverage_gap",
    "missing_parent",
    "missing_ancestor_pair",
    "false_ancestor_pair",
    "false_ancestor_pair.unproven",
    "disagrees_with_taxonomy.missing",
)
_TAKEN = ("invalid_pair_row", "depth_mismatch", "unusable_weight")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial left: the offenders that are explained, by defect, and how many are new."""

    explained: Mapping[str, BoolArray]  # (k,) in the order of the symptom
    worse: int  # offenders that were none before
    whole: frozenset[str] = frozenset()  # rules without single offenders that find nothing now


def attempt(mend: Mend, data: Gathered, joins: Mapping[str, Joins]) -> Trial:
    """Undo a cause and judge the pairs anew; where rows were let go of nothing is explained."""
    assert data.intake is not None
    if data.symptoms.overfull.intersection(PAIRWISE):
        return Trial({}, 1)
    after = Symptoms(most=data.symptoms.most)
    with ExitStack() as resources:
        intake = undone(mend, data.intake, data.symptoms, joins, after, resources)
        dataset = data.request.policy.dataset
        evidence, _ = of_pairs(
            intake,
            data.taxonomy,
            dataset,
            data.executor,
            after,
            Clock(),
            data.request.memory,
            tried=True,
        )
    free = {"several_roots"}  # no defect by themselves
    if (tree := known(evidence.tree)) is not None and tree.kind is Kind.DAG:
        free.add("several_parents")
    if intake.mapping.derived and mend.renumbered is not None:
        free.add("duplicate_pair")  # of labels that become one, rows may do so as well
    used = np.flatnonzero(present_in([data.intake.training.state]))
    if nameless(mend, used).any():
        free.update(_BEHIND)
    pairs = known(evidence.pairs)
    fits = pairs is not None and pairs.table_size == intake.mapping.n_nodes
    whole = frozenset({"table_too_small"} if fits else ())
    return replace(_compared(mend, data.symptoms, after, free), whole=whole)


def _compared(mend: Mend, before: Symptoms, after: Symptoms, free: set[str]) -> Trial:
    explained: dict[str, BoolArray] = {}
    worse = 0
    for defect in TRIED:
        left, was = after.get(defect), before.get(defect)
        new = 0 if left is None else len(left)
        if was is not None:
            still = np.zeros(len(was), bool) if left is None else _still(was, left, mend)
            explained[defect] = ~still
            if was.rows is not None:  # a row that is taken out for want of a name is not explained
                explained[defect] &= ~nameless(mend, *was.nodes)
            # which nodes are in no pair changes with their numbers: only more of them are worse
            as_many = defect == "coverage_gap" and mend.renumbered is not None
            new -= len(was) if as_many else int(np.count_nonzero(still))
        worse += 0 if defect in free else max(new, 0)
    return Trial(explained | _of_rows(mend, before, after), worse)


def _of_rows(mend: Mend, before: Symptoms, after: Symptoms) -> dict[str, BoolArray]:
    """What is explained of rows that are not judged again: those taken out, and those read."""
    explained: dict[str, BoolArray] = {}
    for defect in _TAKEN if mend.dropped else ():
        symptom = before.get(defect)
        if symptom is not None and symptom.rows is not None and mend.rows is not None:
            explained[defect] = within(mend.rows, symptom.rows)
    unread, left = before.get("invalid_pair_row"), after.get("invalid_pair_row")
    reads = mend.given is not None or mend.renumbered is not None
    if reads and unread is not None and unread.rows is not None:
        left_out = np.empty(0, np.int64) if left is None or left.rows is None else left.rows
        explained["invalid_pair_row"] = ~within(left_out, unread.rows)
    return explained


def _still(was: Symptom, left: Symptom, mend: Mend) -> BoolArray:
    """Which offenders are there after a trial as before, (k,): by row, else by their nodes."""
    if was.rows is not None and left.rows is not None:
        return within(left.rows, was.rows)

    def moved(column: IntArray) -> IntArray:
        return column if mend.renumbered is None else mend.renumbered(column)

    pairs = was.nodes
    # what the taxonomy misses has the numbers of the mapping, unless that was misread itself
    if mend.only_tried or was.defect != "disagrees_with_taxonomy.missing":
        pairs = tuple(moved(column) for column in was.nodes)
        if mend.exchanged and mend.rows is None:
            pairs = pairs[::-1]
    base = max(int(column.max(initial=-1)) for column in (*pairs, *left.nodes)) + 2
    gone: BoolArray = np.logical_or.reduce([column < 0 for column in pairs])
    still: BoolArray = within(distinct(_keys(left.nodes, base)), _keys(pairs, base)) & ~gone
    return still


def _keys(columns: tuple[IntArray, ...], base: int) -> IntArray:
    """One number for the nodes of each offender, (k,): all of them are below ``base`` - 1."""
    keys = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        keys = keys * base + column + 1
    return keys
