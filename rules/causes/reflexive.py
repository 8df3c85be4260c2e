"""The cause in which every node has a pair with itself."""

from __future__ import annotations

import numpy as np

from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.symptoms import Symptoms

_SHARE = 0.99


@cause()
def reflexive_closure(symptoms: Symptoms, totals: PairState) -> Explanation | None:
    """Every node is paired with itself.

    There is a pair of a node with itself for each node, once: the closure was taken with 'above or
    equal'.

    Why it matters:
    A pair at distance 0 has nothing to teach, and takes a share of all draws. It makes a node that
    is in no other pair look covered.

    How to fix:
    Leave them out, which changes nothing else:

        pairs = pairs[pairs["ancestor_idx"] != pairs["descendant_idx"]]

    ``taxcheck fix`` does so.

    Known exceptions:
    Some self pairs, here and there, are self_pair without a cause.

    References:
    - Nickel & Kiela 2017, over pairs of distinct nodes: https://arxiv.org/abs/1705.08039
    """
    symptom = symptoms.get("self_pair")
    if symptom is None or symptom.rows is None:
        return None
    own = np.bincount(symptom.nodes[0], minlength=totals.origin.n)
    covered = (totals.as_ancestor > 0) | (totals.as_descendant > 0)
    lacking = int(np.count_nonzero(covered & (own[: len(covered)] == 0)))
    count = int(np.count_nonzero(own))
    if count < 2 or lacking > (1 - _SHARE) * count or len(symptom) > count / _SHARE:
        return None
    return Explanation(
        message=f"every node is paired with itself: {plural(len(symptom), 'row')}, one of each of "
        f"{plural(count, 'node')}",
        parameters={"rows": len(symptom)},
        free=0,
        mend=Mend(
            what="leave out the pairs of a node with itself",
            why="they say nothing of any other node",
            rows=symptom.rows,
            dropped=True,
        ),
    )
