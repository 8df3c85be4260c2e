"""What follows where idx stand for several nodes in the pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from taxcheck.model.arrays import BoolArray
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.symptoms import Symptom, Symptoms


def merged_nodes(
    symptoms: Symptoms, graph: Graph, merged: BoolArray, lost: BoolArray
) -> dict[str, BoolArray | bool]:
    """What follows where some idx, (n,), stand for several nodes, and others for none.

    Each spoils its own rows, what its parents and children say of each other, and every chain of
    parents that leads through it.
    """
    spoiled = merged | lost
    some = np.flatnonzero(spoiled & graph.present)
    below = graph.below(some)
    above = Graph(graph.children, graph.parents, graph.present).below(some)

    def own(symptom: Symptom) -> BoolArray:
        last = len(spoiled) - 1
        touched = [(c >= 0) & (c <= last) & spoiled[np.clip(c, 0, last)] for c in symptom.nodes]
        return np.asarray(np.logical_or.reduce(touched))

    def under(symptom: Symptom) -> BoolArray:
        return np.asarray(own(symptom) | below[symptom.nodes[-1]])

    def through(symptom: Symptom) -> BoolArray:
        ancestor, descendant = symptom.nodes
        return np.asarray(above[ancestor] & below[descendant])

    ways: dict[str, Callable[[Symptom], BoolArray]] = {
        "self_pair": own,
        "duplicate_pair": own,
        "inconsistent_depth": own,
        "disagrees_with_taxonomy": own,
        "disagrees_with_taxonomy.missing": own,
        "rank_inversion": own,
        "reversed_pair": under,
        "cycle": under,
        "several_parents": under,
        "several_roots": under,
        "missing_parent": under,
        "false_ancestor_pair": under,
        "false_ancestor_pair.unproven": under,
        "missing_ancestor_pair": through,
    }
    explains: dict[str, BoolArray | bool] = {
        name: way(symptoms[name]) for name, way in ways.items() if name in symptoms
    }
    if "coverage_gap" in symptoms:
        explains["coverage_gap"] = lost[symptoms["coverage_gap"].nodes[0]]
    if lost[-1]:
        explains["table_too_small"] = True
    return explains
