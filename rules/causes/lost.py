"""What follows from lost pairs, by the taxonomy where one is given."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, distinct, within
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth

MISSING = "disagrees_with_taxonomy.missing"  # pairs that the taxonomy holds and the file lacks
UNPROVEN = "false_ancestor_pair.unproven"
NO_REPAIR = (
    "nothing in the file says what was lost; build the pairs again, or give `taxonomy` to have "
    "them built from it"
)
FROM_TAXONOMY = "rows that were lost cannot be moved back; `taxonomy` has the pairs built anew"
_GAPS = (
    "coverage_gap",
    "missing_parent",
    "several_roots",
    "missing_ancestor_pair",
    UNPROVEN,
    MISSING,
)


def everything(symptoms: Symptoms) -> dict[str, BoolArray | bool]:
    """All gaps: for a loss that says of itself that nothing is left whole."""
    return {name: np.ones(len(symptoms[name]), dtype=bool) for name in _GAPS if name in symptoms}


def lost_pairs(symptoms: Symptoms) -> tuple[IntArray, IntArray] | None:
    """(ancestor, descendant) of all pairs that the taxonomy holds and the file lacks, (k,) each."""
    if MISSING not in symptoms:
        return None
    ancestor, descendant = symptoms[MISSING].nodes
    return ancestor, descendant


def follows(truth: Truth, symptoms: Symptoms, chosen: BoolArray) -> dict[str, BoolArray | bool]:
    """What would be sound if the chosen of all lost pairs, a mask (k,), were there."""
    found = lost_pairs(symptoms)
    assert found is not None
    ancestor, descendant = found
    n = len(truth.position)
    key = descendant * n + ancestor
    restored = distinct(key[chosen])

    def touching(mask: BoolArray) -> IntArray:
        return np.bincount(ancestor[mask], minlength=n) + np.bincount(descendant[mask], minlength=n)

    explains: dict[str, BoolArray | bool] = {MISSING: chosen}
    every = np.ones(len(key), dtype=bool)
    if "coverage_gap" in symptoms:
        nodes = symptoms["coverage_gap"].nodes[0]
        lost, back = touching(every), touching(chosen)
        explains["coverage_gap"] = (back[nodes] > 0) & (back[nodes] == lost[nodes])
    parent = truth.parent
    for name in ("missing_parent", "several_roots"):
        if name in symptoms:
            nodes = symptoms[name].nodes[0]
            explains[name] = within(restored, nodes * n + parent[nodes]) & (parent[nodes] >= 0)
    if "missing_ancestor_pair" in symptoms:
        a, d = symptoms["missing_ancestor_pair"].nodes
        explains["missing_ancestor_pair"] = within(restored, d * n + a)
    # a chain is whole where no step of it is lost for another reason
    inner = np.flatnonzero(parent >= 0)
    steps = inner * n + parent[inner]
    broken = np.zeros(n, dtype=np.int64)
    broken[inner] = within(np.sort(key[~chosen]), steps)
    above = truth.along(broken)
    for name in ("false_ancestor_pair", UNPROVEN):
        if name in symptoms:
            a, d = symptoms[name].nodes
            explains[name] = truth.holds(a, d) & (above[d] == above[a])
    if "several_parents" in symptoms:
        nodes = symptoms["several_parents"].nodes[0]
        left = truth.along(np.bincount(descendant[~chosen], minlength=n))
        back = truth.along(np.bincount(descendant[chosen], minlength=n))
        explains["several_parents"] = (left[nodes] == 0) & (back[nodes] > 0)
    return explains
