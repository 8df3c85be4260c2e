"""What the three descriptive rules say of a table, by their published formulas, naively.

PAIR009, PAIR011 and PAIR013 describe how draws are spread. A corruption that reshapes the whole
table works out their outcome here, from the pairs that it wrote.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from taxcheck.commands.selftest.cases import Verdict


def imbalance(stated: pd.Series, parents: dict[int, int]) -> Verdict:
    """PAIR009 of a tree: the stated distances against those of the closure of the edges."""
    own: Counter[int] = Counter()
    for node in parents:
        steps = 0
        while node in parents:
            node, steps = parents[node], steps + 1
            own[steps] += 1
    here, total = Counter(stated.tolist()), sum(own.values())
    distance = sum(abs(here[k] / len(stated) - own[k] / total) for k in here.keys() | own.keys())
    deep = int((stated > 5).sum())
    if distance / 2 > 0.05:
        return ("warn", deep)
    return ("info" if (stated == 1).mean() < 0.2 else "pass", deep)


def dominance(ancestors: pd.Series) -> Verdict:
    """PAIR011: the ten largest ancestors, and Gini as half the relative mean difference."""
    held = ancestors.value_counts().to_numpy(np.float64)
    top = int(np.sort(held)[-10:].sum())
    gini = np.abs(np.subtract.outer(held, held)).mean() / (2 * held.mean())
    return ("info" if top > len(ancestors) / 2 or gini > 0.95 else "pass", top)


def negatives(closure: pd.DataFrame, depth: dict[int, int]) -> Verdict:
    """PAIR013: of the nodes as deep as d, how many more than d descend from a; over all pairs."""
    pool = Counter(depth.values())
    below = Counter(
        (a, depth[d])
        for a, d in zip(closure["ancestor_idx"], closure["descendant_idx"], strict=True)
    )
    false = sum(m * (m - 1) / max(pool[level] - 1, 1) for (_, level), m in below.items())
    return ("info" if false / len(closure) > 0.05 else "pass", 0)
