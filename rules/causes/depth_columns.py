"""How distances agree with the depths of nodes beside them, and which rows state them falsely."""

from __future__ import annotations

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import Kind

_FEWEST = 20


def nearer_by_depth(symptoms: Symptoms, totals: PairState) -> bool:
    """Whether nodes have one depth each, and are less deep than their parents' depths make them.

    So it is in a DAG of whose parents one is there: another one is nearer to a root.
    """
    symptom = symptoms.get("depth_mismatch")
    if symptom is None or len(symptom) < _FEWEST or "inconsistent_depth" in symptoms:
        return False
    return bool(from_columns(symptoms, totals, 0, Kind.DAG).all())


def from_columns(symptoms: Symptoms, totals: PairState, shift: int, kind: Kind) -> BoolArray:
    """Which distances are those of the depth columns once they are shifted, (k,)."""
    symptom = symptoms["depth_mismatch"]
    stated = symptom.column("depth_diff")
    depths = None if totals.depth is None else totals.depth.node_depths
    assert stated is not None
    shifted = stated.astype(np.int64) + shift
    if depths is None:
        return np.asarray(shifted >= 1)
    ancestor, descendant = symptom.nodes
    steps = depths.lowest[descendant] - depths.lowest[ancestor]
    if kind is Kind.DAG:  # there another way down may be longer than the depths say
        return np.asarray((shifted >= 1) & (shifted >= steps))
    return np.asarray(shifted == steps)


def stated_by(symptoms: Symptoms, rows: IntArray) -> dict[str, BoolArray | bool]:
    """Depths that rows, (k,) ascending, state falsely, or nodes that they give another depth."""
    explains: dict[str, BoolArray | bool] = {}
    for name in ("inconsistent_depth", "depth_mismatch"):
        symptom = symptoms.get(name)
        if symptom is not None and symptom.rows is not None:
            explains[name] = within(rows, symptom.rows)
        elif symptom is not None:
            explains[name] = np.ones(len(symptom), dtype=bool)
    return explains
